"""Which files of a package some source code imports, directly or through one another; nothing is run.

What an execution, a stored ensemble or an answer depends on is found by this one function.
"""

import ast
import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path

PACKAGE = __name__.partition(".")[0]
NAMED = {"check": ("chapters.{}.checks",), "summary": ("chapters.{}.checks",)} | {
    "stored": ("chapters.{}.recipes", "systems.{}.recipes")
}
"""Functions that find a module by the first word of their first argument, and where they look for it: a cell with
``stored("pseudo_alignment/sealed-first")`` depends on ``innerlab.chapters.pseudo_alignment.recipes``."""


def imported_files(sources: Iterable[str], root: Path, package: str = PACKAGE) -> list[Path]:
    """The files of a package that some sources import, sorted.

    Importing ``a.b.c`` runs ``a/__init__.py`` and ``a/b/__init__.py`` as well, so they count. A module that is named in
    a call (see :data:`NAMED`) counts like an import. What is imported under a name that is only known while the code
    runs does not count.

    Args:
        sources: Python code, as text.
        root: the folder that holds the package.
        package: whose modules to follow; all others are left alone.

    Raises:
        SyntaxError: if one of the sources is not Python. A file of the package that is not Python imports nothing.
    """
    waiting = [name for source in sources for name in _imports(source, package)]
    found: dict[str, Path | None] = {}
    while waiting:
        name = waiting.pop()
        if name in found or name.split(".")[0] != package:
            continue
        found[name] = file = _module_file(name, root)
        if "." in name:
            waiting.append(name.rpartition(".")[0])
        if file is not None:
            within = name if file.name == "__init__.py" else name.rpartition(".")[0]
            waiting += _imports_of_file(source_text(file), package, within)
    return sorted(file for file in found.values() if file is not None)


def source_text(file: Path) -> str:
    """A file's text, the same for a checkout with Windows line endings."""
    return file.read_bytes().replace(b"\r\n", b"\n").decode("utf-8", errors="replace")


def digest(parts: Iterable[str]) -> str:
    """A hexadecimal SHA-256 over texts and where each ends: the key of what depends on them.

    Args:
        parts: the texts, in an order that matters.
    """
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part.encode()).digest())  # of one length: parts cannot run together
    return whole.hexdigest()


@functools.cache  # chapters import the same files, and each is asked for its key more than once
def _imports(source: str, package: str, within: str = "") -> tuple[str, ...]:
    """Every dotted name that the source may import; relative imports start from the package ``within``.

    ``from a import b`` gives ``a`` and ``a.b``, since ``b`` may be a module; names that are none have no file.
    """
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = within.split(".")
                parents = parents[: len(parents) - (node.level - 1)]
                base = ".".join([*parents, base] if base else parents)
            names += [base, *(f"{base}.{alias.name}" for alias in node.names if alias.name != "*")]
        elif isinstance(node, ast.Call):
            names += [f"{package}.{module}" for module in _named(node)]
    return tuple(names)


def _named(call: ast.Call) -> list[str]:
    """The modules that a call finds by name, as :data:`NAMED` says."""
    function = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    first = call.args[0] if call.args else None
    if isinstance(first, ast.JoinedStr) and first.values:  # f"chapter/{name}" begins with a constant
        first = first.values[0]
    if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
        return []
    word = first.value.partition("/")[0]
    return [place.format(word) for place in NAMED.get(function, ()) if word.isidentifier()]


@functools.cache
def _imports_of_file(source: str, package: str, within: str) -> tuple[str, ...]:
    try:
        return _imports(source, package, within)
    except SyntaxError:
        return ()  # whoever imports it fails when run, and the repaired file has another text


def _module_file(name: str, root: Path) -> Path | None:
    place = root.joinpath(*name.split("."))
    candidates = (place / "__init__.py", place.with_name(place.name + ".py"))
    return next((file for file in candidates if file.is_file()), None)
