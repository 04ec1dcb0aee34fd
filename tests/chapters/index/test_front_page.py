"""The front page: guess, press, see; by keyboard, by touch, on paper; and three doors that lead somewhere."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from playwright.sync_api import expect

pytestmark = pytest.mark.xdist_group("site")

PAGE = "book/index"
COUNTED = """board => {
    const box = board.querySelector("svg").viewBox.baseVal, size = (box.width - 2) / 40;
    const cells = {};
    for (const dot of board.querySelectorAll(".il-crowd circle")) {
        const [x, y] = ["cx", "cy"].map(name => Math.floor(Number(dot.getAttribute(name)) / 40));
        cells[y * size + x] = (cells[y * size + x] ?? 0) + 1;
    }
    return cells;
}"""
# Noted within the page, where no walk ends while we ask.
AT_THE_TAP = f"""() => addEventListener("click", () => {{
    const board = document.querySelector(".il-pair > div"), charts = document.querySelector(".il-hundred");
    const seen = charts?.checkVisibility({{ visibilityProperty: true }});
    window.atTheTap = [board.querySelector(".il-ends").innerText, seen, ({COUNTED})(board)];
}})"""
SHIFTS = """() => new Promise(done => {
    let sum = 0;
    new PerformanceObserver(list => { for (const shift of list.getEntries()) sum += shift.value; })
        .observe({ type: "layout-shift", buffered: true });
    setTimeout(() => done(sum), 200);
})"""


def counts(board):
    """What stands below a room: how many agents ended where."""
    return dict(re.findall(r"(.+)\n(\d+)", board.locator(".il-ends").inner_text()))


def tab_to(page, name, steps=60):
    """Press Tab until the button of this name has the focus."""
    for _ in range(steps):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == name:
            return
    pytest.fail(f"{name} was not reached in {steps} steps")


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_guess_press_and_see_by_keyboard(read, scheme):
    reader = read(PAGE, scheme)
    page = reader.page
    door, control = page.locator(".il-pair > div").all()
    assert int(counts(door)["red door"]) > 56
    assert int(counts(control)["red door"]) > 56
    tab_to(page, "To the red key")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.textContent") == "Walk again"
    said = page.locator(".il-front [role=status]").inner_text()
    seen = [counts(board) for board in (door, control)]
    assert said.startswith("You said: to the red key. Trained on red doors: ")
    for board, numbers in zip((door, control), seen, strict=True):
        assert sum(map(int, numbers.values())) == 64
        dots = board.evaluate(COUNTED)
        assert sum(dots.values()) == 64
        # room 0: the key lies in cell 3, the door in cell 23
        assert (dots.get("23", 0), dots.get("3", 0)) == (int(numbers["blue door"]), int(numbers["red key"]))
        for way, number in numbers.items():
            assert number == "0" or f"{number} {'' if way == 'nowhere' else 'at the '}{way}" in said
    assert min(int(seen[0][way]) for way in ("blue door", "red key", "nowhere")) > 3
    assert int(seen[1]["blue door"]) > 56
    charts = page.locator(".il-hundred svg")
    assert [charts.nth(i).locator("rect.il-part-0").count() for i in range(charts.count())] == [64, 64]
    page.keyboard.press("Enter")
    again = page.locator(".il-front [role=status]").inner_text()
    assert again.startswith("Trained on red doors: ")
    assert again not in said
    page.keyboard.press("Tab")
    for _ in range(3):  # through all rooms and back to the first
        page.keyboard.press("Enter")
        assert sum(map(int, counts(door).values())) == 64
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.textContent") == "Trade the colors"
    assert int(counts(door)["red door"]) > 56
    assert reader.complaints == []
    assert reader.foreign == []


def test_all_that_shows_after_the_guess_is_accessible_and_fits(read):
    reader = read(PAGE, width=320)
    reader.page.get_by_role("button", name="Some to each").click()
    for width, colors in ((320, "light"), (360, "dark"), (1280, "light"), (1280, "dark")):
        reader.look(width, colors)
        assert reader.page.evaluate("document.documentElement.scrollWidth") == width
        found = Axe().run(reader.page)
        assert found.violations_count == 0, f"{width} px, {colors}:\n{found.generate_report()}"


def test_agents_are_seen_to_walk_and_a_tap_is_enough(read):
    page = read(PAGE, width=360, has_touch=True).page
    page.emulate_media(reduced_motion="no-preference")
    page.evaluate(AT_THE_TAP)
    page.get_by_role("button", name="Nowhere").tap()
    door = page.locator(".il-pair > div").first
    expect(door.locator(".il-ends")).not_to_contain_text("…")
    expect(page.locator(".il-hundred")).to_be_visible()
    said, charts, early = page.evaluate("window.atTheTap")
    assert "…" in said
    assert not charts
    assert door.evaluate(COUNTED) != early
    expect(page.locator(".il-front [role=status]")).to_contain_text("You said: nowhere.")


def test_picture_and_experiment_fit_into_the_room_that_is_kept_for_them(read):
    widths = (320, 341, 360, 401, 412, 480, 768, 1280)
    reader = read(PAGE, width=412)
    assert reader.page.evaluate(SHIFTS) < 0.02
    plain = read(PAGE, java_script_enabled=False).page
    picture = plain.locator("[data-innerlab=front_door] img")
    assert picture.is_visible()
    assert "The control reaches the door in" in picture.get_attribute("alt")
    for width in widths:
        for page in (reader.page, plain):
            page.set_viewport_size({"width": width, "height": 800})
        kept, taken = reader.page.locator(".il-front").evaluate(
            "box => [parseFloat(getComputedStyle(box).minHeight), box.offsetHeight]"
        )
        assert abs(kept - taken) < 1, width  # what is in it asks for no more
        assert plain.locator("[data-innerlab=front_door]").bounding_box()["height"] <= kept, width


def test_three_doors_lead_somewhere(site):
    page = BeautifulSoup((site / f"{PAGE}.html").read_text("utf8"), "html.parser")
    doors = {card.select_one(".sd-card-title").text.strip(): card.select("a[href]") for card in page.select(".sd-card")}
    assert {name: len(links) for name, links in doors.items()} == {"Read": 1, "Work": 1, "Teach": 1}
    targets = [links[0]["href"] for links in doors.values()]
    assert targets == ["optimizer.html", "../exercises/optimizer.html", "teaching.html"]
    assert all((site / "book" / target).is_file() for target in targets)
    assert "python run.py lab" in page.find(id="work").find_parent("section").text
