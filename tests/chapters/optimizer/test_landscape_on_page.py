"""The landscape on a page: four searches from any start, by pointer, finger or keyboard, watched and stopped."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect
from reader import after
from widget_pages import SCHEMES, attributes, rows_of, stop_when_drawn, tab_to

from innerlab.chapters.optimizer.landscape import LANDSCAPES, Landscape, loss

pytestmark = pytest.mark.xdist_group("site")

LOWEST = [1.7, -2.2]


def made():
    """A map with four searches."""
    return {"landscape": Landscape(LOWEST, alt="A map of a landscape, and four searches that start where one clicks.")}


def found_by(box):
    """What the table of a landscape says of each search: its best loss."""
    return {name: float(best) for name, best, *_ in rows_of(box.locator("tbody tr"))}


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
        return attributes(box.locator(".il-map .il-way"), "d")  # the third is gradient descent

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


def test_landscape_runs_step_by_step_and_stops(look_at):
    reader = look_at("landscape")
    box = reader.page.locator(".il-landscape")
    reader.page.emulate_media(reduced_motion="no-preference")
    stop_when_drawn(box, "Run", ".il-map .il-way-1", 20)
    length = len(box.locator(".il-map .il-way-1").get_attribute("d"))
    after(reader.page, 200)
    assert len(box.locator(".il-map .il-way-1").get_attribute("d")) == length
    box.get_by_role("button", name="Run").click()
    box.get_by_text("after 1000 of 1000").wait_for()
    expect(box.get_by_role("button", name="Run")).to_be_visible()
