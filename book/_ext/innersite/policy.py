"""A content security policy on every page: nothing from other hosts, and only the inline scripts of the finished page.

The policy stands in the page, since neither a free host nor a folder on somebody's disk sends headers.  It is written
when the page is finished, for only then is it known which inline scripts templates and extensions have put there.
"""

import base64
import hashlib
import re
from pathlib import Path

# A page opened from a folder has no origin that could be called its own.  Chromium lets 'self' match its neighbors; an
# editor of the standard would have it match nothing (github.com/w3c/webappsec-csp, issue 459).  Naming `file:` settles
# that, and costs nothing on the web, where no browser lets a page load files.
HERE = "'self' file:"
FIXED = f"img-src {HERE} data:; object-src 'none'; base-uri 'none'; form-action {HERE}"

CHARSET = re.compile(r'<meta charset="utf-8" ?/?>')
SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script>", re.DOTALL | re.IGNORECASE)
DATA = re.compile(r"""\btype=["']?application/(?:\w+\+)?json\b""")  # not run, so no policy applies to it
MARK = '<meta http-equiv="Content-Security-Policy"'

# What themes write into pages that the policy forbids, and what stands for it: site.js and site.css do the work.
FORBIDDEN = (
    (' onclick="window.print()"', " data-print"),
    ('<table style="width: 100%" class="indextable', '<table class="indextable'),
    ('<td style="width: 33%; vertical-align: top;">', "<td>"),
)


def inline_scripts(html):
    """Return the text of each script that stands in the page and is run, without repetitions, in order."""
    found = (
        text
        for attributes, text in SCRIPT.findall(html)
        if not re.search(r"\bsrc=", attributes) and not DATA.search(attributes)
    )
    return list(dict.fromkeys(found))


def policy(html):
    """Return the policy for a page."""
    digests = [hashlib.sha256(text.encode("utf8")).digest() for text in inline_scripts(html)]
    hashes = "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return f"default-src {HERE}; script-src {HERE}{hashes}; {FIXED}"


def secured(html):
    """Return a page with its policy, above everything that the policy governs.

    Raises:
        ValueError: if the page does not begin with the declaration of its character encoding.
    """
    for forbidden, instead in FORBIDDEN:
        html = html.replace(forbidden, instead)
    place = CHARSET.search(html)
    if place is None or "<script" in html[: place.start()]:
        raise ValueError('a page must begin with <meta charset="utf-8">, above all scripts')
    return f'{html[: place.end()]}\n    {MARK} content="{policy(html)}">{html[place.end() :]}'


def secure_pages(app, exception):
    """Add the policy to every page written in this build, except for templates among the static files."""
    if exception is not None or app.builder.name != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        html = path.read_text("utf8")
        if MARK not in html and Path(app.outdir, "_static") not in path.parents:
            path.write_text(secured(html), "utf8")


def setup(app):
    app.connect("build-finished", secure_pages, priority=900)  # when all that is written has been
    return {"parallel_read_safe": True, "parallel_write_safe": True}
