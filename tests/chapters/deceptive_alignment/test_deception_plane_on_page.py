"""The deception plane on a page: at every position of every slider it decides as Python does."""

import pytest
from widget_pages import SCHEMES, tab_to

from innerlab.chapters.deceptive_alignment.deception_plane import START, VALUES, DeceptionPlane
from innerlab.chapters.deceptive_alignment.decision import compliance_episodes, complies_on_cue

pytestmark = pytest.mark.xdist_group("site")


def made():
    """A plane with a preset of either kind."""
    plane = DeceptionPlane(
        {"a reference": {}, "no threat": {"threat": 0}, "a cue": {"recurs": True}},
        alt="A map over discount and threat, and the optimal policy as a timeline.",
    )
    return {"plane": plane}


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
