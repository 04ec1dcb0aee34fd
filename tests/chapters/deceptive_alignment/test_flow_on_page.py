"""The flow on a page: gradient descent goes from any start, in any setting, where Python's goes."""

import functools
import re

import numpy as np
import pytest
from playwright.sync_api import expect
from reader import after
from widget_pages import SCHEMES, rows_of, stop_when_drawn, tab_to

from innerlab.chapters.deceptive_alignment.flow import Flow, training_loss
from innerlab.systems.training_aware_planner import descend

pytestmark = pytest.mark.xdist_group("site")


def made():
    """A plane to start from."""
    return {"flow": Flow(alt="A plane of two numbers, and the path that gradient descent takes from a start.")}


def told_by(box):
    """The table of the flow: at the start and now, each number, or None where there is none."""
    return {
        name: [None if text == "–" else float(text) for text in numbers]
        for name, *numbers in rows_of(box.locator("tbody tr"))
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
    stop_when_drawn(box, "Run", ".il-path", 5)
    stopped = box.get_by_role("status").inner_text()
    steps = int(re.search(r"After (\d+) steps", stopped)[1])
    assert 0 < steps < 2500
    assert_descends(box, (-1, 0.3), steps)
    after(reader.page, 200)
    assert box.get_by_role("status").inner_text() == stopped
    box.get_by_role("button", name="Run").click()
    box.get_by_text("After 2500 steps").wait_for()
    expect(box.get_by_role("button", name="Run")).to_be_visible()
