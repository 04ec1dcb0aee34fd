"""Widgets in a real JupyterLab: each answers there as on the page, and what changes reaches Python."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from reader import wait_for

pytestmark = pytest.mark.xdist_group("site")

# Each widget of this notebook writes down what it hears from the page, one line a change.
CELLS = [
    """
    import json
    import numpy as np
    from innerlab.widgets.explore import Explore
    from innerlab.widgets.predict import Predict

    def follow(name, widget, *traits):
        def heard(change):
            with open("heard.jsonl", "a") as log:
                print(json.dumps([name, change.name, change.new]), file=log)
        widget.observe(heard, list(traits))
        return widget

    def shares(feature, factor):
        parts = np.full((8, 2), factor / 4)
        return parts, f"{feature} at {factor:g}."

    follow("number", Predict.number("lab/number", "How many?", 21, "21 do.", high=64), "answer", "revealed")
    """,
    """
    follow("explore", Explore(shares, {"feature": ["color", "shape"], "factor": [0, 1, 2]}, draw="columns",
                              alt="Columns of eight agents at every position of two settings."), "position", "live")
    """,
    """
    import torch
    from innerlab.ensembles.policies import ScentPolicies
    from innerlab.chapters.pseudo_alignment.maze_bench import MazeBench

    follow("bench", MazeBench(ScentPolicies(range(4)), {"a room": "A . bD\\n. . .\\nrK . yO"}, torch.full((4, 4), 0.25),
                              alt="A small room to paint and four agents in it."), "maze", "agent")
    """,
    """
    from innerlab.chapters.optimizer.landscape import Landscape

    follow("landscape", Landscape([1.7, -2.2], alt="A map of a landscape and four searches on it."),
           "start", "landscape")
    """,
    """
    from innerlab.systems.mazes import draw_mazes, first_moves
    from innerlab.chapters.optimizer.three_robots import ThreeRobots

    maze = draw_mazes(1, size=5, holes=2, seed=1)[0]
    follow("robots", ThreeRobots({"one": maze}, {}, [maze], first_moves(torch.tensor([maze.next_cell])),
                                 alt="A small maze to change and five robots in it."), "maze", "reversed")
    """,
    """
    from innerlab.chapters.mesa_optimizer.linear_attention import step_layers
    from innerlab.chapters.mesa_optimizer.tasks import InContextRegression, TwoChannels
    from innerlab.chapters.mesa_optimizer.in_context import InContext

    step = torch.full((3, 1, 1), 0.8)
    follow("context", InContext(InContextRegression(1, 8), step_layers(step),
                                {"noisy": (TwoChannels(1, 8, 1.0), step_layers(step, (0.0, 1.0)))},
                                alt="Points to drag and the lines that three layers draw."), "points", "two")
    """,
    """
    from innerlab.chapters.deceptive_alignment.deception_plane import DeceptionPlane

    follow("plane", DeceptionPlane({"one": {}}, alt="A map over discount and threat and a policy as a timeline."),
           "setting", "recurs")
    """,
    """
    from innerlab.chapters.deceptive_alignment.flow import Flow

    follow("flow", Flow(alt="A plane of two numbers and the path of gradient descent from a start."), "start", "ratio")
    """,
]


SETTING = ["plane", "setting"]


@pytest.fixture
def lab(tmp_path, jupyterlab):
    """A JupyterLab with a notebook open in a folder of its own: its address and the folder."""
    cells = [new_code_cell("\n".join(line[4:] for line in cell.strip("\n").split("\n"))) for cell in CELLS]
    for index, cell in enumerate(cells):
        cell.id = f"cell-{index}"
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=cells, metadata=kernel), tmp_path / "widgets.ipynb")
    return jupyterlab(tmp_path), tmp_path


def heard(folder):
    file = folder / "heard.jsonl"
    return [json.loads(line) for line in file.read_text("utf8").splitlines()] if file.is_file() else []


def test_widgets_answer_in_jupyterlab_and_python_hears_of_it(lab, open_notebook):
    address, folder = lab
    page = open_notebook(f"{address}/lab/tree/widgets.ipynb")
    number = page.locator(".il-predict")
    for _ in range(30):  # what is run before the kernel is connected may be lost
        page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.click()
        page.keyboard.press("Shift+Enter")
        if wait_for(page, lambda: number.count() == 1, 10):
            break
    for _ in CELLS[1:]:
        page.keyboard.press("Shift+Enter")
    number.wait_for()
    number.get_by_role("slider").fill("40")
    number.get_by_role("button", name="Commit").click()
    assert "You said 40. 21 do." in number.get_by_role("status").inner_text()
    assert wait_for(page, lambda: ["number", "answer", 40] in heard(folder)), heard(folder)
    assert wait_for(page, lambda: ["number", "revealed", True] in heard(folder)), heard(folder)

    explore = page.locator(".il-explore")
    explore.get_by_label("shape").check()
    explore.get_by_role("slider").fill("2")
    assert wait_for(page, lambda: ["explore", "position", [1, 2]] in heard(folder)), heard(folder)
    assert wait_for(page, lambda: any(name == "live" and new["position"] == [1, 2] for _, name, new in heard(folder)))
    assert explore.get_by_role("status").inner_text().startswith("shape at 2")

    bench = page.locator(".il-bench")
    bench.get_by_role("slider").fill("2")
    bench.get_by_label("wall").check()
    bench.get_by_role("gridcell").nth(4).click()
    assert wait_for(page, lambda: ["bench", "agent", 2] in heard(folder)), heard(folder)
    assert wait_for(page, lambda: ["bench", "maze", "A  .  bD\n.  #  .\nrK .  yO"] in heard(folder)), heard(folder)

    landscape = page.locator(".il-landscape")
    landscape.get_by_label("bowl").check()
    landscape.locator(".il-map").press("ArrowRight")
    landscape.get_by_role("button", name="Run").click()
    assert (
        "The bowl from (-3, 3.5) with seed 1. Bits after 1000 of 1000" in landscape.get_by_role("status").inner_text()
    )
    assert wait_for(page, lambda: ["landscape", "start", [-3, 3.5]] in heard(folder)), heard(folder)
    assert wait_for(page, lambda: ["landscape", "landscape", 0] in heard(folder)), heard(folder)

    robots = page.locator(".il-robots")
    robots.get_by_label("reversed").check()
    robots.get_by_label("wall", exact=True).check()
    robots.get_by_role("gridcell", name=": floor").first.click()
    assert wait_for(page, lambda: ["robots", "reversed", True] in heard(folder)), heard(folder)
    assert wait_for(page, lambda: any(name == "robots" and trait == "maze" for name, trait, _ in heard(folder)))
    assert robots.locator(".il-card").count() == 5

    points = page.locator(".il-in-context")
    points.get_by_role("slider").first.press("ArrowUp")
    points.get_by_label("two: intended and proxy").check()
    assert wait_for(page, lambda: ["context", "two", True] in heard(folder)), heard(folder)
    assert wait_for(page, lambda: any(name == "context" and trait == "points" for name, trait, _ in heard(folder)))
    assert "follow the proxy" in points.get_by_role("status").inner_text()

    plane = page.locator(".il-plane")
    plane.get_by_role("slider", name="Threat").fill("0")
    plane.get_by_label("never ends").check()
    assert wait_for(page, lambda: ["plane", "recurs", True] in heard(folder)), heard(folder)
    assert wait_for(page, lambda: 0 in [new["threat"] for *which, new in heard(folder) if which == SETTING])
    assert "When the cue says training it defects" in plane.get_by_role("status").inner_text()

    flow = page.locator(".il-flow")
    flow.locator(".il-flow-map").press("ArrowRight")
    flow.get_by_label("0.1", exact=True).check()
    flow.get_by_role("button", name="Run").click()
    assert "After 2500 steps from θ = -0.9 and λ = 0.3" in flow.get_by_role("status").inner_text()
    assert wait_for(page, lambda: ["flow", "ratio", 0.1] in heard(folder)), heard(folder)
    assert wait_for(page, lambda: ["flow", "start", [-0.9, 0.3]] in heard(folder)), heard(folder)
    assert page.locator("[data-innerlab]").count() == 0  # the live form only
