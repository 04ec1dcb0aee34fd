"""Definitions at links to terms: there for every link, shown to pointer, keyboard and finger, and easily put away."""

import pytest

pytestmark = pytest.mark.xdist_group("site")

CHAPTER = "book/deceptive_alignment"
LINK = "main a[href*='#term-']"
GRACE = 400  # milliseconds, longer than a box waits for the pointer to come onto it


def shown(page):
    """The name and the definition in the box, or nothing when it is put away."""
    box = page.locator(".term-popover")
    return [box.locator("p").nth(number).inner_text() for number in (0, 1)] if box.is_visible() else None


def described(page, link):
    """The definition that the link names for a screen reader, as it stands in the page."""
    return page.evaluate("id => document.getElementById(id).textContent", link.get_attribute("aria-describedby"))


def point_at(page, locator):
    box = locator.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_pointer_and_keyboard_show_it_and_escape_puts_it_away(read, scheme):
    reader = read(CHAPTER, scheme)
    page = reader.page
    link, other = page.locator(LINK).nth(0), page.locator(LINK).nth(1)
    definition = described(page, link)

    link.scroll_into_view_if_needed()
    assert shown(page) is None
    link.hover()
    assert shown(page) == ["deceptive alignment", definition]  # the link says "deceptively aligned"
    point_at(page, page.locator(".term-popover"))
    page.wait_for_timeout(GRACE)
    assert shown(page) == ["deceptive alignment", definition]
    page.mouse.move(1, 1)
    page.locator(".term-popover").wait_for(state="hidden")

    link.hover()
    page.keyboard.press("Escape")
    assert shown(page) is None
    page.mouse.move(1, 1)
    page.wait_for_timeout(GRACE)

    link.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert link.evaluate("link => link === document.activeElement")
    assert shown(page) == ["deceptive alignment", definition]
    page.wait_for_timeout(GRACE)
    assert shown(page) is not None
    page.keyboard.press("Escape")
    assert shown(page) is None
    assert link.evaluate("link => link === document.activeElement")
    other.focus()
    assert shown(page)[1] == described(page, other)
    page.emulate_media(media="print")
    assert shown(page) is None
    page.emulate_media(media="screen")
    other.evaluate("link => link.blur()")
    assert shown(page) is None

    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/glossary.html#term-deceptive-alignment")
    assert reader.complaints == []
    assert reader.foreign == []


def test_box_stays_within_the_smallest_window(read):
    reader = read(CHAPTER, width=320)
    page = reader.page
    # a link in a closed fold cannot be focused
    found = page.locator(LINK).evaluate_all("""all => {
    const links = all.filter(link => link.checkVisibility({ visibilityProperty: true }));
    return links.map(link => {
        document.activeElement.blur();
        link.focus();
        const popover = document.querySelector(".term-popover");
        return { box: popover.getBoundingClientRect().toJSON(), over: link.getBoundingClientRect().toJSON(),
                 shown: popover.checkVisibility(), wide: document.documentElement.scrollWidth };
    }); }""")
    assert len(found) > 5
    for one in found:
        box, over = one["box"], one["over"]
        assert one["shown"], one
        assert box["width"] > 0, one
        assert box["left"] >= 0, one
        assert box["right"] <= 320, one
        assert box["bottom"] <= 800 + 1, one
        assert box["top"] >= over["bottom"] or box["bottom"] <= over["top"], f"the box covers its own link: {one}"
        assert one["wide"] == 320, one
    assert page.evaluate("getComputedStyle(document.querySelector('.term-popover')).animationDuration") == "0s"
    page.set_viewport_size({"width": 280, "height": 800})
    box = page.locator(".term-popover").bounding_box()
    assert box["x"] >= 0, box
    assert box["x"] + box["width"] <= 280, box


CONTRAST = """box => {
    const style = getComputedStyle(box);
    const light = [style.color, style.backgroundColor].map(text => {
      const parts = text.match(/[0-9.]+/g).slice(0, 3).map(part => part / 255)
        .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
      return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
    });
    return (Math.max(...light) + 0.05) / (Math.min(...light) + 0.05);
}"""


def test_box_can_be_read(read):
    reader = read(CHAPTER, width=360)
    for colors in ("light", "dark"):
        reader.look(360, colors)
        reader.page.locator(LINK).first.evaluate("link => { link.blur(); link.focus(); }")
        assert shown(reader.page) is not None
        contrast = reader.page.locator(".term-popover").evaluate(CONTRAST)
        assert reader.page.evaluate("document.documentElement.dataset.theme") == colors
        assert contrast > 7, f"in {colors} colors the contrast is {contrast}"


def test_finger_sees_the_definition_before_it_follows_the_link(read):
    page = read(CHAPTER, width=360, has_touch=True).page
    link = page.locator(LINK).first
    link.tap()
    assert page.url.endswith(f"{CHAPTER}.html")
    assert shown(page) == ["deceptive alignment", described(page, link)]
    assert page.locator(".term-popover__touch").is_visible()
    page.locator(".term-popover").tap()
    page.wait_for_timeout(GRACE)
    assert shown(page) is not None
    page.locator("article h1").tap()
    assert shown(page) is None
    link.tap()
    link.tap()
    page.wait_for_url("**/glossary.html#term-deceptive-alignment")


def test_in_the_glossary_a_link_shows_what_stands_further_down(read):
    page = read("book/glossary").page
    link = page.locator("main a[href='#term-Goodhart-s-law']").first
    link.hover()
    name, definition = shown(page)
    assert name == "Goodhart’s law"
    assert definition == " ".join(page.locator("#definition-Goodhart-s-law").inner_text().split())
    assert page.locator("p[hidden][id^=definition-]").count() == 0


def test_without_scripts_the_link_leads_to_the_glossary(read):
    page = read(CHAPTER, java_script_enabled=False).page
    page.locator(LINK).first.click()
    page.wait_for_url("**/glossary.html#term-deceptive-alignment")
