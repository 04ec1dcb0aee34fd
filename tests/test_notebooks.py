"""The notebooks behind the launch buttons."""

from pathlib import Path

import jupytext

from innersite import notebooks

CHAPTER = Path(__file__).parents[1] / "book" / "pseudo_alignment.md"


def test_a_notebook_installs_the_laboratory_before_anything_needs_it():
    made = notebooks.as_notebook(CHAPTER, "https://example.org/a/book")
    code = [cell.source for cell in made.cells if cell.cell_type == "code"]
    assert '"innerlab[book] @ git+https://example.org/a/book"' in code[0]
    assert code[1:] == [cell.source for cell in jupytext.read(CHAPTER).cells if cell.cell_type == "code"]


def test_without_a_repository_nothing_is_installed_from_it():
    made = notebooks.as_notebook(CHAPTER, "")
    assert not any("pip install" in cell.source for cell in made.cells)


def test_the_same_chapter_gives_the_same_bytes(tmp_path):
    root = tmp_path
    (root / "book").mkdir()
    (root / "_config.yml").write_text("repository: {url: ''}\n", "utf-8")
    (root / "book" / CHAPTER.name).write_text(CHAPTER.read_text("utf-8"), "utf-8")
    (root / "book" / "index.md").write_text("# No code here\n", "utf-8")
    written = []
    for _ in range(2):
        assert notebooks.main(root) == 1
        written.append((root / "book" / "pseudo_alignment.ipynb").read_bytes())
    assert written[0] == written[1]
