"""What axe finds wrong with a page as it is shown now."""

from axe_playwright_python.sync_playwright import Axe

# Half of a chapter's elements are colored words of its code. Two words of one block that are drawn alike are one case
# for every rule, so all but the first of them become plain text. Styles are read before anything is changed, since
# reading after each change would lay the page out anew thousands of times.
PLAINER_CODE = """() => {
    const ASPECTS = ["color", "backgroundColor", "backgroundImage", "fontSize", "fontStyle", "fontWeight", "opacity",
                     "textDecoration", "textShadow", "visibility", "display"];
    const again = [];
    for (const block of document.querySelectorAll("pre")) {
        const seen = new Set();
        for (const word of block.querySelectorAll("span:not(:has(*))")) {
            if ([...word.attributes].some(attribute => attribute.name !== "class")) continue;
            const style = getComputedStyle(word), parent = word.parentElement;
            const drawn = [parent === block, parent.className, ...ASPECTS.map(aspect => style[aspect])].join("|");
            if (seen.has(drawn)) again.push(word);
            seen.add(drawn);
        }
    }
    for (const word of again) word.replaceWith(word.textContent);
    return again.length;
}"""


def plainer_code(page):
    """Turn words of code that are drawn as others of their block into plain text, for good; return how many."""
    return page.evaluate(PLAINER_CODE)


def complaints(page):
    """What axe finds, as text; "" when it finds nothing."""
    found = Axe().run(page)
    return found.generate_report() if found.violations_count else ""
