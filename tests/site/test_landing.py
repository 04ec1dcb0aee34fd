"""Every address of a page leads to its place: opened cold, from within, by the contents, by back and forward.

Pages are opened here as most readers have them: nobody has scrolled, and their systems do not ask for less motion.
"""

import pytest
from bs4 import BeautifulSoup
from reader import Reader

WIDTHS = [360, 1280]
TEXT = "article.bd-article [id], #search-results"

# `rest` waits until fonts are there, what is near has been mounted or loaded, and two frames have not moved the page.
# `astray` tells of an id whose place does not begin in the window, below what stands over it.
COMMON = """
    const frame = () => new Promise(done => { requestAnimationFrame(done); setTimeout(done, 200); });
    const near = e => {
        const { top, bottom } = e.getBoundingClientRect();
        return e.getClientRects().length && bottom > -innerHeight && top < 2 * innerHeight;
    };
    const awaited = e => near(e) && !(e.matches("img") && e.complete);
    const waits = () => [...document.querySelectorAll("[data-innerlab], img[loading=lazy]")].some(awaited);
    const rest = async () => {
        await document.fonts.ready;
        for (let still = 0, last = null; still < 2; ) {
            await frame();
            still = scrollY === last && !waits() ? still + 1 : 0;
            last = scrollY;
        }
    };
    const astray = id => {
        const over = document.querySelector(".bd-header-article").getBoundingClientRect();
        const top = document.getElementById(id).getBoundingClientRect().top - Math.max(over.bottom, 0);
        return top < -1 || top > innerHeight - over.height ? [`${id} is ${Math.round(top)} px off`] : [];
    };
"""

LANDED = "async id => {" + COMMON + "await rest(); return astray(id); }"

# Boxes that scroll sideways and that the keyboard cannot reach.
UNREACHED = """() => [...document.querySelectorAll("main *")].filter(box =>
    box.scrollWidth > box.clientWidth + 1 && ["auto", "scroll"].includes(getComputedStyle(box).overflowX) &&
    box.tabIndex < 0 && !box.querySelector("a[href], button, input, select, textarea, [tabindex='0']")
).map(box => box.outerHTML.slice(0, 200))"""

WITHIN = (
    "async ids => {"
    + COMMON
    + """
    const found = [];
    for (const id of ids) {
        location.hash = id;
        if (waits()) await rest();
        found.push(...astray(id));
    }
    return found;
}"""
)

# Each link of the contents is clicked; then all are gone back over, or only the whole way in one step, and forth again
# to the last. Frames are waited for only where something is to come, since each costs as much as ten jumps.
CONTENTS = (
    "async one_by_one => {"
    + COMMON
    + """
    const links = [...document.querySelectorAll(".bd-toc-nav a[href^='#']:not([href='#'])")];
    const ids = links.map(link => decodeURIComponent(link.hash.slice(1)));
    const found = [];
    const come = async (id, go) => {
        go();
        while (decodeURIComponent(location.hash.slice(1)) !== id) await frame();
        if (waits()) await rest();
        found.push(...astray(id));
    };
    for (const [number, id] of ids.entries()) await come(id, () => links[number].click());
    if (one_by_one) for (const id of ids.slice(0, -1).reverse()) await come(id, () => history.back());
    else if (ids.length > 1) await come(ids[0], () => history.go(1 - ids.length));
    if (ids.length > 1) await come(ids.at(-1), () => history.go(ids.length - 1));
    return found;
}"""
)


@pytest.fixture(scope="module")
def addresses(site, name):
    """The ids of all that a reader can be sent to; definitions of terms stand unseen on all pages but the glossary."""
    ids = [tag["id"] for tag in BeautifulSoup((site / f"{name}.html").read_text("utf8"), "html.parser").select(TEXT)]
    return ids if name == "book/glossary" else [one for one in ids if not one.startswith("definition-")]


@pytest.fixture(scope="module")
def window(browser, served):
    """A browser window for all pages, one after the other: a new one costs as much as to open a page."""
    reader = Reader(browser, served)
    reader.page.emulate_media(reduced_motion="no-preference")
    yield reader.page
    reader.context.close()


def open_cold(page, address):
    """Open an address as if for the first time; return what is astray."""
    page.goto("about:blank")
    page.goto(address)
    return page.evaluate(LANDED, address.partition("#")[2])


@pytest.mark.parametrize("width", WIDTHS)
def test_a_page_opened_cold_is_whole_and_every_address_leads_to_its_place(window, served, name, addresses, width):
    window.set_viewport_size({"width": width, "height": 800})
    here = f"{served}/{name}.html"
    first, second = (addresses[-1], addresses[len(addresses) // 2])[:: 1 if width == 360 else -1]
    assert open_cold(window, f"{here}#{first}") == []
    assert window.evaluate(UNREACHED) == []
    assert window.evaluate(CONTENTS, width == 360) == []
    assert window.evaluate(WITHIN, addresses) == []
    if width == 360 and window.locator(".innerlab-widget").count():  # there they grow most
        assert open_cold(window, f"{here}#{second}") == []
        window.goto("about:blank")
        window.go_back()
        assert window.evaluate(LANDED, second) == []


def test_a_widget_that_is_mounted_above_leaves_the_place_in_the_window(browser, served):
    # Safari does not hold what the window shows; this browser is told not to do so either.
    reader = Reader(browser, served, width=360)
    reader.page.add_init_script("""
        CSS.supports = () => false;
        addEventListener("DOMContentLoaded", () => {
            const sheet = new CSSStyleSheet();
            sheet.replaceSync("* { overflow-anchor: none !important }");
            document.adoptedStyleSheets = [sheet];
        });""")
    for address in ("fig-changes", "the-verdict-comes-from-the-mechanism", "fig-best-of-n", "fig-searchers"):
        assert open_cold(reader.page, f"{served}/book/optimizer.html#{address}") == []
    reader.context.close()
