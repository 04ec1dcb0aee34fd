"""Another number of threads sums in another order; every claim must survive that."""

from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted(path for path in (ROOT / "book").glob("*.md") if "claims = Claims()" in path.read_text("utf-8"))


def test_there_are_chapters_with_claims():
    assert CHAPTERS


@pytest.mark.thorough
@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_claims_hold_with_two_threads(chapter, monkeypatch):
    monkeypatch.setenv("INNERLAB_THREADS", "2")
    notebook = jupytext.read(chapter)
    notebook.cells.append(new_code_cell("import torch; print(torch.get_num_threads())"))
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(chapter.parent)}}).execute()
    assert notebook.cells[-1].outputs[0].text.strip() == "2"
