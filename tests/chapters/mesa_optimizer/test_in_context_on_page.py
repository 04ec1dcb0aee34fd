"""Attention layers on a page: the lines that they draw through points moved by hand are torch's."""

import re

import numpy as np
import pytest
import torch
from reader import after
from widget_pages import SCHEMES, attributes, rows_of, tab_to

from innerlab.chapters.mesa_optimizer.closed_forms import objective_weights
from innerlab.chapters.mesa_optimizer.in_context import InContext
from innerlab.chapters.mesa_optimizer.linear_attention import LinearAttention
from innerlab.chapters.mesa_optimizer.tasks import InContextRegression, Prompts, TwoChannels

pytestmark = pytest.mark.xdist_group("site")

SENSORS = {
    "no noise": TwoChannels(1, 8),
    "noise of 1": TwoChannels(1, 8, 1.0),
    "a blend": TwoChannels(1, 8, 2.0, 0.0, 0.1),
}


def attention(channels, networks=5):
    """Layers as they are before training, but larger."""
    with torch.no_grad():
        return LinearAttention(range(networks), 1, channels, init_std=0.7).layers()


def made():
    """Layers that were not trained, in three conditions that differ in their law."""
    plane = InContext(
        InContextRegression(1, 8),
        attention(1),
        {name: (task, attention(2, 5 + i)) for i, (name, task) in enumerate(SENSORS.items())},
        alt="A plane with eight points to drag, and the lines that layers of attention draw.",
    )
    return {"in context": plane}


def points_of(box):
    """The points in the plane, as the page tells them: input, true label and, where it can be moved, proxy."""
    points = {}
    marks = box.get_by_role("slider")
    for name, text in zip(attributes(marks, "aria-label"), attributes(marks, "aria-valuetext"), strict=True):
        x, label = (float(number) for number in re.search(r"input (\S+), [a-z ]+ (\S+)", text).groups())
        points.setdefault(int(re.search(r"Point (\d+)", name)[1]), [x]).append(label)
        assert x == points[int(re.search(r"Point (\d+)", name)[1])][0]
    return [points[which] for which in sorted(points)]


def slopes_of(box):
    """What the table says of every line."""
    return {name: float(slope) for name, slope in rows_of(box.locator(".il-found").first.locator("tbody tr"))}


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
        rows = [numbers for _, *numbers in rows_of(table)]
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
    after(page, 100)


def test_labels_are_pulled_apart(look_at):
    page = look_at("in_context").page
    box = page.locator(".il-in-context")
    box.get_by_label("two: intended and proxy").check()
    first = box.get_by_role("slider", name="Point 1, intended label")
    assert box.get_by_role("slider").count() == 8
    label = float(first.get_attribute("aria-valuenow"))
    drag(page, first, 0, -50, "mouse")  # the proxy comes along
    both = attributes(box.locator('[data-mark^="0 "]'), "transform")
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
