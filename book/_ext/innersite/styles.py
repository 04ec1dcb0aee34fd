"""One style sheet instead of a dozen, without the rules that no page can use.

A browser draws nothing before it has every sheet, and of Bootstrap's rules, which the theme brings whole, the book uses
a tenth.  When the site is built its sheets are put together, in order, and of those that are not ours a rule stays if
each class and each id that it asks for stands in some page, or as a word in some script, which might set it.
"""

import hashlib
import re
from pathlib import Path

import tinycss2

BUNDLE = "_static/book.css"
# What the theme has before the rest; its theme.css only imports Sphinx's basic.css.
FIRST = ("basic.css", "styles/bootstrap.css", "styles/pydata-sphinx-theme.css", "icons.css")
OWN = ("widgets.css", "terms.css", "evidence.css", "math.css", "site.css")
ASKED_FOR = re.compile(r"[.#](-?[A-Za-z_](?:[\w-]|\\.)*)")
IN_PAGES = re.compile(r"""\b(?:class|id)=(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
IN_SCRIPTS = re.compile(r"[A-Za-z_][\w-]*")
INLINE_SCRIPT = re.compile(r"<script\b[^>]*>(.+?)</script>", re.DOTALL)
ADDRESS = re.compile(r"""url\((["']?)(?!data:|#|/|\w+:)([^"')]+)\1\)""")
LINK = re.compile(rf'(href="[^"]*{re.escape(BUNDLE)})[^"]*"')
SHORTEST_BEGINNING = 4


class Used:
    """Classes and ids in pages and scripts: whole names, and prefixes that a script completes."""

    def __init__(self, pages, scripts):
        """Read the HTML of `pages` and the text of `scripts`."""
        words: set[str] = set()
        for page in pages:
            words.update(name for found in IN_PAGES.findall(page) for value in found for name in value.split())
            scripts = [*scripts, *INLINE_SCRIPT.findall(page)]
        for script in scripts:
            words.update(IN_SCRIPTS.findall(script))
        self.names = words
        self.beginnings = tuple(word for word in words if word.endswith("-") and len(word) >= SHORTEST_BEGINNING)

    def __contains__(self, name):
        """Tell whether an element may have this class or id."""
        return name in self.names or name.startswith(self.beginnings)


def used_in(folder):
    """Return the classes and ids in the pages and scripts of a built site."""
    static = Path(folder, "_static")
    pages = [path.read_text("utf8") for path in Path(folder).rglob("*.html") if static not in path.parents]
    scripts = [path.read_text("utf8") for path in static.rglob("*.js") if "vendor" not in path.parts]
    return Used(pages, scripts)


def matches(selector, used):
    """Tell whether an element may match a selector: whether its classes and ids outside of brackets are all used."""
    bare = selector
    while (inner := re.sub(r"\([^()]*\)|\[[^\[\]]*\]", "", bare)) != bare:  # :not(.a), :is(.a, .b), [href$=".a"]
        bare = inner
    return all(name.replace("\\", "") in used for name in ASKED_FOR.findall(bare))


def selectors(prelude):
    """Yield the selectors of a rule, split at commas that are not in brackets."""
    part: list = []
    for token in prelude:
        if token.type == "literal" and token.value == ",":
            yield tinycss2.serialize(part).strip()
            part = []
        else:
            part.append(token)
    yield tinycss2.serialize(part).strip()


def kept(rules, used):
    """Yield the text of each rule that some element may match, without the selectors that none can match."""
    for rule in rules:
        if rule.type == "qualified-rule":
            wanted = [selector for selector in selectors(rule.prelude) if matches(selector, used)]
            if wanted:
                yield f"{','.join(wanted)}{{{tinycss2.serialize(rule.content).strip()}}}"
        elif rule.type == "at-rule" and rule.at_keyword in ("media", "supports") and rule.content is not None:
            inside = "".join(kept(tinycss2.parse_rule_list(rule.content, True, True), used))
            if inside:
                yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude).rstrip()}{{{inside}}}"
        elif not (rule.type == "at-rule" and rule.at_keyword == "charset"):
            yield rule.serialize()


def moved(sheet, folder):
    """Return a sheet of a folder below the bundle's, with relative addresses rewritten for the bundle's folder."""
    return ADDRESS.sub(rf"url(\1{folder}/\2\1)", sheet) if folder != "." else sheet


def bundle(static, names, used):
    """Return the sheets of these names in the folder `static` as one, those of others without what is not `used`.

    Raises:
        FileNotFoundError: if there is no such sheet.
        ValueError: if a sheet cannot be read as CSS, or imports another.
    """
    texts = []
    for name in names:
        sheet = Path(static, name).read_text("utf8")
        rules = tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True)
        wanted = (rule.serialize() for rule in rules) if name in OWN else kept(rules, used)
        broken = [rule for rule in rules if rule.type == "error"]
        if broken:
            raise ValueError(f"{name}, line {broken[0].source_line}: {broken[0].message}")
        if any(rule.type == "at-rule" and rule.at_keyword == "import" for rule in rules):
            raise ValueError(f"{name} imports another sheet; name that one before it instead")
        texts.append(moved("\n".join(wanted), Path(name).parent.as_posix()))
    return "\n".join(texts) + "\n"


def collect(app, pagename, templatename, context, doctree):
    """Note the sheets, which are the same for all pages; the template links to the bundle instead."""
    sheets = sorted(context["css_files"], key=lambda sheet: sheet.priority)
    app.innersite_sheets = [*FIRST, *(sheet.filename.removeprefix("_static/") for sheet in sheets)]


def write_bundle(app, exception):
    """Write the bundle when some page was written, and its digest into each, so that no browser shows an old one."""
    if exception is not None or app.builder.format != "html" or not app.innersite_sheets:
        return
    static = Path(app.outdir, "_static")
    text = bundle(static, app.innersite_sheets, used_in(app.outdir))
    Path(app.outdir, BUNDLE).write_text(text, "utf8")
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    for path in Path(app.outdir).rglob("*.html"):
        page = path.read_text("utf8")
        linked = LINK.sub(rf'\1?v={digest}"', page)
        if linked != page:
            path.write_text(linked, "utf8")


def setup(app):
    app.innersite_sheets = []
    for name in OWN:
        app.add_css_file(name, priority=800)  # after everybody else's
    app.connect("html-page-context", collect, priority=950)
    app.connect("build-finished", write_bundle, priority=800)  # when the pages are written, before their policy is
    return {"parallel_read_safe": True, "parallel_write_safe": True}
