"""Listings: code of the laboratory as it stands."""

import pytest

from innerlab.listings import Listing
from innerlab.systems.mazes import draw_mazes, walk


def test_a_listing_is_the_code_as_it_stands():
    listing = Listing(walk, draw_mazes)
    assert listing._repr_markdown_() == f"```python\n{listing.source}\n```"
    assert repr(listing) == listing.source
    walking, drawing = listing.source.split("\n\n\n")
    assert walking.startswith("def walk(walker: Walker, maze: Maze, steps: int)")
    assert walking.endswith("return route")
    names = {}
    exec(walking, {"Walker": None, "Maze": None}, names)
    assert names["walk"].__code__.co_code == walk.__code__.co_code
    assert drawing.startswith("def draw_mazes(")


def test_what_has_no_source_is_a_clear_error():
    with pytest.raises(ValueError, match="shown is empty"):
        Listing()
    with pytest.raises(TypeError):
        Listing(len)
