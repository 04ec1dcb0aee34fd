"""The bench on a page: any agent in any maze, painted by pointer or keyboard, ends as torch says."""

import functools
import re

import pytest
from playwright.sync_api import expect
from widget_pages import SCHEMES, cells_of, stop_when_drawn, tab_to

from innerlab.chapters.pseudo_alignment.maze_bench import MazeBench, rounded
from innerlab.evaluation import outcome_probabilities
from innerlab.store import stored
from innerlab.worlds.gridworld import COLORS, SHAPES
from innerlab.worlds.layouts import from_text, to_text
from innerlab.worlds.mazes import RedDoorMazes
from innerlab.worlds.red_doors import door_reward

pytestmark = pytest.mark.xdist_group("site")

MAZES = RedDoorMazes(swapped_share=1.0).sample(3, 5)

PRESETS = {f"maze {i}": to_text(MAZES, i) for i in range(3)}


def made():
    """The chapter's agents, and two things to break, the second of them in any maze."""
    agents = stored("red_doors/mazes")
    bench = MazeBench(
        agents,
        PRESETS,
        outcome_probabilities(agents, MAZES).mean(1),
        alt="A maze to paint, and the sixty-four agents that walk in it.",
        challenges={"All 64 end at the door.": {"door": 64}, "One ends nowhere.": {"none": 1}},
    )
    return {"bench": bench}


@functools.cache
def probabilities(text):
    """Where torch says that all agents end in a maze, (agents, outcomes)."""
    world = from_text([text], reward=door_reward)
    return outcome_probabilities(rounded(stored("red_doors/mazes")), world)[:, 0].tolist()


def ends_of(text, agent):
    """What torch says of an agent in a maze, as the page writes it."""
    none, door, red, other = probabilities(text)[agent]
    where = ("door", "red thing", "other", "nowhere")
    return [(100 * p, name) for p, name in zip((door, red, other, none), where, strict=True)]


def says_of(box):
    """What the page says of an agent's ends in the reader's maze, as percentages."""
    text = box.locator(".il-about").first.inner_text()
    return [(int(number), where) for number, where in re.findall(r"(\d+)\s%\s([a-z ]+)", text)]


def agrees(box, text, agent):
    """Whether the page says of an agent in a maze what torch says."""
    pairs = zip(says_of(box), ends_of(text, agent), strict=True)
    return all(there == name and abs(number - exact) <= 0.51 for (number, there), (exact, name) in pairs)


@SCHEMES
def test_bench_shows_any_agent_in_any_preset(look_at, scheme):
    reader = look_at("maze_bench", scheme=scheme)
    box = reader.page.locator(".il-bench")
    for which, text in enumerate(PRESETS.values()):
        box.get_by_role("combobox").select_option(str(which))
        for agent in (0, 31, 63):
            box.get_by_role("slider").fill(str(agent))
            assert agrees(box, text, agent), (which, agent, says_of(box))
    assert reader.complaints == []


def test_bench_has_an_answer_for_every_agent(look_at):
    box = look_at("maze_bench").page.locator(".il-bench")
    text = next(iter(PRESETS.values()))
    marks = set()
    for agent in range(64):
        box.get_by_role("slider").fill(str(agent))
        assert f"Agent {agent + 1} ends here" in box.locator(".il-about").first.inner_text()
        assert agrees(box, text, agent), (agent, says_of(box))
        marks.add(box.locator(".il-mark").first.get_attribute("d"))
    assert len(marks) == 64


def test_bench_paints_everything_it_offers(look_at):
    box = look_at("maze_bench").page.locator(".il-bench")
    before = cells_of(box)
    free = before.index("floor")
    for what in ("wall", "floor", *SHAPES):
        box.get_by_label(what, exact=True).check()
        for color in COLORS if what in SHAPES else COLORS[:1]:
            box.get_by_label(color, exact=True).check()
            box.get_by_role("gridcell").nth(free).click()
            now = f"{color} {what}" if what in SHAPES else what
            assert cells_of(box) == [now if cell == free else old for cell, old in enumerate(before)]
    start = before.index("agent's start")
    box.get_by_label("wall", exact=True).check()
    box.get_by_role("gridcell").nth(start).click()
    assert "starts here" in box.get_by_role("status").inner_text()
    box.get_by_label("agent", exact=True).check()
    box.get_by_role("gridcell").nth(free).click()
    after = cells_of(box)
    assert (after[free], after[start]) == ("agent's start", "floor")


def test_bench_computes_what_the_reader_has_painted(look_at):
    box = look_at("maze_bench").page.locator(".il-bench")
    text = next(iter(PRESETS.values()))
    words = [line.split() for line in text.splitlines()]
    doors = [(y, x) for y in range(9) for x in range(9) if words[y][x] == "bD"]
    box.get_by_label("door", exact=True).check()
    box.get_by_label("red", exact=True).check()
    for y, x in doors:
        box.get_by_role("gridcell").nth(9 * y + x).click()
        words[y][x] = "rD"
    painted = "\n".join(" ".join(row) for row in words)
    for agent in (0, 20, 40):
        box.get_by_role("slider").fill(str(agent))
        assert agrees(box, painted, agent)


def test_bench_walks_at_once_or_step_by_step(look_at):
    reader = look_at("maze_bench")
    box = reader.page.locator(".il-bench")
    box.get_by_role("button", name="Let it walk").click()  # the reader has asked for less motion
    box.get_by_text(re.compile(r"touched (the .* after \d+|nothing in 60) steps")).wait_for()
    trail = box.locator(".il-trail").get_attribute("d")
    assert trail.startswith("M")
    assert "L" in trail
    reader.page.emulate_media(reduced_motion="no-preference")
    stop_when_drawn(box, "Let it walk", ".il-trail", 3)
    expect(box.get_by_role("button", name="Let it walk")).to_be_visible()


def test_bench_by_keyboard_alone_and_a_challenge_is_met(look_at):
    page = look_at("maze_bench").page
    box = page.locator(".il-bench")
    assert "○One ends nowhere." in box.locator(".il-challenges").inner_text()
    tab_to(page, ".il-bench [role=gridcell]")
    start = cells_of(box).index("agent's start")
    assert page.evaluate("Number(document.activeElement.dataset.cell)") == start
    steps = {"ArrowUp": -9, "ArrowDown": 9, "ArrowLeft": -1, "ArrowRight": 1}
    beside = cells_of(box)
    key, step = next((key, step) for key, step in steps.items() if beside[start + step] == "floor")
    page.keyboard.press(key)
    assert page.evaluate("Number(document.activeElement.dataset.cell)") == start + step
    tab_to(page, ".il-bench select")
    tab_to(page, ".il-bench input[type=radio]")
    page.keyboard.press("ArrowDown")  # from floor to wall
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    assert cells_of(box)[start + step] == "wall"
    assert "✓One ends nowhere. Done." in box.locator(".il-challenges").inner_text()
    assert "Broken: One ends nowhere." in box.get_by_role("status").inner_text()
