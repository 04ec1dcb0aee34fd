"""Widgets on a page without a kernel: every control answers at every position, by pointer and by keyboard alone.

Here are those that any chapter may use; those of one chapter are tried beside its other tests, in
`tests/chapters/<chapter>/test_<widget>_on_page.py`. What holds for all is tried with all together. Pages have the
widgets of one kind, or all of them once or twice, and are served under the strictest policy or opened from a file.
Those in the text of a chapter are tried with the rest of its page, in test_pages.py.
"""

import importlib
import json
import re
import shutil

import numpy as np
import pytest
from accessible import complaints
from playwright.sync_api import expect
from widget_pages import SCHEMES, tab_to

from innerlab.widgets import scripts
from innerlab.widgets.explore import Explore
from innerlab.widgets.predict import Predict
from innerlab.wings import LABORATORY

pytestmark = pytest.mark.xdist_group("site")

ROOT = LABORATORY.parent
ON_PAGES = sorted((ROOT / "tests" / "chapters").glob("*/test_*_on_page.py"))


def outcomes(feature, factor):
    parts = np.random.default_rng([len(feature), int(10 * factor)]).dirichlet([1, 1, 0.3, 0.5], 8)
    return parts, f"With {feature} at {factor:g}, {parts[:, 0].mean():.3f} end at the door."


def rising(slope):
    values = np.clip(np.outer(np.linspace(0.5, 1, 5), np.linspace(0, slope, 6)), 0, 1)
    return values, f"At slope {slope:g} the highest line ends at {values.max():.2f}."


def made():
    """Those that any chapter may use, in all their forms, and those of all wings, each from where it is tested."""
    general = {
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
        "dots": Explore(
            lambda spread: (np.linspace(0, spread, 30), f"Thirty dots up to {spread:g}."), {"spread": [0.5, 1.0]},
            draw="dots", alt="Thirty dots that lie within a spread that one can set.",
        ),
    }  # fmt: skip
    wings = [importlib.import_module(f"chapters.{path.parent.name}.{path.stem}") for path in ON_PAGES]
    return general | {name: widget for wing in wings for name, widget in wing.made().items()}


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
    expect(one).to_be_visible()
    expect(number.get_by_role("status")).to_contain_text("You said 40 seeds")
    number.get_by_role("button", name="Take it back").click()
    expect(one).to_be_hidden()
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
    expect(reader.page.get_by_text("the first figure")).to_be_hidden()
    expect(reader.page.get_by_text("the second figure")).to_be_visible()


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
    reader.page.wait_for_load_state("networkidle")  # or what is still to come, such as the icon, fails at the reload
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
    expect(page.locator(".il-predict").nth(1).get_by_role("button", name="Commit")).to_be_visible()


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
    looks = [(360, "light"), (1280, "dark")] if answered else [(360, "dark"), (1280, "light")]
    for width, colors in looks:
        reader.look(width, colors)
        assert reader.page.evaluate("document.documentElement.scrollWidth") == width
        assert not (found := complaints(reader.page)), f"{width} px, {colors}:\n{found}"


def test_every_wings_front_end_is_among_them_or_tried_on_its_own_page(widgets):
    wings = {path.stem for path in (LABORATORY / "chapters").glob("*/front/*.css")}
    assert wings - {widget.front for widget in widgets.values()} == {"front_door"}  # it is made for the front page


def test_front_ends_weigh_little(folder):
    import gzip

    sizes = [len(gzip.compress((folder / name).read_bytes())) for name in ("widgets.js", "widgets.css")]
    assert sum(sizes) < 40_000  # nine widgets


def test_pages_without_widgets_load_none_of_it(site, pages):
    sources = {page: (site / f"{page}.html").read_text("utf8") for page in pages}
    with_widgets = {page for page, source in sources.items() if re.search(r"<\w[^>]*\sdata-innerlab=", source)}
    assert with_widgets, "no page of the book has a widget"
    assert {page for page, source in sources.items() if "widgets.js" in source} == with_widgets
