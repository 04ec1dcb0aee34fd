"""Every page of the built book, in a browser: quiet, at home, accessible, light, and held together by its links."""

import base64
import functools
import hashlib
import itertools
import json
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import tinycss2
from accessible import complaints, plainer_code
from bs4 import BeautifulSoup
from keyboard import faults, walk
from playwright.sync_api import expect
from reader import Reader, wait_for

from innersite import cards, styles

CODE = re.compile(r"^```\{code-cell\}.*?^```$", re.DOTALL | re.MULTILINE)
CEILING, AIM = 600_000, 250_000  # bytes a page, compressed, without fonts: the budget and the aim
LOOKS = [(360, "dark"), (1280, "light")]  # either width and either scheme on every page
MORE_LOOKS = [(360, "light"), (1280, "dark")]  # on one page of each kind also what is left
KINDS = ["book/deceptive_alignment", "exercises/optimizer", "search"]
PLAIN = "book/cite"  # what surrounds the text is the same on every page, so a page that is soon there will do


@functools.lru_cache(maxsize=2)
def read_source(path):
    return BeautifulSoup(path.read_text("utf8"), "html.parser")


def soup(site, name):
    return read_source(site / f"{name}.html")


class Opened(Reader):
    """A page that was opened for several tests, with what was to be heard and seen when it was new."""

    def __init__(self, browser, address, name, **options):
        super().__init__(browser, address, **options)
        self.open(name)
        self.at_first = {"complaints": [*self.complaints], "foreign": [*self.foreign]}
        self.sizes = self.page.evaluate(
            """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
                  .map(entry => [entry.name, entry.encodedBodySize])"""
        )


@pytest.fixture(scope="module")
def served_page(browser, served, name):
    """The page, from the server, in a wide window."""
    reader = Opened(browser, served, name)
    yield reader
    reader.context.close()


@pytest.fixture(scope="module")
def page_as_file(browser, site, name):
    """The page, opened as a file on a small phone."""
    reader = Opened(browser, site.as_uri(), name, width=320)
    yield reader
    reader.context.close()


SCHEMES = pytest.mark.parametrize("scheme", ["http", "file"])


@pytest.fixture
def opened(request, scheme):
    """The page, opened in either way."""
    return request.getfixturevalue("served_page" if scheme == "http" else "page_as_file")


@SCHEMES
def test_page_is_quiet_and_asks_no_other_host(opened, name):
    assert opened.at_first == {"complaints": [], "foreign": []}, (
        f"{name}: a page says nothing in the browser's console (complaints) and asks no other host (foreign)"
    )


@SCHEMES
def test_all_widgets_of_the_page_are_mounted(opened, site, name):
    places = soup(site, name).select("[data-innerlab]")
    mounted, left = opened.page.locator(".innerlab-widget[role=group]").count(), opened.page.locator("[data-innerlab]")
    assert mounted == len(places), f"{name}: of {len(places)} widgets the page's script has mounted {mounted}"
    assert left.count() == 0, f"{name}: {left.count()} placeholders of widgets are left as they were"


def test_page_weighs_little(served_page, weights, name):
    sizes = served_page.sizes
    fonts = sum(size for url, size in sizes if url.endswith(".woff2"))
    weights[name] = {"bytes": sum(size for _, size in sizes) - fonts, "fonts": fonts, "requests": len(sizes)}
    assert min(size for _, size in sizes) > 0, f"{name}: something that the page asks for is empty: {sizes}"
    assert weights[name]["bytes"] < CEILING, (
        f"{name}: {weights[name]['bytes']:,} bytes are transferred, and {CEILING:,} is the most: give figures fewer "
        f"points, widgets fewer numbers; the largest are {sorted(sizes, key=lambda one: -one[1])[:5]}"
    )


def asked_for(rules):
    """Yield what the rules of a style sheet ask for."""
    for rule in rules:
        if rule.type == "qualified-rule":
            yield from styles.selectors(rule.prelude)
        elif rule.type == "at-rule" and rule.at_keyword in ("media", "supports"):
            yield from asked_for(tinycss2.parse_rule_list(rule.content, True, True))


@pytest.fixture(scope="session")
def left_out(site):
    """What is asked for by rules that the book's one style sheet lacks, whatever state it is in."""
    sheets = [
        path for path in (site / "_static").rglob("*.css") if not {"vendor", "book.css", *styles.OWN} & set(path.parts)
    ]
    used = styles.used_in(site)
    rules = (rule for path in sheets for rule in tinycss2.parse_stylesheet(path.read_text("utf8"), True, True))
    missing = {selector for selector in asked_for(rules) if not styles.matches(selector, used)}
    assert len(missing) > 1000
    state = r"::[\w-]+|:(?:before|after|hover|focus(?:-visible|-within)?|active|visited|disabled|checked)\b"
    return sorted(re.sub(state, "", selector) for selector in missing)


def test_no_rule_for_what_is_on_the_page_was_left_out(served_page, left_out, name):
    found = served_page.page.evaluate(
        """selectors => selectors.filter(selector => {
            try { return document.querySelector(selector) !== null; } catch (unreadable) { return false; }
        })""",
        left_out,
    )
    assert found == [], f"{name}: innersite/styles.py left out rules for what is on the page"


def test_page_is_accessible_and_fits_in_every_look(served_page, name):
    plainer_code(served_page.page)
    for width, colors in LOOKS + (MORE_LOOKS if name in KINDS else []):
        served_page.look(width, colors)
        state = served_page.page.evaluate(
            "[document.documentElement.dataset.theme, document.documentElement.scrollWidth]"
        )
        assert state == [colors, width], (
            f"{name}: at {width} px in {colors} colors the page is {state[1]} px wide and {state[0]}; make tables, "
            "formulas or code narrower"
        )
        assert not (found := complaints(served_page.page)), f"{width} px, {colors}:\n{found}"


def test_a_page_of_each_kind_is_seen_in_all_looks(pages):
    assert set(KINDS) <= set(pages)
    assert len({*LOOKS, *MORE_LOOKS}) == 4


def test_of_words_of_code_drawn_alike_one_is_judged_and_of_others_each(browser):
    page = browser.new_page()
    page.set_content("""<html lang="en"><title>Code</title>
        <style>.pale { color: #ccc } .bold { font-weight: bold }</style>
        <main><h1>Code</h1><pre><span class="bold">def</span> <span class="bold">if</span> <span class="pale">one</span>
        <span class="pale">two</span> <span class="bold" style="color: #ddd">odd</span></pre>
        <pre><span class="pale">three</span> <span class="bold">for</span></pre></main></html>""")
    assert plainer_code(page) == 2  # "if" and "two"
    assert page.locator("pre span").all_inner_texts() == ["def", "one", "odd", "three", "for"]
    found = complaints(page)
    page.close()
    # "three" is drawn as "one" is, in a block of its own
    assert [f">{word}<" in found for word in ("def", "one", "odd", "three", "for")] == [False, True, True, False, False]


def test_contrast_is_judged_of_one_element_of_each_drawing_on_each_ground(browser):
    page = browser.new_page(viewport={"width": 800, "height": 800})
    page.set_content("""<html lang="en"><title>Cases</title>
        <style>p { color: #ccc; background: #fff; width: 300px } b { font-weight: 400 } .dark { background: #222 }
            .gray { background: #bbb } .veiled { opacity: .9 }
            .cut { width: 9px; white-space: nowrap; overflow: hidden }
            .box { position: absolute; left: 0; top: 500px; width: 300px; height: 60px; background: #999 }
            .over { position: absolute; left: 0; top: 510px; color: #888; background: none; margin: 0 }</style>
        <main><h1>Cases</h1>
        <p>x</p><div class="cut"><p>severed</p></div><p>one</p><p>two</p><p>some <b>three</b></p>
        <section class="dark"><p>four</p><p><b>five</b></p></section>
        <section class="gray"><p style="background: none">six</p></section><p class="veiled">seven</p>
        <p class="dark">eight</p><div class="box"></div><p class="over">nine</p></main></html>""")
    found = complaints(page)
    page.close()
    # Each stands for those after it: "one" for "two" and "three", "four" for "five".  "eight" can be read.
    assert re.findall(r">([a-z ]+)<", found) == ["severed", "one", "four", "six", "seven", "nine"]


def test_page_does_not_scroll_sideways_on_a_small_phone(page_as_file, name):
    page_as_file.page.evaluate("scrollTo(1000, 0)")
    moved = page_as_file.page.evaluate("scrollX")
    assert moved == 0, f"{name}: on a phone of 320 px something is {moved} px too wide: a table, a formula, a long word"


@SCHEMES
def test_every_position_of_every_slider_and_choice_changes_something(opened, name):
    for box in opened.page.locator(".il-explore").all():
        seen = set()
        for choice in box.get_by_role("radio").all() or [None]:
            if choice is not None:
                choice.check()
            for slider in box.get_by_role("slider").all():
                for at in range(int(slider.get_attribute("max")) + 1):
                    slider.fill(str(at))
                    seen.add(box.locator("svg").inner_html() + box.get_by_role("status").inner_text())
        assert len(seen) > 1, f"{name}: a slider or choice changes neither the drawing nor the sentence below it"


@SCHEMES
def test_formulas_are_set_in_the_math_font(opened, site, name):
    if soup(site, name).select_one("math") is None:
        return
    page = opened.page
    page.locator("math:visible").first.scroll_into_view_if_needed()
    opened.settle()
    loaded = page.evaluate("[...document.fonts].filter(f => f.status === 'loaded').map(f => f.family)")
    assert "Book Math" in [family.strip('"') for family in loaded], f"{name}: the font for formulas was not loaded"
    assert page.evaluate("getComputedStyle(document.querySelector('math')).fontFamily").startswith('"Book Math"')


def test_every_question_veils_a_figure_that_is_there(served_page, site, name):
    wanted = set()
    for place in soup(site, name).select("[data-innerlab=predict]"):
        wanted |= set(json.loads(place.find("script").string)["unveils"])
    page = served_page.page
    veiled = set(page.evaluate("[...document.querySelectorAll('.il-veiled')].map(e => e.id)"))
    assert veiled == wanted, (
        f"{name}: `unveils` of Predict must name figures of the page that stand below the question; "
        f"it names {wanted}, and {veiled} are veiled"
    )
    for button in page.get_by_role("button", name="Just show me").all()[::-1]:
        button.click()
    assert page.locator(".il-veiled").count() == 0, f"{name}: figures stay veiled when all questions are answered"


def test_what_the_pointer_can_press_the_keyboard_reaches_and_shows(served_page, name):
    found, tried = faults(served_page.page)
    assert found == [], f"{name}: by keyboard alone, some things cannot be reached or do not show that they are"
    assert tried > 5, f"{name}: only {tried} things to press were found"


def test_faults_of_the_keyboard_are_found(browser):
    page = browser.new_page()
    page.set_content("""<style>:focus { outline: 2px solid }
        .bare:focus { outline: none } .press { cursor: pointer } .gone { opacity: 0 }</style>
        <a href="#a" tabindex="2">early</a> <a href="#b" class="bare">bare</a> <div class="press">deaf</div>
        <button class="gone">gone</button> <button class="press">good</button> <a href="#c">good</a>""")
    found, tried = faults(page)
    page.close()
    assert tried == 4
    said = [(fault.partition(":")[0], fault.rsplit(maxsplit=1)[-1]) for fault in found]
    assert said == [
        ("out of the page's order", "early"),
        ("only for the pointer", "deaf"),
        ("shows no focus", "bare"),
        ("stays out of sight", "gone"),
    ]


@pytest.mark.parametrize("walked", ["book/index", "book/optimizer", "book/glossary", "exercises/optimizer", "search"])
def test_tab_leads_once_through_the_page_in_its_order(read, walked):
    page = read(walked).page
    count, stops = walk(page)
    assert count > 20
    assert [stop["words"] for number, stop in enumerate(stops) if stop["number"] != number] == []
    assert [stop["words"] for stop in stops if not stop["seen"]] == []
    back = [
        stop["words"]
        for before, stop in itertools.pairwise(stops)
        if stop["bottom"] <= before["top"] and stop["left"] <= before["left"]  # up, but not into a column to the right
    ]
    assert back == []
    page.keyboard.press("Tab")
    assert page.evaluate("() => window.expected.indexOf(document.activeElement)") <= 0  # out of the page, or around


def test_head_says_what_the_page_is(site, name):
    page = soup(site, name)
    assert page.html["lang"] == "en", f"{name}: the page must say that it is in English"
    assert len(page.title.text.strip()) > len("The Optimizer Within"), f"{name}: it needs a title of its own, `# ...`"
    descriptions = [tag["content"] for tag in page.find_all("meta", attrs={"name": "description"})]
    assert len(descriptions) == 1, f"{name}: it needs one description, in `myst: html_meta: description` of its header"
    assert 20 <= len(descriptions[0]) <= 170, (
        f"{name}: the description in its header has {len(descriptions[0])} characters; 20 to 170 fit where it is shown"
    )
    assert page.find("link", rel="icon") is not None, f"{name}: the page has no icon"
    printed_only = page.find(id="jb-print-docs-body")
    headings = [h for h in page.find_all("h1") if printed_only is None or printed_only not in h.parents]
    assert len(headings) == 1, f"{name}: a page has one heading `# ...` and lower ones below it, not {len(headings)}"


def test_pages_have_descriptions_of_their_own(site, pages):
    said = [head(site, page).find("meta", attrs={"name": "description"})["content"] for page in pages]
    twice = sorted({text for text in said if said.count(text) > 1})
    assert not twice, f"two pages have the same description in their headers: {twice}"


def test_pictures_are_described(site, name):
    page = soup(site, name)
    undescribed = [str(image) for image in page.find_all("img") if not image.has_attr("alt")]
    assert undescribed == [], f"{name}: end the cell with figures.Shown(figure, alt), or give the image an alt text"
    assert page.select(".innerlab-figure > svg") == [], f"{name}: a figure is drawn in the page instead of being a file"
    short = [image["src"] for image in page.select(".innerlab-figure img") if len(image["alt"].strip()) < 20]
    assert short == [], f"{name}: the `alt` of figures.Shown says what the figure shows, with numbers from the run"


def test_every_link_to_a_term_names_one_definition(site, name):
    page, glossary = soup(site, name), soup(site, "book/glossary")
    for text in page.select(".std-term"):
        link = text.parent
        there = page.find_all(id=link["aria-describedby"])
        assert len(there) == 1, f"{name}: a linked term must carry one definition, not {len(there)}: {link}"
        said = " ".join(there[0].get_text().split())
        assert len(said) > 30, f"{name}: the first paragraph of the term's entry in book/glossary.md is short: {link}"
        if not there[0].select("math"):
            first = glossary.find(id=link["aria-describedby"]).get_text()
            assert said == " ".join(first.split()), f"{name}: not what the glossary says of {link}"
    scripts = [tag["src"] for tag in page.select("script[src*='terms.js']")]
    assert bool(scripts) == bool(page.select(".std-term")), f"{name}: terms.js is for pages with terms, and only those"


def test_links_within_the_book_resolve(site, name):
    here = site / f"{name}.html"
    anchors = {}
    broken = []
    for tag in soup(site, name).find_all(["a", "link", "script", "img"]):
        parts = urlsplit(tag.get("href") or tag.get("src") or "")
        if parts.scheme or parts.netloc or not (parts.path or parts.fragment):
            continue
        target = (here.parent / unquote(parts.path)).resolve() if parts.path else here
        if not target.is_file():
            broken.append(f"{target} is not there")
        elif parts.fragment and target.suffix == ".html":
            if target not in anchors:
                anchors[target] = set(re.findall(r'\b(?:id|name)="([^"]+)"', target.read_text("utf8")))
            if unquote(parts.fragment) not in anchors[target]:
                broken.append(f"{target.name} has no #{parts.fragment}")
    assert broken == [], f"{name}: links lead to pages or places that are not there"


def test_nothing_is_asked_of_another_host_in_the_source(site, name):
    loading = soup(site, name).select("script[src], link[rel=stylesheet], link[rel=preload], img[src], iframe[src]")
    elsewhere = [tag for tag in loading if urlsplit(tag.get("src") or tag.get("href")).netloc]
    assert elsewhere == [], f"{name}: pictures, scripts and styles come from the site itself; copy them in"


@pytest.fixture
def formula_pages(site, pages):
    found = [page for page in pages if "<math" in (site / f"{page}.html").read_text("utf8")]
    assert found, "no page has a formula"
    return found


def test_fences_and_sums_grow(read, formula_pages):
    # Without a font that has a MATH table they would stay as high as a letter.
    page = read(formula_pages[0]).page
    heights = page.evaluate("""() => {
        document.querySelector("article").insertAdjacentHTML("beforeend", `<math display="block" id="trial">
          <mrow><mo>(</mo><mfrac><mfrac><mi>a</mi><mi>b</mi></mfrac><mfrac><mi>c</mi><mi>d</mi></mfrac></mfrac><mo>)</mo></mrow>
          <mo>∑</mo><mi>x</mi></math><math id="line"><mo>∑</mo></math>`);
        const high = selector => document.querySelector(selector).getBoundingClientRect().height;
        return {fence: high("#trial mrow mo"), letter: high("#trial > mi"),
                sum: high("#trial > mo"), small: high("#line mo")};
    }""")
    assert heights["fence"] > 3 * heights["letter"]
    assert heights["sum"] > 1.2 * heights["small"]


def test_formulas_reach_a_screen_reader(read, formula_pages):
    page = read(formula_pages[0]).page
    assert page.locator("math").count() == page.locator("math:not([aria-hidden]):not([role])").count()
    assert page.locator("[aria-hidden=true] math, [role=img] math").count() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_colors_follow_the_system_before_any_script_file_runs(browser, served, kind):
    reader = Reader(browser, served, colors="dark")
    reader.context.route("**/*.js*", lambda route: route.abort())
    reader.page.goto(f"{served}/{kind}.html")
    assert reader.page.evaluate("document.documentElement.dataset.theme") == "dark", f"{kind}: colors wait for scripts"
    color = reader.page.evaluate("getComputedStyle(document.body).backgroundColor")
    reader.context.close()
    red, green, blue = map(int, re.findall(r"\d+", color)[:3])
    assert max(red, green, blue) < 64, f"{kind}: before scripts have run, the dark page is {color}"


def head(site, name):
    """The head of a page, read without the rest, which takes long."""
    return BeautifulSoup((site / f"{name}.html").read_text("utf8").partition("</head>")[0], "html.parser").head


def first_to_run(head):
    """The first thing in a page's head that runs or styles it."""
    return head.select_one("script:not([type]), script[type='text/javascript'], link[rel=stylesheet], style")


def test_every_page_sets_its_colors_first_as_those_tried_do(site, name):
    first = first_to_run(head(site, name))
    colors = re.match(r".*dataset\.theme = [^\n]*", first.text, re.DOTALL)  # then a page with formulas asks for a font
    assert colors, f"{name}: something runs, or styles the page, before its colors are set: {first}"
    for kind in KINDS:
        assert first_to_run(head(site, kind)).text.startswith(colors[0]), (
            f"{name}: its colors are not set as on {kind}, which is tried in a browser: {first}"
        )
    digest = base64.b64encode(hashlib.sha256(first.text.encode()).digest()).decode()
    policy = head(site, name).find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    assert f"'sha256-{digest}'" in policy, f"{name}: the policy forbids the script that sets the colors"


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_keyboard_changes_the_colors_and_they_stay(read, scheme):
    reader = read(PLAIN, scheme)
    page = reader.page
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.theme-switch-button')"):
            break
    else:
        pytest.fail("the button was not reached in 60 steps")
    seen = []
    for _ in range(3):
        page.keyboard.press("Enter")
        seen.append(page.evaluate("[document.documentElement.dataset.mode, document.documentElement.dataset.theme]"))
        if seen[-1] == ["dark", "dark"]:
            page.reload()
            expect(page.locator("html")).to_have_attribute("data-theme", "dark")
            page.locator(".theme-switch-button").focus()
    assert sorted(mode for mode, _ in seen) == ["auto", "dark", "light"]
    assert reader.complaints == []


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_search_finds_a_page(read, site, pages, scheme):
    title = soup(site, pages[1]).find("h1").get_text(" ").split("#")[0].strip()
    word = max(re.findall(r"[a-z]+", title.lower()), key=len)
    reader = read("search", scheme)
    reader.page.fill("#book-search-words", word)
    reader.page.keyboard.press("Enter")
    found = reader.page.locator(f"#search-results li a[href*='{pages[1]}']")  # among others, which come one by one
    expect(found.first).to_be_attached()
    assert reader.complaints == []
    assert reader.foreign == []


def test_search_opens_from_any_page_by_keyboard(read):
    page = read(PLAIN).page
    page.keyboard.press("Control+k")
    page.keyboard.type("alignment")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=alignment")
    expect(page.locator("#search-results li a").first).to_be_visible()


def test_skip_link_leads_to_the_text(read):
    page = read(PLAIN).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main-content"


def test_front_door_leads_in(read, pages):
    reader = read(PLAIN)
    reader.page.goto(f"{reader.address}/index.html")
    reader.page.wait_for_url(f"**/{pages[0]}.html")
    assert reader.complaints == []


def test_paper_shows_the_text_alone(read):
    page = read(PLAIN).page
    page.emulate_media(media="print")
    assert page.locator(".bd-sidebar-primary").is_hidden()
    assert page.locator(".bd-header-article").is_hidden()
    assert page.locator("article h1").is_visible()


def test_nothing_heavy_is_on_the_page(site, name):
    # Font Awesome's script, thebe, require.js, a widget manager, MathJax: none may come back with a new version.
    heavy = "|".join(("all.min.js", "thebe", "require", "html-manager", "mathjax", "embed-amd"))
    read = soup(site, name)
    assert [tag["src"] for tag in read.select("script[src]") if re.search(heavy, tag["src"], re.IGNORECASE)] == []
    assert read.select(".highlight :is(.n, .nn, .p, .w)") == []  # words of code that have no color of their own
    sheets = [urlsplit(tag["href"]).path.rpartition("/")[2] for tag in read.select("link[rel=stylesheet]")]
    assert sheets == ["book.css"], f"{name}: its styles come in one file"


def test_fonts_are_light(site):
    fonts = {path.name: path.stat().st_size for path in (site / "_static").glob("*.woff2")}
    assert fonts["stix-two-math.woff2"] < 40_000
    assert sum(fonts.values()) < 60_000


def test_every_page_is_in_the_table_of_contents(pytestconfig, pages):
    root = pytestconfig.rootpath
    sources = [*(root / "book").glob("*.md"), *(root / "exercises").glob("*.ipynb")]
    written = {path.relative_to(root).with_suffix("").as_posix() for path in sources}
    listed = set(pages) - {"search", "genindex"}
    assert written <= listed, f"list in _toc.yml, as `- file: ...`: {sorted(written - listed)}"
    assert listed <= written, f"_toc.yml lists what is no page in book/ or exercises/: {sorted(listed - written)}"


def test_every_icon_on_a_page_is_among_those_shipped(site, name):
    sizes = {"fa-lg", "fa-solid", "fa-regular", "fa-brands"}
    known = set(re.findall(r"\.(fa-[\w-]+)::before", (site / "_static" / "icons.css").read_text("utf8")))
    shown = {icon for tag in soup(site, name).select("[class*=fa-]") for icon in tag["class"] if icon.startswith("fa-")}
    unknown = shown - sizes - known
    assert unknown == set(), f"{name}: book/_static/icons.css has no such icons; add them there, or use others"


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_the_policy_is_in_force(read, scheme):
    reader = read("book/cite", scheme)
    reader.page.evaluate("""() => {
        window.blocked = [];
        addEventListener("securitypolicyviolation", event => window.blocked.push(event.effectiveDirective));
        const script = document.createElement("script");
        script.textContent = "window.stranger = true";
        document.body.append(script);
        document.querySelector("article").insertAdjacentHTML(
            "beforeend", `<p style="color: red">red</p><button onclick="window.stranger = true">go</button>`);
        document.querySelector("article button:last-of-type").click();
        new Image().src = "https://elsewhere.test/picture.png";
    }""")
    forbidden = {"script-src-elem", "style-src-attr", "script-src-attr", "img-src"}
    # The page hears of it later than it happens.
    assert wait_for(reader.page, lambda: set(reader.page.evaluate("window.blocked")) == forbidden)
    assert reader.page.evaluate("window.stranger") is None
    assert reader.foreign == []


def assert_policy(page):
    """A page has one policy, and nothing that it forbids."""
    policies = page.head.find_all("meta", attrs={"http-equiv": "Content-Security-Policy"})
    assert len(policies) == 1
    assert "unsafe" not in policies[0]["content"]
    assert page.find_all(style=True) == page.find_all("style") == []
    assert [tag for tag in page.find_all(True) if any(key.startswith("on") for key in tag.attrs)] == []


def test_every_page_has_a_policy_and_nothing_that_it_forbids(site, name):
    assert_policy(soup(site, name))


def test_the_front_door_has_a_policy_and_nothing_that_it_forbids(site):
    assert_policy(soup(site, "index"))


def test_the_print_button_prints(read, pages):
    page = read(pages[0]).page
    page.evaluate("window.print = () => { window.printed = true; }")
    page.locator(".dropdown-download-buttons > button").click()
    page.locator("[data-print]").click()
    assert page.evaluate("window.printed") is True


def test_the_claim_that_shows_how_to_cite_one_is_there(site):
    (code,) = (code for code in soup(site, "book/cite").select("li code") if code.text.startswith("#claim-q"))
    chapter = code.find_next("a")["href"].removesuffix(".html")
    there = soup(site, f"book/{chapter}").find(id=code.text[1:])
    assert there is not None, f"book/cite.md shows how to cite {code.text}, which {chapter} does not claim"


def test_chapters_say_how_long_they_take(site, pages):
    boxes = {}
    for page in pages:  # of a chapter, only the box is read: to read all of it takes long
        text = (site / f"{page}.html").read_text("utf8")
        if found := re.search(r'<div class="(?=[^"]*\badmonition\b)[^"]*\bobjectives\b', text):
            box = BeautifulSoup(text[found.start() : text.index("</section>", found.start())], "html.parser").div
            boxes[page] = " ".join(box.get_text().split())
    with_exercises = {f"book/{path.stem}" for path in (Path(__file__).parents[2] / "solutions").glob("*.md")}
    without = {"book/scaling"}  # pages with code and no exercises
    assert with_exercises | without == set(boxes), (
        "every chapter has exercises in solutions/ and a box of class `objectives`; these have one of the two: "
        f"{sorted((with_exercises | without) ^ set(boxes))}"
    )
    minutes = {}
    for page, box in boxes.items():
        told = re.search(r"about (\d+) minutes to read", box)
        assert told, f"{page}: the box of objectives must say `**Takes** {{effort}}`reading` to read, ...`"
        minutes[page] = int(told[1])
        # Counted a second way: the words of the source, without its code.
        counted = len(CODE.sub("", Path(f"{Path(__file__).parents[2] / page}.md").read_text("utf8")).split())
        assert 10 <= minutes[page] <= 60, f"{page}: {minutes[page]} minutes to read; a chapter is one sitting, 10 to 60"
        assert abs(minutes[page] - counted / cards.WORDS_A_MINUTE) <= 5 + counted / 1200, (
            f"{page}: it says {minutes[page]} minutes to read, and its source has {counted} words without code"
        )
        told = re.search(r"Exercises \d+, about [\d½]+ (hours|minutes), \d+ points", box)
        assert bool(told) == (page in with_exercises), (
            f"{page}: the box must say `**Exercises** {{effort}}`exercises`` if there are exercises, and only then"
        )
    said = re.search(
        r"The chapters are about ([\d½]+) (hours|minutes) of reading", " ".join(soup(site, "book/index").text.split())
    )
    assert said, "book/index.md must say `The chapters are {effort}`all reading` of reading`"
    total = float(said[1].replace("½", ".5")) * (60 if said[2] == "hours" else 1)
    added = sum(minutes[page] for page in with_exercises)
    assert abs(total - added) <= 15 + 2.5 * len(with_exercises), (
        f"the front page says {said[0]}; the pages add up to {added}"
    )
