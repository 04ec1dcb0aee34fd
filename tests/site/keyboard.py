"""What the keyboard cannot do on a page that the pointer can, and where Tab leads."""

from reader import after

# What can have the focus, and whether the reader could see it there. `shown` does not ask how far away it is.
COMMON = """
    const REACHED = "a[href], area[href], button, input, select, textarea, summary, iframe, [tabindex]";
    const shown = e => e.checkVisibility({ visibilityProperty: true, opacityProperty: false });
    const stops = e => e.matches(REACHED) && e.tabIndex >= 0 && !e.disabled && !e.closest("[inert]");
    const words = e => e.cloneNode(false).outerHTML.slice(0, 160) + " " + e.textContent.trim().slice(0, 30);
    const line = e => {
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(e);
        const drawn = e.closest("svg") ? [...e.children].map(part => getComputedStyle(part)) : [];
        const strokes = drawn.map(part => part.stroke + part.strokeWidth).join(); // a drawing has a ring of its own
        return [outlineStyle !== "none" && parseFloat(outlineWidth) >= 2, boxShadow + strokes];
    };
    const UNFOLDING = ".bd-toc-nav ul ul"; // entries that show while the reader is in their section
    // A control that is drawn by what stands around it may leave the ring to it.
    const bearers = e => [e, e.parentElement, e.closest("label")].filter(Boolean);
"""

# Styles are read in one go before anything is focused. Of elements that are alike, one is tried.
FAULTS = (
    "() => {"
    + COMMON
    + """
    const found = [];
    const all = [...document.body.querySelectorAll("*")].filter(e => !e.closest("svg") || e.matches("svg, [tabindex]"));
    for (const e of all) if (e.tabIndex > 0) found.push("out of the page's order: " + words(e));
    const pressed = new Set(all.filter(e => getComputedStyle(e).cursor === "pointer" && shown(e)));
    for (const e of pressed) {
        if (pressed.has(e.parentElement) || e.disabled) continue;
        let reached = [e, ...e.querySelectorAll(REACHED)].some(stops) || stops(e.closest(REACHED) || e);
        reached ||= [...(e.closest("label, [role=grid]")?.querySelectorAll(REACHED) ?? [])].some(stops);
        reached ||= Boolean(e.closest("label")?.control && stops(e.closest("label").control));
        if (!reached) found.push("only for the pointer: " + words(e));
    }
    const kinds = new Map();
    for (const e of all.filter(e => stops(e) && shown(e))) {
        const around = [e.parentElement.className, e.closest("main") !== null];
        kinds.set([e.localName, e.type, e.className, ...around].join("|"), e);
    }
    for (const e of kinds.values()) {
        const before = bearers(e).map(line);
        e.focus({ preventScroll: true, focusVisible: true });
        if (document.activeElement !== e) found.push("takes no focus: " + words(e));
        const after = bearers(e).map(line);
        const ring = after.some(([outline, shadow], i) => (outline && !before[i][0]) || (shadow !== before[i][1]));
        if (!ring) found.push("shows no focus: " + words(e));
        if (!e.checkVisibility({ opacityProperty: true })) found.push("stays out of sight: " + words(e));
        e.blur();
    }
    return [found, kinds.size];
}"""
)

EXPECTED = (
    "() => {"
    + COMMON
    + """
    const groups = new Map(); // of radio buttons, each one stop: the one that is chosen, else the first
    const all = [...document.body.querySelectorAll(REACHED)].filter(e => stops(e) && shown(e) && !e.closest(UNFOLDING));
    for (const e of all.filter(e => e.type === "radio")) if (e.checked || !groups.has(e.name)) groups.set(e.name, e);
    window.expected = all.filter(e => e.type !== "radio" || groups.get(e.name) === e);
    return window.expected.length;
}"""
)

AT = (
    "() => {"
    + COMMON
    + """
    const e = document.activeElement;
    if (e.closest(UNFOLDING)) return null;
    const { left, right, top, bottom } = e.getClientRects()[0];
    const points = [[.5, .5], [.1, .1], [.9, .1], [.1, .9], [.9, .9]];
    const seen = points.some(([x, y]) => {
        const there = document.elementFromPoint(left + x * (right - left), top + y * (bottom - top));
        return there && (e.contains(there) || there === e.closest("label"));
    });
    return { number: window.expected.indexOf(e), seen, words: words(e), left: left + scrollX, top: top + scrollY,
             bottom: bottom + scrollY };
}"""
)


def faults(page):
    """Return what the keyboard cannot reach or does not show, in words, and how many kinds of things were tried."""
    return page.evaluate(FAULTS)


def walk(page):
    """Press Tab once through the page; return how many stops there should be, and the stops that there were."""
    after(page, 400)  # until the boxes that scroll are marked
    count = page.evaluate(EXPECTED)
    stops = []
    for _ in range(2 * count):
        page.keyboard.press("Tab")
        if stop := page.evaluate(AT):
            stops.append(stop)
        if len(stops) == count:
            break
    return count, stops
