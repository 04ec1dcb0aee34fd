"""The front page's experiment without a browser: the page's numbers against torch; and what the page says of times."""

import json
import re

import pytest
import torch
from nodejs import node
from tiny_book import ROOT

from innerlab.chapters.index.front_door import FrontDoor, moves
from innerlab.ensembles.policies import DetectorPolicies
from innerlab.evaluation import outcome_probabilities
from innerlab.store import stored
from innerlab.worlds.layouts import from_text, to_text
from innerlab.worlds.red_doors import RedDoors, door_reward

TRADED = RedDoors(swapped_share=1.0).sample(3, seed=3)
ROOMS = [(text.replace("bD", "rD").replace("rK", "bK"), text) for text in (to_text(TRADED, i) for i in range(3))]
SAYS = {
    "says": "Some go here.",
    "title": "In many rooms",
    "alt": "A room, and the agents of two groups that walk in it.",
}


@pytest.fixture(scope="module")
def agents():
    """The groups of the front page, from the store."""
    return {"red doors": stored("red_doors/detectors"), "both": stored("red_doors/detectors-told-apart")}


def test_page_and_torch_agree_on_how_each_agent_ends(agents):
    widget = FrontDoor(agents, ROOMS, {name: torch.full((64, 4), 0.25) for name in agents}, **SAYS)
    done = node("tests/chapters/index/front/moved.mjs", input=json.dumps(widget.state() | {"agents": 64, "draws": 50}))
    assert done.returncode == 0, done.stderr
    page = {name: torch.tensor(table) for name, table in json.loads(done.stdout).items()}
    world = from_text([coloring for room in ROOMS for coloring in room], reward=door_reward)
    exact = torch.stack([outcome_probabilities(group, world) for group in agents.values()]).transpose(1, 2)
    off = (page["ends"] - exact).abs()
    # moves of 8 bits, sixty of them: an agent that all but stands still may differ, and hardly any does
    assert float(off.max()) < 0.2
    assert float(off.mean()) < 0.003
    assert float((page["ends"] - exact).mean(2).abs().max()) < 0.01
    # walks are drawn from that: 3,200 for each group and layout
    assert float((page["walked"] - page["ends"].mean(2)).abs().max()) < 0.03


def test_moves_are_rounded_to_the_nearest(agents):
    for group in agents.values():
        with torch.no_grad():
            exact = group.everywhere(TRADED, torch.arange(3)[None]).softmax(0)[:3].permute(3, 2, 1, 0)
        rounded = moves(group, TRADED)
        assert rounded.shape == (3, 64, 25, 3)
        assert float((rounded / 255 - exact).abs().max()) <= 0.5 / 255 + 1e-6


def small(**changes):
    groups = {name: DetectorPolicies(range(3), TRADED) for name in ("asked", "control")}
    ends = {name: torch.tensor([[0, 0.1, 0.9, 0], [0, 0.9, 0.1, 0], [1.0, 0, 0, 0]]) for name in groups}
    return FrontDoor(**({"groups": groups, "rooms": ROOMS, "ends": ends} | SAYS | changes))


def test_state_and_picture_are_the_same_each_time_and_sorted_by_red_share():
    widget = small()
    assert widget.html() == small().html()
    assert widget.groups[0] == {"name": "asked", "ends": [[0, 900, 100, 0], [1000, 0, 0, 0], [0, 100, 900, 0]]}
    assert (widget.guess, widget.traded, widget.walk) == (-1, False, 0)
    assert "Some go here." in widget.picture()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"groups": {"one": DetectorPolicies([1], TRADED)}}, "1 ensembles"),
        ({"groups": {name: DetectorPolicies(range(n), TRADED) for name, n in (("a", 1), ("b", 2))}}, r"\[1, 2\]"),
        ({"ends": {"asked": torch.zeros(3, 4)}}, "'control'"),
        ({"ends": {"asked": torch.zeros(3, 4), "control": torch.zeros(2, 4)}}, "'control'"),
        ({"rooms": [("A . ?", "A . rD")]}, "allowed"),
    ],
)
def test_what_does_not_fit_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        small(**changes)


NUMBERS = r"\b(?:\d+|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty(?:-\w+)?)"


def test_the_front_page_types_no_number_of_chapters_exercises_or_hours():
    # tests/site/test_pages.py and test_exercise_pages.py hold the page to what the roles must say.
    page = (ROOT / "book/index.md").read_text("utf8")
    typed = re.findall(rf"{NUMBERS} (?:chapters|exercises|hours)", page, re.IGNORECASE)
    assert not typed, f"book/index.md: let {{effort}}`all reading` or {{effort}}`all exercises` say it, not {typed}"
    for part in ("The chapters are {effort}`all reading` of reading", "The exercises come to {effort}`all exercises`"):
        assert part in page, f"book/index.md must say: {part}"


def test_every_chapter_of_the_table_of_contents_that_has_exercises_is_on_the_front_page():
    listed = re.findall(r"^ *- file: book/(\w+)$", (ROOT / "_toc.yml").read_text("utf8"), re.MULTILINE)
    wanted = [name for name in listed if (ROOT / f"solutions/{name}.md").is_file()]
    page = (ROOT / "book/index.md").read_text("utf8")
    order = re.findall(r"^\[\]\((\w+)\.md\)\n: ", page, re.MULTILINE)
    assert order == wanted, (
        "book/index.md, Chapters: every chapter with exercises has an entry, a line [](name.md) and one that begins "
        f"with a colon, in the order of _toc.yml: {wanted}, not {order}"
    )
