"""Pages with widgets alone, without a kernel, and how tests go about on them."""

import re

import pytest
from reader import PATIENCE

from innerlab.widgets import scripts

SCHEMES = pytest.mark.parametrize("scheme", ["http", "file"])

PAGE = """<!DOCTYPE html>
<html lang="en" data-theme="light">
<head><meta charset="utf-8"><title>Widgets</title><meta name="viewport" content="width=device-width">
<link rel="icon" href="icon.svg"><link rel="stylesheet" href="widgets.css"><script defer src="widgets.js"></script>
</head>
<body><main><h1>Widgets</h1>{body}
<figure id="fig-one"><p>the first figure</p><figcaption>One</figcaption></figure>
<figure id="fig-two"><p>the second figure</p></figure></main></body></html>"""


def tab_to(page, selector, steps=80):
    """Press Tab until the element has the focus."""
    for _ in range(steps):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{selector} was not reached in {steps} steps")


def rows_of(rows):
    """The texts of the cells of each row of a table, all read at once: a question for each cell takes far longer."""
    return rows.evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.innerText))")


def attributes(elements, name):
    """An attribute of each of some elements, read at once."""
    return elements.evaluate_all("(elements, name) => elements.map(element => element.getAttribute(name))", name)


def cells_of(box):
    """What each cell of the maze holds, in words."""
    labels = attributes(box.get_by_role("gridcell"), "aria-label")
    return [re.search(r": ([\w' ]+)", label)[1] for label in labels]


def stop_when_drawn(box, start, path, lines):
    """Press a button, then Stop as soon as a path has so many lines: in the page, where no run ends while we ask."""
    box.evaluate(
        """(box, [start, path, lines, patience]) => new Promise((done, fail) => {
            const press = name => [...box.querySelectorAll("button")].find(e => e.textContent === name).click();
            const drawn = () => (box.querySelector(path)?.getAttribute("d") ?? "").split("L").length - 1;
            const watch = new MutationObserver(() => {
                if (drawn() < lines) return;
                watch.disconnect();
                press("Stop");
                done();
            });
            watch.observe(box, { attributes: true, childList: true, subtree: true });
            press(start);
            setTimeout(() => fail(new Error(`only ${drawn()} lines were drawn`)), patience);
        })""",
        [start, path, lines, 1000 * PATIENCE],
    )


def write_pages(place, widgets):
    """Write pages into a folder: each widget once, each twice, and those of one kind, named for it."""
    bodies = {"once": "".join(widget.html() for widget in widgets)}
    bodies["twice"] = 2 * bodies["once"]
    for widget in widgets:
        bodies[widget.front] = bodies.get(widget.front, "") + widget.html()
    for name, body in bodies.items():
        (place / f"{name}.html").write_text(PAGE.format(body=body), "utf8")
    (place / "widgets.js").write_text(scripts.page_script(), "utf8")
    (place / "widgets.css").write_text(scripts.style(), "utf8")
    (place / "icon.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', "utf8")
