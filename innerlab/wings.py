"""The wings of the laboratory: what one chapter alone uses, found by the chapter's name and never listed.

``innerlab/chapters/<chapter>/`` may hold ``checks.py`` (its exercises), ``recipes.py`` (ensembles for the store) and
``front/`` (front ends of its widgets), beside models of its own.
"""

from importlib import import_module
from pathlib import Path
from types import ModuleType

LABORATORY = Path(__file__).resolve().parent


def wings() -> list[str]:
    """The chapters that have a wing, sorted."""
    return sorted(path.parent.name for path in (LABORATORY / "chapters").glob("*/__init__.py"))


def module_of(chapter: str, name: str, within: str = "chapters") -> ModuleType | None:
    """A module of a chapter's wing, or None if there is none of this name.

    Args:
        chapter: its short name, as in ``book/<chapter>.md``.
        name: of the module, such as ``checks``.
        within: the folder of the wing; ``systems`` for what several chapters study.
    """
    if not chapter.isidentifier() or not (LABORATORY / within / chapter / f"{name}.py").is_file():
        return None
    return import_module(f"innerlab.{within}.{chapter}.{name}")


def places_with(name: str) -> list[tuple[str, str]]:
    """Every wing and every system that has a module of this name, as pairs of folder and wing: sorted."""
    files = [path for within in ("chapters", "systems") for path in (LABORATORY / within).glob(f"*/{name}.py")]
    return sorted((path.parent.parent.name, path.parent.name) for path in files)
