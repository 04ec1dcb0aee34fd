"""Widgets on a page without a kernel: every control answers at every position, by pointer and by keyboard alone.

Most tests use a page with the widgets of one kind, or with all of them once or twice, served under the strictest
policy or opened from a file; those of the chapters are tried with the rest of each page, in test_pages.py.
"""

import functools
import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from playwright.sync_api import expect

from innerlab.chapters.deceptive_alignment.deception_plane import START, VALUES, DeceptionPlane
from innerlab.chapters.deceptive_alignment.decision import compliance_episodes, complies_on_cue
from innerlab.chapters.deceptive_alignment.flow import Flow, training_loss
from innerlab.chapters.mesa_optimizer.closed_forms import objective_weights
from innerlab.chapters.mesa_optimizer.in_context import InContext
from innerlab.chapters.mesa_optimizer.linear_attention import LinearAttention
from innerlab.chapters.mesa_optimizer.tasks import InContextRegression, Prompts, TwoChannels
from innerlab.chapters.optimizer.landscape import LANDSCAPES, Landscape, loss
from innerlab.chapters.optimizer.three_robots import ThreeRobots
from innerlab.chapters.pseudo_alignment.maze_bench import MazeBench, rounded
from innerlab.evaluation import outcome_probabilities
from innerlab.store import stored
from innerlab.systems.mazes import AS_LABELED, REVERSED, breadth_first, draw_mazes, first_moves, walk
from innerlab.systems.training_aware_planner import descend
from innerlab.widgets import scripts
from innerlab.widgets.explore import Explore
from innerlab.widgets.predict import Predict
from innerlab.worlds.gridworld import COLORS, SHAPES
from innerlab.worlds.layouts import from_text, to_text
from innerlab.worlds.mazes import RedDoorMazes
from innerlab.worlds.red_doors import door_reward

pytestmark = pytest.mark.xdist_group("site")

SCHEMES = pytest.mark.parametrize("scheme", ["http", "file"])
PAGE = """<!DOCTYPE html>
<html lang="en" data-theme="light">
<head><meta charset="utf-8"><title>Widgets</title><meta name="viewport" content="width=device-width">
<link rel="icon" href="icon.svg"><link rel="stylesheet" href="widgets.css"><script defer src="widgets.js"></script>
</head>
<body><main><h1>Widgets</h1>{body}
<figure id="fig-one"><p>the first figure</p><figcaption>One</figcaption></figure>
<figure id="fig-two"><p>the second figure</p></figure></main></body></html>"""


def outcomes(feature, factor):
    parts = np.random.default_rng([len(feature), int(10 * factor)]).dirichlet([1, 1, 0.3, 0.5], 8)
    return parts, f"With {feature} at {factor:g}, {parts[:, 0].mean():.3f} end at the door."


def rising(slope):
    values = np.clip(np.outer(np.linspace(0.5, 1, 5), np.linspace(0, slope, 6)), 0, 1)
    return values, f"At slope {slope:g} the highest line ends at {values.max():.2f}."


def made():
    """The widgets of the page."""
    return {
        "choice": Predict.choice(
            "t/choice", "Where do most end?", ["door", "key", "both"], [3, 10, 51], "51 go both ways.", "seeds",
            unveils=["fig-one"],
        ),
        "number": Predict.number(
            "t/number", "How many end at the key?", 21, "21 of 64 do.", high=64, unit="seeds", interval=(14, 29),
            unveils=["fig-one"],
        ),
        "curve": Predict.curve(
            "t/curve", "How does it fall?", ["0 %", "1 %", "5 %"], [0.6, 0.3, 0.1], "It falls at once.",
            xlabel="swapped rooms", ylabel="red share", unveils=["fig-two", "fig-that-is-not-there"],
        ),
        "columns": Explore(
            outcomes, {"feature": ["color", "shape", "at random"], "factor": [0, 0.5, 1, 1.5]}, draw="columns",
            alt="Where eight agents end, at each setting of two.", parts=["door", "red", "other", "nothing"],
            start={"factor": 1},
        ),
        "lines": Explore(
            rising, {"slope": [0.2, 0.6, 1.0]}, draw="lines", at=[0, 1, 2, 3, 4, 5],
            alt="Five lines that rise with a slope that one can set.", xlabel="steps",
        ),
        "bench": bench(),
        "dots": Explore(
            lambda spread: (np.linspace(0, spread, 30), f"Thirty dots up to {spread:g}."), {"spread": [0.5, 1.0]},
            draw="dots", alt="Thirty dots that lie within a spread that one can set.",
        ),
        "landscape": Landscape(LOWEST, alt="A map of a landscape, and four searches that start where one clicks."),
        "robots": three_robots(),
        "in context": in_context(),
        "plane": DeceptionPlane(
            {"a reference": {}, "no threat": {"threat": 0}, "a cue": {"recurs": True}},
            alt="A map over discount and threat, and the optimal policy as a timeline.",
        ),
        "flow": Flow(alt="A plane of two numbers, and the path that gradient descent takes from a start."),
    }  # fmt: skip


MAZES = RedDoorMazes(swapped_share=1.0).sample(3, 5)
PRESETS = {f"maze {i}": to_text(MAZES, i) for i in range(3)}


def bench():
    """The chapter's agents, and two things to break, the second of them in any maze."""
    agents = stored("red_doors/mazes")
    return MazeBench(
        agents,
        PRESETS,
        outcome_probabilities(agents, MAZES).mean(1),
        alt="A maze to paint, and the sixty-four agents that walk in it.",
        challenges={"All 64 end at the door.": {"door": 64}, "One ends nowhere.": {"none": 1}},
    )


LOWEST = [1.7, -2.2]
ERRANDS = draw_mazes(3, size=7, holes=4, seed=4)


def planner(maze, cell):
    return breadth_first(maze, cell).buttons[0]


def three_robots():
    """Robots with tables of two mazes, and a third maze."""
    known = ERRANDS[:2]
    table = {(maze.name, cell): planner(maze, cell) for maze in known for cell in walk(planner, maze, 60)[:-1]}
    domain = [replace(maze, buttons=buttons) for maze in known for buttons in (AS_LABELED, REVERSED)]
    return ThreeRobots(
        {"first": ERRANDS[0], "second": ERRANDS[1], "unseen": ERRANDS[2]},
        table,
        domain,
        first_moves(torch.tensor([maze.next_cell for maze in domain])),
        alt="A maze of seven by seven cells to change, and five robots that walk in it.",
        kept={"table": f"{len(table)} entries"},
        challenges={"The table fails.": {"table": False, "planner": True}, "All fail.": {"planner": False}},
    )


SENSORS = {
    "no noise": TwoChannels(1, 8),
    "noise of 1": TwoChannels(1, 8, 1.0),
    "a blend": TwoChannels(1, 8, 2.0, 0.0, 0.1),
}


def attention(channels, networks=5):
    """Layers as they are before training, but larger."""
    with torch.no_grad():
        return LinearAttention(range(networks), 1, channels, init_std=0.7).layers()


def in_context():
    """Layers that were not trained, in three conditions that differ in their law."""
    return InContext(
        InContextRegression(1, 8),
        attention(1),
        {name: (task, attention(2, 5 + i)) for i, (name, task) in enumerate(SENSORS.items())},
        alt="A plane with eight points to drag, and the lines that layers of attention draw.",
    )


@pytest.fixture(scope="module")
def widgets():
    return made()


@pytest.fixture(scope="module")
def folder(widgets, tmp_path_factory):
    """A folder with pages: each widget once, each twice, and those of one kind, named for it."""
    place = tmp_path_factory.mktemp("widgets")
    bodies = {"once": "".join(widget.html() for widget in widgets.values())}
    bodies["twice"] = 2 * bodies["once"]
    for widget in widgets.values():
        bodies[widget.front] = bodies.get(widget.front, "") + widget.html()
    for name, body in bodies.items():
        (place / f"{name}.html").write_text(PAGE.format(body=body), "utf8")
    (place / "widgets.js").write_text(scripts.page_script(), "utf8")
    (place / "widgets.css").write_text(scripts.style(), "utf8")
    (place / "icon.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', "utf8")
    return place


@pytest.fixture
def look_at(read_at, folder, serve_strictly):
    def opened(name="once", scheme="http", **options):
        return read_at(name, serve_strictly(folder) if scheme == "http" else folder.as_uri(), **options)

    return opened


def tab_to(page, selector, steps=80):
    """Press Tab until the element has the focus."""
    for _ in range(steps):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{selector} was not reached in {steps} steps")


@SCHEMES
def test_all_are_mounted_quietly_once_or_twice_on_a_page(look_at, widgets, scheme):
    for name, times in (("once", 1), ("twice", 2)):
        reader = look_at(name, scheme)
        assert reader.page.locator(".innerlab-widget[role=group]").count() == times * len(widgets)
        assert reader.page.locator("[data-innerlab]").count() == 0
        assert reader.page.evaluate("new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size") == 2
        assert reader.complaints == []
        assert reader.foreign == []


def drawn_columns(part):
    """The parts of all columns as they are drawn, as shares of the height of the axes."""
    return part.evaluate("""chart => {
        const axis = chart.querySelector("path.il-axis").getAttribute("d");
        const [, top, bottom] = axis.match(/M[\\d.]+ ([\\d.]+)V([\\d.]+)/).map(Number);
        const share = bar => Number(bar.getAttribute("height")) / (bottom - top);
        return [0, 1, 2, 3].map(k => [...chart.querySelectorAll("rect.il-part-" + k)].map(share));
    }""")


@SCHEMES
def test_explore_shows_pythons_numbers_at_every_position(look_at, scheme):
    page = look_at("explore", scheme=scheme).page
    box = page.locator(".il-explore").nth(0)
    for feature in ("shape", "at random", "color"):
        box.get_by_label(feature, exact=True).check()
        for at, factor in enumerate((0, 0.5, 1, 1.5)):
            box.get_by_role("slider").fill(str(at))
            numbers, says = outcomes(feature, factor)
            assert box.get_by_role("status").inner_text() == says
            np.testing.assert_allclose(np.transpose(drawn_columns(box.locator("svg"))), numbers, atol=1e-3)
            assert box.get_by_role("img").get_attribute("aria-label") == says


def test_lines_and_dots_are_drawn_at_every_position(look_at):
    page = look_at("explore").page
    lines, dots = page.locator(".il-explore").nth(1), page.locator(".il-explore").nth(2)
    seen = set()
    for at, slope in enumerate((0.2, 0.6, 1.0)):
        lines.get_by_role("slider").fill(str(at))
        assert lines.get_by_role("status").inner_text() == rising(slope)[1]
        assert lines.locator("path.il-line").count() == 5
        seen.add(lines.locator("path.il-median").get_attribute("d"))
    assert len(seen) == 3
    for at, most in enumerate((0.5, 1.0)):
        dots.get_by_role("slider").fill(str(at))
        assert dots.locator("circle").count() == 30
        assert dots.get_by_role("status").inner_text() == f"Thirty dots up to {most:g}."


def test_explore_by_keyboard_alone(look_at):
    page = look_at("explore").page
    tab_to(page, ".il-explore input[type=radio]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert page.locator(".il-explore [role=status]").first.inner_text() == outcomes("shape", 1.5)[1]


def test_two_of_a_kind_do_not_meddle(look_at):
    page = look_at("twice").page
    first, second = page.locator(".il-explore").nth(0), page.locator(".il-explore").nth(3)
    first.get_by_label("shape", exact=True).check()
    second.get_by_label("at random", exact=True).check()
    assert first.get_by_role("status").inner_text() == outcomes("shape", 1)[1]
    assert second.get_by_role("status").inner_text() == outcomes("at random", 1)[1]


def kept(page):
    return {name: json.loads(value) for name, value in page.evaluate("({...localStorage})").items()}


@SCHEMES
def test_figures_are_veiled_until_all_their_questions_are_answered(look_at, scheme):
    page = look_at("predict", scheme=scheme).page
    one = page.get_by_text("the first figure")
    assert not one.is_visible()
    choice, number, curve = (page.locator(".il-predict").nth(i) for i in range(3))
    choice.get_by_role("button", name="Commit").click()
    assert "Choose an answer first" in choice.inner_text()
    choice.get_by_label("door").check()
    choice.get_by_role("button", name="Commit").click()
    assert "You chose “door”. 51 go both ways." in choice.get_by_role("status").inner_text()
    assert "door (your choice)" in choice.inner_text()
    assert not one.is_visible()
    number.get_by_role("slider").fill("40")
    number.get_by_role("button", name="Commit").click()
    assert one.is_visible()
    assert "You said 40 seeds. 21 of 64 do." in number.get_by_role("status").inner_text()
    assert {"you: 40", "the run: 21"} <= set(number.locator("svg text").all_text_contents())
    assert not page.get_by_text("the second figure").is_visible()
    curve.get_by_role("button", name="Just show me").click()
    assert page.get_by_text("the second figure").is_visible()
    assert curve.locator("path.il-run").count() == 1
    assert curve.locator("path.il-you").count() == 0
    answers = {"choice": 0, "number": 40, "curve": None}
    assert kept(page) == {f"innerlab/t/{name}": {"answer": answer} for name, answer in answers.items()}
    page.reload()
    assert one.is_visible()
    assert "You said 40 seeds" in number.get_by_role("status").inner_text()
    number.get_by_role("button", name="Take it back").click()
    assert not one.is_visible()
    assert "innerlab/t/number" not in kept(page)


def test_the_veil_itself_can_be_lifted(look_at):
    page = look_at("predict").page
    page.get_by_role("button", name="Show it without predicting").first.click()
    assert page.get_by_text("the first figure").is_visible()
    assert page.locator(".il-predict").nth(1).get_by_role("status").inner_text() == "21 of 64 do."


def test_a_figure_that_the_address_points_at_is_not_veiled(look_at):
    reader = look_at("predict")
    reader.page.goto(reader.page.url + "#fig-two")
    reader.page.reload()
    assert reader.page.get_by_text("the second figure").is_visible()
    assert not reader.page.get_by_text("the first figure").is_visible()


@pytest.mark.parametrize("how", ["keyboard", "pointer"])
def test_a_line_is_sketched(look_at, how):
    page = look_at("predict").page
    curve = page.locator(".il-predict").nth(2)
    if how == "keyboard":
        tab_to(page, ".il-handle")
        for keys in (["ArrowUp"] * 2, ["Home"], ["End", "ArrowDown"]):
            for key in keys:
                page.keyboard.press(key)
            page.keyboard.press("Tab")
        expected = [0.6, 0, 0.95]
        page.keyboard.press("Enter")
    else:
        curve.scroll_into_view_if_needed()
        box = curve.locator(".il-sketch svg").bounding_box()
        handles = [handle.bounding_box() for handle in curve.locator(".il-handle").all()]
        middle = handles[0]["y"] + handles[0]["height"] / 2
        page.mouse.move(box["x"] + 60, middle - 40)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] - 12, middle - 40, steps=12)
        page.mouse.up()
        values = [float(handle.get_attribute("aria-valuenow")) for handle in curve.locator(".il-handle").all()]
        assert len(set(values)) == 1
        assert 0.55 <= values[0] <= 0.75
        expected = values
        curve.get_by_role("button", name="Commit").click()
    assert kept(page)["innerlab/t/curve"]["answer"] == expected
    assert curve.locator("path.il-you").count() == curve.locator("path.il-run").count() == 1
    off = max(abs(a - b) for a, b in zip(expected, [0.6, 0.3, 0.1], strict=True))
    assert f"off by at most {off:.2f}" in curve.get_by_role("status").inner_text()


def test_a_question_is_answered_by_keyboard_alone(look_at):
    page = look_at("predict").page
    tab_to(page, ".il-predict input[type=radio]")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert kept(page)["innerlab/t/choice"] == {"answer": 1}
    assert page.evaluate("document.activeElement.getAttribute('role')") == "status"


def test_answers_last_as_long_as_the_page_where_storage_is_closed(look_at, folder):
    reader = look_at("predict")
    reader.context.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('closed', 'SecurityError'); }});"
    )
    reader.page.reload()
    number = reader.page.locator(".il-predict").nth(1)
    number.get_by_role("button", name="Commit").click()
    assert "You said 32 seeds" in number.get_by_role("status").inner_text()
    assert "keeps nothing" in number.get_by_role("status").inner_text()
    assert reader.complaints == []


def test_an_answer_to_an_older_question_counts_for_nothing(look_at):
    page = look_at("predict").page
    page.evaluate("localStorage.setItem('innerlab/t/number', JSON.stringify({answer: 'many'}))")
    page.reload()
    assert page.locator(".il-predict").nth(1).get_by_role("button", name="Commit").is_visible()


def test_without_scripts_there_is_a_picture_and_nothing_is_veiled(look_at, widgets):
    page = look_at(java_script_enabled=False).page
    assert page.get_by_role("img").count() == sum(not isinstance(widget, Predict) for widget in widgets.values())
    for image in page.get_by_role("img").all():
        assert len(image.get_attribute("aria-label").split()) > 8
    assert page.get_by_text("the first figure").is_visible()
    assert page.get_by_text("How many end at the key?").is_visible()


def test_on_paper_nothing_is_veiled_and_no_control_is_printed(look_at):
    page = look_at().page
    page.emulate_media(media="print")
    assert page.get_by_text("the first figure").is_visible()
    assert page.locator("button:visible, input:visible").count() == 0
    assert page.locator(".il-explore svg:visible").count() == 3


def test_a_broken_front_end_leaves_its_picture(look_at, folder, tmp_path, read_at):
    for name in ("once.html", "widgets.css", "icon.svg"):
        shutil.copy(folder / name, tmp_path)
    broken = scripts.page_script().replace("predict: $predict.render", 'predict: () => { throw new Error("broken"); }')
    (tmp_path / "widgets.js").write_text(broken, "utf8")
    reader = read_at("once", tmp_path.as_uri())
    assert reader.page.locator("[data-innerlab=predict]").count() == 3
    assert reader.page.get_by_text("How many end at the key?").is_visible()
    assert reader.page.locator(".il-explore").count() == 3
    assert len(reader.complaints) == 3


@pytest.mark.parametrize("answered", [False, True])
def test_all_are_accessible_and_fit_in_every_look(look_at, answered):
    reader = look_at()
    if answered:
        for button in reader.page.get_by_role("button", name="Just show me").all()[::-1]:
            button.click()
    for width, colors in ((360, "light"), (360, "dark"), (1280, "light"), (1280, "dark")):
        reader.look(width, colors)
        assert reader.page.evaluate("document.documentElement.scrollWidth") == width
        found = Axe().run(reader.page)
        assert found.violations_count == 0, f"{width} px, {colors}:\n{found.generate_report()}"


def ends_of(text, agent):
    """What torch says of an agent in a maze, as the page writes it."""
    world = from_text([text], reward=door_reward)
    none, door, red, other = outcome_probabilities(rounded(stored("red_doors/mazes")), world)[agent, 0].tolist()
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


def cells_of(box):
    """What each cell of the maze holds, in words."""
    labels = [cell.get_attribute("aria-label") for cell in box.get_by_role("gridcell").all()]
    return [re.search(r": ([\w' ]+)", label)[1] for label in labels]


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
    box.get_by_role("button", name="Let it walk").click()
    box.get_by_role("button", name="Stop").wait_for()
    expect(box.locator(".il-trail")).to_have_attribute("d", re.compile(r"(?:L[^L]*){3}"))
    box.get_by_role("button", name="Stop").click()
    assert box.get_by_role("button", name="Let it walk").is_visible()


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


def found_by(box):
    """What the table of a landscape says of each search: its best loss."""
    return {
        row.locator("th").inner_text(): float(row.locator("td").first.inner_text())
        for row in box.locator("tbody tr").all()
    }


def start_of(box):
    """The start, as the map's words have it."""
    return tuple(
        float(part) for part in re.search(r"from \((.+), (.+)\)", box.get_by_role("status").inner_text()).groups()
    )


@SCHEMES
def test_landscape_runs_on_every_landscape_with_every_budget(look_at, scheme):
    reader = look_at("landscape", scheme=scheme)
    box = reader.page.locator(".il-landscape")
    maps, results = set(), set()
    for at, name in enumerate(LANDSCAPES):
        box.get_by_label(name, exact=True).check()
        if at == 0:
            assert set(found_by(box).values()) == {float(f"{loss(name, [-3.5, 3.5], LOWEST):.3g}")}  # before a run
        for budget in (100, 300, 1000):
            box.get_by_label(str(budget), exact=True).check()
            box.get_by_role("button", name="Reset").click()
            assert f"after 1 of {budget} evaluations" in box.get_by_role("status").inner_text()
            box.get_by_role("button", name="Run").click()  # the reader has asked for less motion
            assert f"The {name} from (-3.5, 3.5) with seed 1" in box.get_by_role("status").inner_text()
            assert f"after {budget} of {budget} evaluations" in box.get_by_role("status").inner_text()
            assert box.get_by_role("button", name="Step").is_disabled()
            maps.add(box.locator("canvas").evaluate("canvas => canvas.toDataURL()"))
            results.add(str(found_by(box)))
            assert box.locator(".il-map .il-way").count() == 3
            assert box.locator(".il-chart .il-way").count() == 4
        if name == "terraces":
            assert found_by(box)["gradient descent"] == loss(name, [-3.5, 3.5], LOWEST)
        if name == "bowl":
            assert found_by(box)["gradient descent"] < 1e-6
    assert len(maps) == 4
    assert len(results) > 9  # on terraces nothing is lower than the lowest
    assert reader.complaints == []


def test_landscape_has_the_same_ways_again_with_the_same_seed(look_at):
    box = look_at("landscape").page.locator(".il-landscape")

    def ways():
        return [way.get_attribute("d") for way in box.locator(".il-map .il-way").all()]  # the third is gradient descent

    box.get_by_role("button", name="Run").click()
    first = ways()
    box.get_by_role("button", name="Another").click()
    assert box.get_by_label("Seed").input_value() == "2"
    second = ways()
    assert [old == new for old, new in zip(first, second, strict=True)] == [False, False, True]
    box.get_by_label("Seed").fill("1")
    box.get_by_label("Seed").press("Enter")
    assert ways() == first
    for nonsense in ("-4", "1e9", ""):
        box.get_by_label("Seed").fill(nonsense)
        box.get_by_label("Seed").press("Enter")
    assert box.get_by_label("Seed").input_value() == "1"
    assert ways() == first


@pytest.mark.parametrize("how", ["mouse", "touch"])
def test_a_start_is_put_on_the_landscape(look_at, how):
    page = look_at("landscape", has_touch=how == "touch").page
    box = page.locator(".il-landscape")
    place = box.locator(".il-map")
    place.scroll_into_view_if_needed()
    size = place.bounding_box()
    for across, up in ((2.5, 2.5), (-4, 1), (0, -4.5)):
        at = {"x": size["width"] * (across + 5) / 10, "y": size["height"] * (5 - up) / 10}
        place.tap(position=at) if how == "touch" else place.click(position=at)
        assert np.allclose(start_of(box), (across, up), atol=0.05)
        assert found_by(box)["hill climbing"] == pytest.approx(loss("valley", start_of(box), LOWEST), rel=0.01)


def test_landscape_by_keyboard_alone(look_at):
    page = look_at("landscape").page
    box = page.locator(".il-landscape")
    tab_to(page, ".il-map", 200)
    for key in ("ArrowRight", "ArrowDown", "Shift+ArrowLeft", "Shift+ArrowUp"):
        page.keyboard.press(key)
    assert start_of(box) == (-3.1, 3.1)
    for _ in range(20):
        page.keyboard.press("ArrowUp")
    assert start_of(box) == (-3.1, 5)
    tab_to(page, ".il-landscape .il-main")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert "after 10 of 1000" in box.get_by_role("status").inner_text()
    page.keyboard.press("Space")
    assert "after 20 of 1000" in box.get_by_role("status").inner_text()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    assert "after 1000 of 1000" in box.get_by_role("status").inner_text()


def stop_when_drawn(box, path, lines):
    """Press Stop as soon as a running path has so many lines: within the page, where no run ends while we ask."""
    box.evaluate(
        """(box, [path, lines]) => new Promise((done, fail) => {
            const drawn = () => box.querySelector(path).getAttribute("d").split("L").length - 1;
            const looking = setInterval(() => {
                if (drawn() < lines) return;
                clearInterval(looking);
                [...box.querySelectorAll("button")].find(button => button.textContent === "Stop").click();
                done();
            }, 1);
            setTimeout(() => fail(new Error(`only ${drawn()} lines were drawn`)), 60000);
        })""",
        [path, lines],
    )


def test_landscape_runs_step_by_step_and_stops(look_at):
    reader = look_at("landscape")
    box = reader.page.locator(".il-landscape")
    reader.page.emulate_media(reduced_motion="no-preference")
    box.get_by_role("button", name="Run").click()
    stop_when_drawn(box, ".il-map .il-way-1", 20)
    length = len(box.locator(".il-map .il-way-1").get_attribute("d"))
    reader.page.wait_for_timeout(200)
    assert len(box.locator(".il-map .il-way-1").get_attribute("d")) == length
    box.get_by_role("button", name="Run").click()
    box.get_by_text("after 1000 of 1000").wait_for()
    assert box.get_by_role("button", name="Run").is_visible()


def ends_here(box):
    """What the page says of every robot: whether it arrives, and what it expanded."""
    ends = {}
    for card in box.locator(".il-card").all():
        expanded = re.search(r"(\d+) cells? expanded", card.inner_text())[1]
        ends[card.get_attribute("aria-label")] = ("arrives" in card.inner_text(), int(expanded))
    return ends


def planners_end(maze):
    cells = walk(planner, maze, 60)
    return True, sum(breadth_first(maze, cell).expansions for cell in cells[:-1])


@SCHEMES
def test_robots_walk_in_every_maze_with_both_kinds_of_buttons(look_at, scheme):
    reader = look_at("three_robots", scheme=scheme)
    box = reader.page.locator(".il-robots")
    for which, maze in enumerate(ERRANDS):
        box.get_by_role("combobox").select_option(str(which))
        for label, buttons in (("as labeled", AS_LABELED), ("reversed", REVERSED)):
            box.get_by_label(label, exact=True).check()
            ends = ends_here(box)
            assert ends["planner"] == planners_end(replace(maze, buttons=buttons))
            assert ends["table"][1] == ends["rule"][1] == ends["full table"][1] == 0
            assert ends["full table"][0] or which == 2
            if buttons == AS_LABELED:
                assert ends["stale planner"] == ends["planner"]
                assert ends["table"][0] or which == 2
            else:
                assert not ends["stale planner"][0]
                assert ends["stale planner"][1] > 0
    assert "Arrive within twice that: " in box.get_by_role("status").inner_text()
    assert reader.complaints == []


def test_robots_maze_takes_walls_targets_and_starts(look_at):
    box = look_at("three_robots").page.locator(".il-robots")
    maze = ERRANDS[0]
    cell = next(c for c in maze.open_cells if c not in (maze.start, maze.target))

    def press(at):
        box.get_by_role("gridcell").nth(at).click()

    for what in ("wall", "floor"):
        box.get_by_label(what, exact=True).check()
        press(cell)
        assert cells_of(box)[cell] == what
    press(maze.start)
    assert "keep their cells" in box.get_by_role("status").inner_text()
    box.get_by_label("target", exact=True).check()
    press(cell)
    assert [cells_of(box)[at] for at in (cell, maze.target)] == ["target", "floor"]
    box.get_by_label("start", exact=True).check()
    press(maze.target)
    assert [cells_of(box)[at] for at in (maze.target, maze.start)] == ["start", "floor"]
    assert ends_here(box)["planner"] == planners_end(replace(maze, start=maze.target, target=cell))
    press(int(np.flatnonzero(maze.wall)[0]))
    assert "There is a wall" in box.get_by_role("status").inner_text()
    box.get_by_role("button", name="As it was").click()
    assert cells_of(box)[maze.start] == "start"
    assert ends_here(box)["planner"] == planners_end(maze)


def test_robots_are_told_apart_by_keyboard_alone_and_another_maze_is_no_answer(look_at):
    page = look_at("three_robots").page
    box = page.locator(".il-robots")
    box.get_by_role("combobox").select_option("2")
    assert "✓" not in box.locator(".il-challenges").inner_text()  # the table fails there, but nothing was changed
    box.get_by_role("combobox").select_option("0")
    maze = ERRANDS[0]
    way = walk(planner, maze, 60)
    closed = next(c for c in way[1:-1] if breadth_first(with_wall(maze, c), maze.start).buttons)
    tab_to(page, ".il-robots [role=gridcell]", 200)
    at = page.evaluate("Number(document.activeElement.dataset.cell)")
    for key, steps in (("ArrowDown", closed // 7 - at // 7), ("ArrowRight", closed % 7 - at % 7)):
        for _ in range(abs(steps)):
            page.keyboard.press(key if steps > 0 else {"ArrowDown": "ArrowUp", "ArrowRight": "ArrowLeft"}[key])
    page.keyboard.press("Space")
    assert cells_of(box)[closed] == "wall"
    assert ends_here(box)["planner"] == planners_end(with_wall(maze, closed))
    assert not ends_here(box)["table"][0]
    assert "✓The table fails. Done." in box.locator(".il-challenges").inner_text()
    assert "Done: The table fails." in box.get_by_role("status").inner_text()
    assert "○All fail." in box.locator(".il-challenges").inner_text()


def with_wall(maze, cell):
    wall = maze.wall.copy()
    wall[cell] = True
    return replace(maze, wall=wall)


def test_robots_stay_where_no_way_leads(look_at):
    box = look_at("three_robots").page.locator(".il-robots")
    maze = ERRANDS[0]
    for there in set(maze.next_cell[maze.target]) - {maze.target}:
        box.get_by_role("gridcell").nth(there).click()
    assert box.get_by_role("status").inner_text() == "No way leads to the target."
    assert box.get_by_text("no way leads there").count() == 5
    assert "✓" not in box.locator(".il-challenges").inner_text()


def points_of(box):
    """The points in the plane, as the page tells them: input, true label and, where it can be moved, proxy."""
    points = {}
    for mark in box.get_by_role("slider").all():
        name, text = mark.get_attribute("aria-label"), mark.get_attribute("aria-valuetext")
        x, label = (float(number) for number in re.search(r"input (\S+), [a-z ]+ (\S+)", text).groups())
        points.setdefault(int(re.search(r"Point (\d+)", name)[1]), [x]).append(label)
        assert x == points[int(re.search(r"Point (\d+)", name)[1])][0]
    return [points[which] for which in sorted(points)]


def slopes_of(box):
    """What the table says of every line."""
    return {
        row.locator("th").inner_text(): float(row.locator("td").inner_text())
        for row in box.locator(".il-found").first.locator("tbody tr").all()
    }


def lines_through(layers, points):
    """The slopes that torch gives."""
    x, y = torch.tensor(points)[None, None].split([1, len(points[0]) - 1], -1)
    prompts = Prompts(x, y, torch.ones(1, 1, 1), torch.zeros(1, 1, y.shape[-1]))
    return layers.predict(prompts)[:, 0].numpy()


def assert_lines(box, layers):
    """The page's slopes are torch's and NumPy's, for the points that it tells."""
    points = points_of(box)
    found, theirs = slopes_of(box), lines_through(layers, points)
    x, *labels = np.transpose(points)
    steps = [0.8 * float(np.mean(x * label)) for label in labels]
    expected = {f"{layers.networks} layers, median": np.median(theirs), "lowest": theirs.min(), "highest": theirs.max()}
    if len(labels) == 2:
        expected |= {"step on intended": steps[0], "step on proxies": steps[1]}
    else:
        expected |= {"one step": steps[0], "least squares": float(x @ labels[0] / (x @ x))}
    assert found == pytest.approx(expected, abs=0.0051)
    return found


@SCHEMES
def test_in_context_draws_the_lines_of_every_condition(look_at, scheme):
    reader = look_at("in_context", scheme=scheme)
    box = reader.page.locator(".il-in-context")
    assert_lines(box, attention(1))
    assert not box.get_by_label("noise of 1").is_visible()
    box.get_by_label("two: intended and proxy").check()
    box.get_by_label("decoupled").check()
    drawn = set()
    for i, (name, task) in enumerate(SENSORS.items()):
        box.get_by_label(name, exact=True).check()
        layers = attention(2, 5 + i)
        assert_lines(box, layers)
        weights = layers.weights().numpy()
        table = box.locator(".il-found").nth(1).locator("tbody tr")
        rows = [row.locator("td").all_inner_texts() for row in table.all()]
        expected = [np.median(weights, 0), np.min(weights, 0), np.max(weights, 0)]
        np.testing.assert_allclose(np.array(rows[:3], float), expected, atol=0.0051)
        if i == 0:
            assert rows[3] == ["open", "open"]
            assert "fixes only their sum, 0.80" in box.get_by_role("img").get_attribute("aria-label")
        else:
            law = objective_weights(1, 8, task.noise_true, task.noise_proxy, task.decoupled)
            np.testing.assert_allclose(np.array(rows[3], float), law, atol=0.0051)
        assert box.locator(".il-layer").count() == 5 + i
        drawn.add(box.locator(".il-median").first.get_attribute("d") + box.locator(".il-law").get_attribute("d"))
    assert len(drawn) == 3
    assert reader.complaints == []


@pytest.mark.parametrize("how", ["mouse", "touch"])
def test_points_are_dragged(look_at, how):
    page = look_at("in_context", has_touch=how == "touch").page
    box = page.locator(".il-in-context")
    before = points_of(box)
    drag(page, box.get_by_role("slider", name="Point 3"), 40, -60, how)
    after = points_of(box)
    assert [old == new for old, new in zip(before, after, strict=True)] == [which != 2 for which in range(8)]
    assert after[2][0] > before[2][0] + 0.3
    assert after[2][1] > before[2][1] + 1
    assert f"Point 3 at {after[2][0]:g}: label {after[2][1]:g}." in box.get_by_role("status").inner_text()
    assert_lines(box, attention(1))
    drag(page, box.get_by_role("slider", name="Point 3"), 2000, -2000, how)
    assert points_of(box)[2] == [2.5, 4]
    assert box.locator(".il-chosen").count() == 1


def drag(page, mark, right, down, how):
    """Drag a mark by so many pixels."""
    mark.scroll_into_view_if_needed()
    place = mark.bounding_box()
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    if how == "mouse":
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + right / 2, y + down / 2)
        page.mouse.move(x + right, y + down)
        page.mouse.up()
        return
    touch = page.context.new_cdp_session(page)
    for kind, share in (("touchStart", 0), ("touchMove", 0.5), ("touchMove", 1)):
        points = [{"x": x + share * right, "y": y + share * down}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_timeout(100)


def test_labels_are_pulled_apart(look_at):
    page = look_at("in_context").page
    box = page.locator(".il-in-context")
    box.get_by_label("two: intended and proxy").check()
    first = box.get_by_role("slider", name="Point 1, intended label")
    assert box.get_by_role("slider").count() == 8
    label = float(first.get_attribute("aria-valuenow"))
    drag(page, first, 0, -50, "mouse")  # the proxy comes along
    both = [mark.get_attribute("transform") for mark in box.locator('[data-mark^="0 "]').all()]
    assert len(set(both)) == 1
    assert float(first.get_attribute("aria-valuenow")) > label + 0.5
    box.get_by_label("decoupled").check()
    assert box.get_by_role("slider").count() == 16
    assert all(proxy == -label for _, label, proxy in points_of(box))
    before = points_of(box)
    drag(page, box.get_by_role("slider", name="Point 1, proxy"), 0, 30, "mouse")
    after = points_of(box)
    assert after[0][1] == before[0][1]
    assert after[0][2] < before[0][2] - 0.3
    assert after[1:] == before[1:]
    assert_lines(box, attention(2))
    box.get_by_label("move with the intended ones").check()
    assert box.get_by_role("slider").count() == 8
    assert [point[:2] for point in points_of(box)] == [point[:2] for point in after]


def test_points_come_and_go_and_tasks_are_drawn(look_at):
    box = look_at("in_context").page.locator(".il-in-context")
    first = points_of(box)
    press = {name: box.get_by_role("button", name=name) for name in ("New task", "Add a point", "Remove", "Reset")}
    seen = []
    for _ in range(3):
        press["New task"].click()
        seen.append(points_of(box))
        assert_lines(box, attention(1))
        assert slopes_of(box)["least squares"] == pytest.approx(seen[-1][0][1] / seen[-1][0][0], abs=0.2)  # no noise
    assert len({str(points) for points in [first, *seen]}) == 4
    for count in range(9, 17):
        press["Add a point"].click()
        assert len(points_of(box)) == count
        assert f"Point {count} is new." in box.get_by_role("status").inner_text()
        assert "trained on 8 points" in box.get_by_role("status").inner_text()
    assert press["Add a point"].is_disabled()
    assert_lines(box, attention(1))
    box.get_by_role("slider", name="Point 2", exact=True).focus()
    kept = points_of(box)
    box.get_by_role("button", name="Remove point 2").click()
    assert points_of(box) == kept[:1] + kept[2:]
    for _ in points_of(box)[1:]:
        press["Remove"].click()
    assert press["Remove"].is_disabled()
    assert len(points_of(box)) == 1
    assert_lines(box, attention(1))
    press["Reset"].click()
    assert points_of(box) == first


def test_in_context_by_keyboard_alone(look_at):
    page = look_at("in_context").page
    box = page.locator(".il-in-context")
    tab_to(page, ".il-in-context [role=slider]", 300)
    page.keyboard.press("Tab")
    before = points_of(box)
    for key in ("ArrowRight", "ArrowUp", "ArrowUp", "Shift+ArrowLeft", "Shift+ArrowDown"):
        page.keyboard.press(key)
    after = points_of(box)
    assert after[1] == pytest.approx([before[1][0] + 0.2, before[1][1] + 0.45], abs=1e-6)
    assert f"Point 2 at {after[1][0]:g}" in box.get_by_role("status").inner_text()
    tab_to(page, ".il-in-context input[type=radio]")
    page.keyboard.press("ArrowDown")
    assert box.get_by_role("img").is_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    assert "6 layers, median" in slopes_of(box)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    assert box.get_by_role("slider").count() == 16
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert points_of(box) != after
    assert_lines(box, attention(2, 6))


PLANE = {
    "discount": "Discount", "threat": "Threat", "train": "Training episodes", "deploy": "Deployment episodes",
    "stake": "Stake:", "mistaken": "Mistaken", "hazard": "Hazard", "share": "Share", "accuracy": "Accuracy",
}  # fmt: skip


def slider_of(box, name):
    return box.get_by_role("slider", name=PLANE[name])


def set_on(box, name, value):
    slider_of(box, name).fill(str(VALUES[name].index(value)))


def slid(box, name):
    """What is shown at every position of a slider, which then goes back: acts of either kind, and words."""
    shown = slider_of(box, name).evaluate("""slider => {
        const [box, before] = [slider.closest(".il-plane"), slider.value];
        const put = value => { slider.value = value; slider.dispatchEvent(new Event("input", {bubbles: true})); };
        const count = act => box.querySelectorAll(".il-chart .il-" + act).length;
        const shown = Array.from({length: Number(slider.max) + 1}, (_, i) => {
            put(i);
            return [count("comply"), count("defect"), box.querySelector("[role=status]").textContent];
        });
        put(before);
        return shown;
    }""")
    assert len({str(one) for one in shown}) > 1, name
    return shown


def acts_of(box):
    """How many episodes are drawn as complied and defected, in training and deployment together."""
    return box.locator(".il-chart .il-comply").count(), box.locator(".il-chart .il-defect").count()


@SCHEMES
def test_plane_decides_as_python_does_at_every_position_of_every_slider(look_at, scheme):
    reader = look_at("deception_plane", scheme=scheme)
    box = reader.page.locator(".il-plane")
    names = ("train", "deploy", "discount", "threat", "mistaken", "hazard", "stake")
    for name in names:
        for value, (complies, defects, _) in zip(VALUES[name], slid(box, name), strict=True):
            setting = START | {name: value}
            complied = compliance_episodes(*(setting[which] for which in names))
            assert (complies, defects) == (complied, setting["train"] + setting["deploy"] - complied), setting
    ring, edge = box.locator(".il-ring"), box.locator(".il-edge").first
    before = ring.get_attribute("cx"), ring.get_attribute("cy"), edge.get_attribute("d")
    for name, changed in (("discount", 0), ("threat", 1), ("stake", 2)):
        set_on(box, name, VALUES[name][0])
        after = ring.get_attribute("cx"), ring.get_attribute("cy"), edge.get_attribute("d")
        assert [old != new for old, new in zip(before, after, strict=True)] == [i == changed for i in range(3)]
        set_on(box, name, START[name])
    assert reader.complaints == []


def test_plane_where_training_never_ends(look_at):
    box = look_at("deception_plane").page.locator(".il-plane")
    box.get_by_label("never ends").check()
    assert not box.get_by_label("Hazard").is_visible()
    for name in ("share", "accuracy", "discount", "threat"):
        shown = slid(box, name)
        for value, (complied, defected, says) in zip(VALUES[name], shown, strict=True):
            setting = START | {name: value}
            complies = complies_on_cue(*(setting[which] for which in ("share", "accuracy", "discount", "threat")))
            assert says.startswith(f"When the cue says training it {'complies' if complies else 'defects'},")
            assert (complied > 0) == complies
            assert complied + defected == 30
        assert len({says for *_, says in shown}) > 1


def test_plane_begins_with_presets_and_takes_clicks_on_its_map(look_at):
    page = look_at("deception_plane").page
    box = page.locator(".il-plane")
    presets = box.get_by_role("combobox")
    assert "In training it complies in every episode." in box.get_by_role("status").inner_text()
    presets.select_option("1")
    assert "In training it defects in every episode." in box.get_by_role("status").inner_text()
    assert slider_of(box, "threat").input_value() == "0"
    presets.select_option("2")
    assert box.get_by_label("never ends").is_checked()
    presets.select_option("0")
    box.locator(".il-phases svg").scroll_into_view_if_needed()
    area = box.locator(".il-phases svg").bounding_box()
    box.locator(".il-phases svg").click(position={"x": area["width"] * 0.7, "y": area["height"] * 0.3})
    ring = box.locator(".il-ring").bounding_box()
    assert abs(ring["x"] + ring["width"] / 2 - area["x"] - 0.7 * area["width"]) < 12
    assert abs(ring["y"] + ring["height"] / 2 - area["y"] - 0.3 * area["height"]) < 12
    assert presets.input_value() == ""
    assert slider_of(box, "discount").input_value() != str(VALUES["discount"].index(START["discount"]))


def test_plane_by_keyboard_alone(look_at):
    page = look_at("deception_plane").page
    box = page.locator(".il-plane")
    tab_to(page, ".il-plane select", 300)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")  # to the discount
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    complied = compliance_episodes(20, 40, 0.75, 0.2)
    assert acts_of(box) == (complied, 60 - complied)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowDown")
    assert "When the cue says training it defects" in box.get_by_role("status").inner_text()


def told_by(box):
    """The table of the flow: at the start and now, each number, or None where there is none."""
    return {
        row.locator("th").inner_text(): [
            None if text == "–" else float(text) for text in row.locator("td").all_inner_texts()
        ]
        for row in box.locator("tbody tr").all()
    }


@functools.cache
def descended(start, steps, kappa, ratio, capped):
    """Where Python's gradient descent arrives."""
    theta, lam = descend(training_loss(kappa, capped), [start[0]], [start[1]], [steps], 0.04, ratio)
    return theta.item(), lam.item()


def assert_descends(box, start, steps, kappa=1.0, ratio=1.0, capped=False):
    """The table has Python's numbers, and the words say what follows from them."""
    told = told_by(box)
    for at, (theta, lam) in ((0, start), (1, descended(start, steps, kappa, ratio, capped))):
        regret = (1 - np.exp(theta) if capped else -theta) if theta < 0 else 0
        logit = theta + lam * kappa * regret
        numbers = [told[name][at] for name in ("θ", "λ", "logit in training", "logit in deployment")]
        assert numbers == pytest.approx([theta, lam, logit, theta], abs=0.0051)
        if capped or theta > 0:
            assert told["conserved"][at] is None
        else:
            assert told["conserved"][at] == pytest.approx((lam - 1 / kappa) ** 2 / ratio - theta**2, abs=0.0051)
    kind = "openly misaligned" if logit < 0 else "deceptive" if theta < 0 else "aligned"
    says = box.get_by_role("status").inner_text()
    assert says.startswith(f"After {steps} steps from θ = {start[0]:g} and λ = {start[1]:g} it ")
    assert f": {kind}." in says
    assert box.locator(f".il-end-{kind.split()[0]}").count() == int(steps > 0)
    return kind


@SCHEMES
def test_flow_goes_where_python_goes_in_every_setting(look_at, scheme):
    reader = look_at("flow", scheme=scheme)
    box = reader.page.locator(".il-flow")
    lines, ends = set(), []
    assert assert_descends(box, (-1, 0.3), 0) == "openly misaligned"
    box.get_by_role("button", name="Run").click()  # the reader has asked for less motion
    for kappa in (1, 2):
        box.get_by_role("group", name="κ").get_by_label(str(kappa), exact=True).check()
        for ratio in (1, 0.1, 4):
            box.get_by_role("group", name="r:").get_by_label(str(ratio), exact=True).check()
            for capped, label in ((False, "as much as it is wrong"), (True, "at most 1")):
                box.get_by_label(label).check()
                ends.append(assert_descends(box, (-1, 0.3), 2500, kappa, ratio, capped))
                lines.add(box.locator(".il-path").get_attribute("d") + box.locator(".il-parts").get_attribute("d"))
    assert len(lines) == 12
    assert set(ends) == {"aligned", "deceptive"}
    assert reader.complaints == []


@pytest.mark.parametrize("how", ["mouse", "touch"])
def test_flow_runs_from_where_one_points(look_at, how):
    page = look_at("flow", has_touch=how == "touch").page
    box = page.locator(".il-flow")
    place = box.locator(".il-flow-map")
    place.scroll_into_view_if_needed()
    size = place.locator("svg").bounding_box()
    seen = set()
    for across, down in ((0.3, 0.5), (0.55, 0.7), (0.85, 0.4)):
        at = {"x": size["width"] * across, "y": size["height"] * down}
        place.tap(position=at) if how == "touch" else place.click(position=at)
        start = tuple(told_by(box)[name][0] for name in ("θ", "λ"))
        triangle = box.locator(".il-agent").bounding_box()
        assert abs(triangle["x"] + triangle["width"] / 2 - place.bounding_box()["x"] - at["x"]) < 6
        seen.add((start, assert_descends(box, start, 2500)))
    assert len({start for start, _ in seen}) == 3
    assert {kind for _, kind in seen} == {"aligned", "deceptive"}


def test_flow_by_keyboard_alone(look_at):
    page = look_at().page
    box = page.locator(".il-flow")
    tab_to(page, ".il-flow-map", 300)
    for key in ("ArrowRight", "ArrowDown", "Shift+ArrowRight", "Shift+ArrowUp"):
        page.keyboard.press(key)
    assert_descends(box, (-0.88, 0.22), 0)
    page.keyboard.press("Enter")
    assert_descends(box, (-0.88, 0.22), 2500)
    for _ in range(30):
        page.keyboard.press("ArrowLeft")
    assert_descends(box, (-2, 0.22), 2500)
    tab_to(page, ".il-flow .il-main")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # a step is out of reach at the end, so this is Reset
    assert_descends(box, (-2, 0.22), 0)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Space")
    assert_descends(box, (-2, 0.22), 50)


def test_flow_is_watched_and_stopped(look_at):
    reader = look_at("flow")
    box = reader.page.locator(".il-flow")
    reader.page.emulate_media(reduced_motion="no-preference")
    box.get_by_role("button", name="Run").click()
    stop_when_drawn(box, ".il-path", 5)
    stopped = box.get_by_role("status").inner_text()
    steps = int(re.search(r"After (\d+) steps", stopped)[1])
    assert 0 < steps < 2500
    assert_descends(box, (-1, 0.3), steps)
    reader.page.wait_for_timeout(200)
    assert box.get_by_role("status").inner_text() == stopped
    box.get_by_role("button", name="Run").click()
    box.get_by_text("After 2500 steps").wait_for()
    assert box.get_by_role("button", name="Run").is_visible()


def test_front_ends_weigh_little(folder):
    import gzip

    sizes = [len(gzip.compress((folder / name).read_bytes())) for name in ("widgets.js", "widgets.css")]
    assert sum(sizes) < 40_000  # nine widgets


def test_pages_without_widgets_load_none_of_it(site, pages):
    sources = {page: (site / f"{page}.html").read_text("utf8") for page in pages}
    with_widgets = {
        page for page, source in sources.items() if BeautifulSoup(source, "html.parser").select("[data-innerlab]")
    }
    assert with_widgets, "no page of the book has a widget"
    assert {page for page, source in sources.items() if "widgets.js" in source} == with_widgets
