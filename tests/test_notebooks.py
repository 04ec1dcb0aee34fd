"""The notebooks behind the launch buttons."""

import importlib.util
from pathlib import Path

import jupytext
import nbformat
import yaml
from IPython.core.inputtransformer2 import TransformerManager
from sphinx.util.matching import Matcher

from innerlab.checks import release
from innersite import notebooks

ROOT = Path(__file__).parents[1]
CHAPTER = ROOT / "book" / "pseudo_alignment.md"


def test_a_notebook_installs_the_laboratory_before_anything_needs_it():
    made = notebooks.as_notebook(CHAPTER, "https://example.org/a/book")
    code = [cell.source for cell in made.cells if cell.cell_type == "code"]
    assert '"innerlab[book] @ git+https://example.org/a/book"' in code[0]
    assert code[1:] == [cell.source for cell in jupytext.read(CHAPTER).cells if cell.cell_type == "code"]


def test_without_a_repository_nothing_is_installed_from_it():
    made = notebooks.as_notebook(CHAPTER, "")
    assert not any("pip install" in cell.source for cell in made.cells)


EXERCISE = CHAPTER.parents[1] / "exercises" / "pseudo_alignment.ipynb"


def test_exercises_get_a_copy_that_installs_the_laboratory(tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "exercises").mkdir()
    (tmp_path / "exercises" / EXERCISE.name).write_bytes(EXERCISE.read_bytes())
    (tmp_path / "_config.yml").write_text("repository: {url: 'https://example.org/a/book'}\n", "utf-8")
    assert notebooks.write_all(tmp_path) == 1
    assert (tmp_path / "exercises" / EXERCISE.name).read_bytes() == EXERCISE.read_bytes()
    copy = nbformat.read(tmp_path / "_build" / "notebooks" / "exercises" / EXERCISE.name, as_version=4)
    added = {cell.id: cell.source for cell in copy.cells if cell.id in ("alone", "install")}
    assert "https://example.org/a/book" in added["alone"]
    assert '"innerlab @ git+https://example.org/a/book"' in added["install"]
    assert [cell for cell in copy.cells if cell.id not in added] == nbformat.read(EXERCISE, as_version=4).cells
    assert next(cell.id for cell in copy.cells if cell.cell_type == "code") == "install"


def test_a_notebook_that_is_downloaded_says_how_to_get_the_laboratory_before_it_is_needed():
    original = nbformat.read(EXERCISE, as_version=4).cells
    solution = ROOT / "solutions" / "pseudo_alignment.md"
    for address, added in (("", {"alone"}), ("https://example.org/a/book", {"alone", "install"})):
        for text, extra in (
            (notebooks.exercise(EXERCISE, address), set()),
            (notebooks.solution(solution, address), {"answers"}),
        ):
            cells = nbformat.reads(text, as_version=4).cells
            ids = [cell.id for cell in cells]
            assert set(ids) - {cell.id for cell in original} == added | extra
            first = next(
                index for index, cell in enumerate(cells) if "import" in cell.source and "code" in cell.cell_type
            )
            assert ids.index("alone") < first
            assert "python run.py lab" in cells[ids.index("alone")].source
    answer = next(cell.source for cell in cells if cell.id == "lean")
    assert release.BEGIN in answer


def test_the_laboratory_is_installed_only_where_it_is_not(monkeypatch):
    ran = []

    class Shell:
        def run_line_magic(self, name, line):
            ran.append((name, line))

    code = TransformerManager().transform_cell(notebooks.INSTALL.format(address="https://example.org", extra=""))
    exec(code, {"get_ipython": Shell})
    assert ran == []
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    exec(code, {"get_ipython": Shell})
    assert ran == [("pip", 'install --quiet "innerlab @ git+https://example.org"')]


def test_the_same_chapter_gives_the_same_bytes(tmp_path):
    root = tmp_path
    (root / "book").mkdir()
    (root / "_config.yml").write_text("repository: {url: ''}\n", "utf-8")
    (root / "book" / CHAPTER.name).write_text(CHAPTER.read_text("utf-8"), "utf-8")
    (root / "book" / "index.md").write_text("# No code here\n", "utf-8")
    written = []
    for _ in range(2):
        assert notebooks.write_all(root) == 1
        written.append((root / "book" / "pseudo_alignment.ipynb").read_bytes())
    assert written[0] == written[1]


def test_the_build_does_not_read_the_notebooks_beside_their_sources():
    patterns = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["exclude_patterns"]
    excluded = Matcher(patterns)
    assert excluded("book/pseudo_alignment.ipynb")
    assert not excluded("book/pseudo_alignment.md")
