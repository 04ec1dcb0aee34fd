"""What axe finds wrong with a page as it is shown now."""

from axe_playwright_python.base import AXE_SCRIPT, AxeResults

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

# Contrast takes axe three quarters of its time, a few milliseconds for every element with text. It depends on how the
# text is drawn, and on the grounds of what it stands in. Of elements that are alike in both, the first is marked, to be
# judged for all. What axe cannot decide (single letters, icons, drawings, what a box cuts off) never stands for what it
# can, and what something that is moved may lie under or over is judged by itself.
MARK_CASES = """() => {
    const TEXT = ["color", "fontSize", "fontWeight", "textShadow", "webkitTextStrokeWidth", "webkitTextStrokeColor",
                  "webkitTextFillColor"];
    const GROUND = ["backgroundColor", "backgroundImage", "backgroundClip", "opacity", "filter", "mixBlendMode",
                    "visibility", "clipPath"];
    const NONE = "rgba(0, 0, 0, 0)", PLAIN = NONE + "|none|border-box|1|none|normal|visible|none";
    const DRAWINGS = "img, svg, canvas, input, select, textarea, button";
    const SEEN = { opacityProperty: true, visibilityProperty: true };
    const MARGINS = ["marginTop", "marginRight", "marginBottom", "marginLeft"];
    const grounds = new Map(), rooms = new Map(), moved = new Set(), over = [];
    const all = [document.documentElement, ...document.querySelectorAll("body, body *")];
    const shown = all.filter(e => e.getClientRects().length);
    for (const e of shown) {
        const style = getComputedStyle(e), parent = e.parentElement, box = e.getBoundingClientRect();
        const ground = GROUND.map(aspect => style[aspect]).join("|");
        grounds.set(e, (grounds.get(parent) ?? "") + (ground === PLAIN ? "" : ">" + ground));
        rooms.set(e, [...(rooms.get(parent) ?? []), ...(style.overflow === "visible" ? [] : [box])]);
        if (moved.has(parent) || style.position !== "static" || style.float !== "none" || style.transform !== "none" ||
            MARGINS.some(side => parseFloat(style[side]) < 0)) {
            moved.add(e);
            const paints = style.backgroundColor !== NONE || style.backgroundImage !== "none" || e.matches(DRAWINGS);
            if (paints && !e.ownerSVGElement && e.checkVisibility(SEEN)) over.push([e, box]);
        }
    }
    const inside = (box, room) =>
        box.left >= room.left && box.right <= room.right && box.top >= room.top && box.bottom <= room.bottom;
    const meet = (a, b) => a.left < b.right && a.right > b.left && a.top < b.bottom && a.bottom > b.top;
    const seen = new Set();
    let marked = 0;
    for (const e of shown) {
        const text = [...e.childNodes].filter(node => node.nodeType === 3).map(node => node.data.trim()).join("");
        if (!text && !e.matches("input, select, textarea, button")) continue;
        const style = getComputedStyle(e), box = e.getBoundingClientRect();
        const undecided = [text.length < 2, /[^\\x20-\\u2bff]/.test(text), e.closest("svg, math") !== null,
                           !rooms.get(e).every(room => inside(box, room))];
        const drawn = [...undecided, ...TEXT.map(aspect => style[aspect]), grounds.get(e)].join("|");
        const met = over.some(([other, room]) => meet(box, room) && !other.contains(e) && !e.contains(other));
        if (!met && seen.has(drawn)) continue;
        seen.add(drawn);
        e.dataset.caseOfContrast = "";
        marked += 1;
    }
    return marked;
}"""

JUDGED = """async () => {
    for (const e of document.querySelectorAll("[data-case-of-contrast]")) delete e.dataset.caseOfContrast;
    const marked = (MARK)();
    axe.configure({ rules: [{ id: "color-contrast", selector: "[data-case-of-contrast]" }] });
    return [marked, await axe.run({ resultTypes: ["violations"] })];
}""".replace("MARK", MARK_CASES)


def plainer_code(page):
    """Turn words of code that are drawn as others of their block into plain text, for good; return how many."""
    return page.evaluate(PLAINER_CODE)


def complaints(page):
    """What axe finds, as text; "" when it finds nothing."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE_SCRIPT)
    marked, response = page.evaluate(JUDGED)
    assert marked > 0, "the page has no text whose contrast could be judged"
    found = AxeResults(response)
    if not found.violations_count:
        return ""
    return found.generate_report() + "\nOf text that is drawn alike, on grounds that are alike, the first is named."
