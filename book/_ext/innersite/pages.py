"""Every page: a description, few and deferred scripts, only the icons that it shows, and nothing from other hosts."""

import os
import re
from pathlib import Path

import pydata_sphinx_theme
import sphinx_book_theme
from docutils import nodes
from math_core import LatexError
from sphinx.errors import SphinxError

from innersite import fonts
from innersite.mathematics import to_mathml

WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
DESCRIPTION_LENGTH = 160
DESCRIPTIONS = {
    "search": "Search every chapter of {title}.",
    "genindex": "Index of the terms in {title}.",
}
BINDER, COLAB = "https://mybinder.org", "https://colab.research.google.com"
NOTEBOOK_BRANCH = "notebooks"

THEME = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme"
BOOK_THEME = Path(sphinx_book_theme.__file__).parent


def repository_address(configured, environment):
    """Return the address of the repository, or "" when there is none to point at.

    `repository.url` in _config.yml is the one place for it; on GitHub's own machines the standard variables stand in.
    """
    server, name = environment.get("GITHUB_SERVER_URL"), environment.get("GITHUB_REPOSITORY")
    return (configured or (f"{server}/{name}" if server and name else "")).rstrip("/")


def point_at_repository(app, config):
    """Offer repository and launch buttons if, and only if, the repository's address is known.

    The theme links a page to `<pagename>.ipynb` when a file of that name lies beside its `.md` *while the site is
    built*, and to the `.md` otherwise, which Colab cannot open. The notebooks live on a branch of their own, where
    they are generated when the site is deployed; see `notebook_links`.
    """
    options = config.html_theme_options
    address = repository_address(options.get("repository_url"), os.environ)
    options["repository_url"] = address
    options["use_repository_button"] = options["use_issues_button"] = bool(address)
    options["use_edit_page_button"] = options["use_source_button"] = False
    options["use_fullscreen_button"] = False  # every browser has one
    options["toc_title"] = "On this page"
    options["collapse_navbar"] = True  # exercises are listed below the chapter at hand only
    launch = options.setdefault("launch_buttons", {})
    launch["thebe"] = False
    if address:
        options["repository_branch"] = NOTEBOOK_BRANCH
        # Jupyter Book's own settings are there already, empty.
        launch["binderhub_url"] = launch.get("binderhub_url") or BINDER
        if "github.com/" in address:
            launch["colab_url"] = launch.get("colab_url") or COLAB
    else:
        for provider in ("binderhub_url", "jupyterhub_url", "colab_url", "deepnote_url"):
            launch.pop(provider, None)


def notebook_links(app, pagename, templatename, context, doctree):
    """Make launch links name the `.ipynb`, whether or not one lies beside the `.md` at this moment."""
    for group in context.get("header_buttons", []):
        if group.get("label") == "launch-buttons":
            for button in group["buttons"]:
                button["url"] = re.sub(r"\.md$", ".ipynb", button.get("url", ""))


def unfold_contents(app, pagename, templatename, context, doctree):
    """List the pages below the current chapter without the theme's fold, whose button has no accessible name."""
    generate = context["generate_toctree_html"]

    def unfolded(kind, **options):
        contents = generate(kind, **options)
        for button in contents.select("li > details > summary") if kind == "sidebar" and contents else []:
            fold = button.parent
            button.decompose()
            fold.unwrap()
        return contents

    context["generate_toctree_html"] = unfolded


def first_paragraph(doctree):
    """Return the text of the first paragraph that is prose of the page itself, not of a box or a caption."""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, (nodes.section, nodes.document)):
            text = " ".join(plain_text(paragraph).split())
            if text:
                return text
    return ""


def plain_text(paragraph):
    """Return the text of a paragraph, formulas as a reader sees them rather than as LaTeX."""
    copy = paragraph.deepcopy()
    for formula in list(copy.findall(nodes.math)):
        formula.replace_self(nodes.Text(re.sub(r"<[^>]*>|&[A-Za-z]+;", "", read_math(formula.astext()))))
    return copy.astext()


def read_math(tex):
    """Return `tex` as MathML, or as it is where it cannot be read (which is reported where the formula is set)."""
    try:
        return to_mathml(tex, display=False)
    except LatexError:
        return tex


def shortened(text, length=DESCRIPTION_LENGTH):
    """Return `text`, cut after a whole word when it is longer than `length`."""
    return text if len(text) <= length else text[: length - 1].rsplit(" ", 1)[0].rstrip(",;:.") + "…"


def describe(app, pagename, templatename, context, doctree):
    """Give the page a description: its own `html_meta`, or its first paragraph."""
    if 'name="description"' in context.get("metatags", ""):
        return
    text = first_paragraph(doctree) if doctree else ""
    text = text or DESCRIPTIONS.get(pagename, "{title}").format(title=app.config.html_title)
    tag = f'<meta name="description" content="{escaped(shortened(text))}">'
    context["metatags"] = context.get("metatags", "") + "\n    " + tag


def escaped(text):
    """Return `text` as it may stand in a double-quoted attribute."""
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


def lighten_scripts(app, pagename, templatename, context, doctree):
    """Remove scripts that no page of this book needs, and defer the others."""
    kept = []
    for script in context["script_files"]:
        attributes = getattr(script, "attributes", {})
        if attributes.get("type") == WIDGET_STATE:
            continue  # a page here has no widget manager that would read it
        if "DOCUMENTATION_OPTIONS." in attributes.get("body", ""):
            continue  # for the theme's version switcher, which needs a script loaded before the page is drawn
        if getattr(script, "filename", None):
            attributes["defer"] = "defer"
        kept.append(script)
    context["script_files"] = kept


PLAIN = re.compile(r'<span class="(?:n|nn|p|w)">([^<]*)</span>')  # names, modules, punctuation, blanks


def lighten_code(app, pagename, templatename, context, doctree):
    """Unwrap words of code that have the text's color: in a long chapter, six of ten thousand elements."""
    if "body" in context:
        context["body"] = PLAIN.sub(r"\1", context["body"])


def mend_roles(app, pagename, templatename, context, doctree):
    """Remove the roles of bibliography entries, which ARIA 1.3 has dropped."""
    body = context.get("body", "")
    body = body.replace(' role="doc-biblioentry"', "").replace('<div role="list" class="citation-list">', "<div>")
    if "body" in context:
        context["body"] = body


def announce_math(app, pagename, templatename, context, doctree):
    """Tell the template whether the page has formulas, so that it preloads their font."""
    context["has_math"] = "<math" in context.get("body", "")


def icon_names():
    """Return the Font Awesome icons that the two themes name in templates, scripts and Python."""
    folders = [(THEME, "*.html"), (BOOK_THEME, "*.html"), (BOOK_THEME / "header_buttons", "*.py")]
    texts = [path.read_text("utf8") for folder, pattern in folders for path in sorted(folder.rglob(pattern))]
    texts.append("fa-github fa-gitlab")  # the header button composes these
    return set(re.findall(r"\bfa-([a-z][a-z0-9-]*)", " ".join(texts)))


def vendored_icons():
    """Return the folder in which the theme keeps Font Awesome."""
    return next((THEME / "static" / "vendor" / "fontawesome").iterdir())


def write_icons(target):
    """Write icons.css and the fonts it uses to `target`: of some two thousand icons, those that the themes show."""
    source = vendored_icons()
    names = icon_names()
    sheet = (source / "css" / "all.min.css").read_text("utf8")
    codes = {}
    for selectors, code in re.findall(r"((?:\.fa-[\w-]+:before,?)+)\{content:\"\\([0-9a-f]+)\"\}", sheet):
        for name in re.findall(r"\.fa-([\w-]+):before", selectors):
            if name in names:
                codes[name] = code
    themed = "".join(path.read_text("utf8") for path in sorted(THEME.glob("static/styles/*.css")))
    wanted = set(codes.values()) | {f"{ord(letter):x}" for letter in PRIVATE.findall(themed)}
    rules = [ICON_RULES]
    for family, weight, file in ICON_FONTS:
        fonts.cut(source / "webfonts" / file, target / file, [int(code, 16) for code in wanted])
        rules.append(
            f'@font-face {{ font-family: "{family}"; font-weight: {weight}; font-display: block; '
            f'src: url("{file}") format("woff2"); }}'
        )
    rules += [f'.fa-{name}::before {{ content: "\\{code}"; }}' for name, code in sorted(codes.items())]
    (target / "icons.css").write_text("\n".join(rules) + "\n", "utf8")


ICON_FONTS = (
    ("Font Awesome 6 Free", 900, "fa-solid-900.woff2"),
    ("Font Awesome 6 Free", 400, "fa-regular-400.woff2"),
    ("Font Awesome 6 Brands", 400, "fa-brands-400.woff2"),
)
PRIVATE = re.compile("[\ue000-\uf8ff]")  # where icon fonts keep their letters; the theme's CSS writes them as they are
ICON_RULES = """\
:root { --fa-font-solid: 900 1em/1 "Font Awesome 6 Free"; --fa-font-regular: 400 1em/1 "Font Awesome 6 Free"; }
.fa, .fas, .far, .fab, .fa-solid, .fa-regular, .fa-brands {
  display: inline-block; font: 400 1em/1 "Font Awesome 6 Free"; -webkit-font-smoothing: antialiased;
}
.fa, .fas, .fa-solid { font-weight: 900; }
.fab, .fa-brands { font-family: "Font Awesome 6 Brands"; }
.fa-lg { font-size: 1.25em; line-height: .05em; vertical-align: -.075em; }"""


def provide_icons(app):
    """Put the cut icons among the site's static files."""
    fonts.provide(app, "icons", write_icons, __file__, ["pydata-sphinx-theme", "sphinx-book-theme"])


FRONT_DOOR = """\
<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta http-equiv="refresh" content="0; url={target}">
<link rel="canonical" href="{canonical}">
<link rel="icon" href="data:,">
</head>
<body><p><a href="{target}">{title}</a></p></body>
</html>
"""


def write_front_door(app, exception):
    """Write index.html, which redirects to the first page and has a title, a language and a link."""
    if exception is None and app.builder.name == "html" and app.config.root_doc != "index":
        names = {"language": app.config.language, "title": app.config.html_title}
        target = app.builder.get_target_uri(app.config.root_doc)
        names["canonical"] = app.config.html_baseurl + target
        Path(app.outdir, "index.html").write_text(FRONT_DOOR.format(target=target, **names), "utf8")


MEASURES_ALL = re.compile(
    r'const \w=\(\)=>\{document\.querySelectorAll\("pre, \.nboutput[^}]*\}\)\)\},\w=function.*?,e\(\)(?=\})'
)


def calm_theme(app, exception):
    """Keep the theme's script from measuring every code block at once and after every change, which lays out the page.

    Instead `site.js` makes scrolling boxes near the window reachable by keyboard.
    """
    script = Path(app.outdir, "_static", "scripts", "pydata-sphinx-theme.js")
    if exception is not None or app.builder.name != "html" or not script.is_file():
        return
    text = script.read_text("utf8")
    if 'document.querySelectorAll("pre, .nboutput' not in text:
        return  # done already
    text, count = MEASURES_ALL.subn("", text)
    if count != 1:
        raise SphinxError("the theme's script has changed: see calm_theme in innersite/pages.py")
    script.write_text(text, "utf8")


def setup(app):
    app.connect("config-inited", point_at_repository)
    app.connect("builder-inited", provide_icons)
    app.connect("html-page-context", describe)
    app.connect("html-page-context", announce_math)
    app.connect("html-page-context", lighten_code)
    app.connect("html-page-context", mend_roles)
    app.connect("html-page-context", notebook_links, priority=900)
    app.connect("html-page-context", unfold_contents, priority=900)
    app.connect("html-page-context", lighten_scripts, priority=900)
    app.connect("build-finished", write_front_door)
    app.connect("build-finished", calm_theme)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
