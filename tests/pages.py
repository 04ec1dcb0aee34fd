"""Runs chosen cells of a chapter, to compare what stands there with what a page or a module does."""

import re

from tiny_book import ROOT


def cells_of(chapter: str, *openings: str) -> dict:
    """The names that a chapter's imports and the cells with these words in them define, run in the chapter's order."""
    source = (ROOT / "book" / f"{chapter}.md").read_text("utf8")
    cells = re.findall(r"^```\{code-cell\} ipython3\n(?!---|:tags:)(.*?)^```$", source, re.DOTALL | re.MULTILINE)
    for words in openings:
        assert sum(words in cell for cell in cells) == 1, f"{words!r} stands in no cell, or in several"
    names = {}
    for cell in [cells[0], *(cell for cell in cells[1:] if any(words in cell for words in openings))]:
        exec(compile(cell, f"{chapter}.md", "exec"), names)
    return names
