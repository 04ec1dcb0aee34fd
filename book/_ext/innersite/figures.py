"""Figures as files of their own, so that a page's text comes first and its pictures as the reader nears them.

In a notebook a figure is inline SVG in the ink of its surroundings. A picture in a file has no surroundings: it is told
both inks and both grounds, and takes those of the color scheme that the page has chosen for it.
"""

import hashlib
import re
from html import unescape
from pathlib import Path

FIGURE = re.compile(
    r'(?P<open><div class="innerlab-figure">)<svg role="img" aria-label="(?P<alt>[^"]*)" '
    r'viewBox="0 0 (?P<across>[\d.]+) (?P<down>[\d.]+)" width="(?P<width>\d+)"(?P<rest>[^>]*)>(?P<drawing>.*?)</svg>',
    re.DOTALL,
)
FIRST_LINE = '<svg viewBox="0 0 {across} {down}"{rest}><style>{colors}</style><title>{title}</title>'
# As in site.css: text and ground of the page, light and dark.
COLORS = "svg{color:#1d242d;background:#fff}@media (prefers-color-scheme:dark){svg{color:#dce2e8;background:#14191f}}"


def move_out(app, pagename, templatename, context, doctree):
    """Write the page's figures to files, and replace them by pictures that are loaded lazily."""
    if "body" not in context or app.builder.format != "html":
        return
    folder = Path(app.outdir, app.builder.imagedir)
    count = 0

    def picture(found):
        nonlocal count
        count += 1
        title = unescape(found["alt"]).replace("&", "&amp;").replace("<", "&lt;")
        names = {"across": found["across"], "down": found["down"], "rest": found["rest"]}
        text = FIRST_LINE.format(colors=COLORS, title=title, **names) + found["drawing"] + "</svg>\n"
        name = f"{pagename.replace('/', '-')}-{count}.svg"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf8", newline="\n")
        address = context["pathto"](f"{app.builder.imagedir}/{name}", 1)
        version = hashlib.sha256(text.encode()).hexdigest()[:8]
        height = round(int(found["width"]) * float(found["down"]) / float(found["across"]))
        return (
            f'{found["open"]}<img src="{address}?v={version}" alt="{found["alt"]}" class="dark-light" '
            f'width="{found["width"]}" height="{height}" loading="lazy" decoding="async">'
        )

    context["body"] = FIGURE.sub(picture, context["body"])


def setup(app):
    app.connect("html-page-context", move_out)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
