"""The house: foundations know nothing of chapters, wings know nothing of each other, and an edit reaches one page."""

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import jupytext
import pytest
from tiny_book import ROOT

from innerlab import imports, store, wings
from innersite.keys import chapter_key, imported_files

LABORATORY = ROOT / "innerlab"
NOTEBOOKS = sorted([*(ROOT / "book").glob("*.md"), *(ROOT / "solutions").glob("*.md")])
STORED = re.compile(r"""\bstored\(f?["'](\w+)/""")


@cache
def cells(notebook):
    return [cell.source for cell in jupytext.read(notebook).cells if cell.cell_type == "code"]


@cache
def reached(notebook):
    """The files of the laboratory that a notebook's key covers, relative to the laboratory."""
    return {file.relative_to(LABORATORY).as_posix() for file in imported_files(cells(notebook), ROOT, "innerlab")}


def wing_modules():
    return sorted(file.relative_to(LABORATORY).as_posix() for file in (LABORATORY / "chapters").glob("*/*.py"))


def wing_of(module):
    return module.split("/")[1]


def declares(notebook, wing):
    """Whether a notebook asks for a stored ensemble of a wing."""
    return any(wing in STORED.findall(source) for source in cells(notebook))


def test_imports_run_one_way_and_no_wing_imports_another():
    command = "from importlinter.cli import lint_imports_command as run; run()"
    cached = ["--cache-dir", str(ROOT / "_build" / "import_linter")]
    done = subprocess.run([sys.executable, "-c", command, *cached], cwd=ROOT, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, "A module imports what it must not; pyproject.toml says who may.\n" + done.stdout


def test_every_chapter_with_exercises_has_a_wing_with_checks_and_a_bank():
    for source in (ROOT / "solutions").glob("*.md"):
        assert source.stem in wings.wings(), f"make innerlab/chapters/{source.stem}/__init__.py, with a docstring"
        assert wings.module_of(source.stem, "checks"), (
            f"innerlab/chapters/{source.stem}/checks.py is missing: it marks what solutions/{source.name} asks"
        )
        assert (ROOT / "tests" / "chapters" / source.stem / "bank.py").is_file(), (
            f"tests/chapters/{source.stem}/bank.py is missing: right and wrong answers to solutions/{source.name}"
        )


def test_every_wing_belongs_to_a_page():
    pages = {path.stem for path in (ROOT / "book").glob("*.md")}
    alone = sorted(set(wings.wings()) - pages)
    assert not alone, f"innerlab/chapters/ has wings of no page in book/; what several chapters use goes lower: {alone}"
    tested = {path.name for path in (ROOT / "tests" / "chapters").iterdir() if list(path.glob("*.py"))}
    assert tested <= pages, f"tests/chapters/ has folders of no page in book/: {sorted(tested - pages)}"


@pytest.mark.parametrize("module", wing_modules())
def test_a_module_of_a_wing_makes_no_other_page_stale(module):
    stale = [notebook for notebook in NOTEBOOKS if module in reached(notebook)]
    others = [path for path in stale if path.stem != wing_of(module) and not declares(path, wing_of(module))]
    assert not others, (
        f"an edit of innerlab/{module} executes {[path.name for path in others]} again, which are not its chapter's: "
        "what two chapters use belongs into a foundation, such as innerlab/systems/"
    )
    if Path(module).name not in ("__init__.py", "audit_key.py"):
        assert stale, f"innerlab/{module} is imported by neither page nor exercises of its chapter; use it or delete it"


def test_the_key_itself_changes_for_one_page_only(tmp_path):
    shutil.copytree(LABORATORY, tmp_path / "innerlab", ignore=shutil.ignore_patterns("__pycache__"))
    pages = {path.stem: jupytext.read(path) for path in NOTEBOOKS if path.parent.name == "book"}

    def keys():
        return {name: chapter_key(page, tmp_path, "innerlab") for name, page in pages.items()}

    before = keys()
    with (tmp_path / "innerlab" / "chapters" / "deceptive_alignment" / "decision.py").open("a") as file:
        file.write("# a comment\n")
    after = keys()
    stale = {name for name in pages if before[name] != after[name]}
    assert stale == {"deceptive_alignment"}, f"a comment in one wing makes {sorted(stale)} stale, not its page alone"


def recipes():
    return [pytest.param(within, place, id=f"{within}/{place}") for within, place in wings.places_with("recipes")]


@pytest.mark.parametrize(("within", "place"), recipes())
def test_recipes_hang_on_their_own_wing_only(within, place):
    source = (LABORATORY / within / place / "recipes.py").read_text("utf8")
    files = imports.imported_files([source], ROOT)
    found = {path.relative_to(LABORATORY).parts[1] for path in files if path.is_relative_to(LABORATORY / "chapters")}
    others = found - ({place, "__init__.py"} if within == "chapters" else set())
    assert not others, (
        f"innerlab/{within}/{place}/recipes.py hangs on the wings of {sorted(others)}, so an edit there would train "
        "it anew; what both use belongs into a foundation"
    )


def test_names_of_stored_ensembles_begin_with_their_place():
    places = {place for _, place in wings.places_with("recipes")}
    named = {name.partition("/")[0] for name in store.names()}
    assert named == places, (
        "a stored ensemble is named <chapter or system>/<name> and trained by the recipes.py of that place; "
        f"these do not match: {sorted(named ^ places)}"
    )
    assert len(places) >= 3, f"recipes were found in {sorted(places)} only"


def test_a_module_named_in_a_call_counts_and_one_named_elsewhere_does_not(tmp_path):
    for name in ("__init__", "chapters/__init__", "chapters/a/__init__", "chapters/a/checks", "chapters/a/recipes"):
        (tmp_path / "lab" / f"{name}.py").parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "lab" / f"{name}.py").write_text("")

    def files(source):
        return {path.stem for path in imports.imported_files([source], tmp_path, "lab")} - {"__init__"}

    assert files("check('a/one', 1)") == {"checks"}
    assert files("lab.checks.summary('a')") == {"checks"}
    assert files("found = [stored(f'a/{name}') for name in 'xy']") == {"recipes"}
    assert files("print('a/one'); stored(name)") == set()
