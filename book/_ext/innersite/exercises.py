"""The exercises on the site: pages to read them, and a box that says where they can be worked.

A page is the committed notebook in `exercises/`, without the cells that only mean something where code runs. The box
stands there and at the end of the chapter. It says what the cards in `solutions/` come to, offers notebooks that lie in
the site itself, and, where a repository is known, leads to services that run them.
"""

import re
from pathlib import Path, PurePosixPath

import nbformat
from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util.osutil import relative_uri
from sphinx_book_theme.header_buttons.launch import add_launch_buttons

from innersite import notebooks
from innersite.cards import hours, read_cards, solutions, source_of
from innersite.pages import escaped, shortened

FOLDER = "exercises"  # of the notebooks, and so of their pages
DOWNLOADS = "notebooks"  # where in the site notebooks lie to be taken away
HEADING = "Exercises for this chapter"
SCRIPT, MARK = "launch.js", "data-hub"
TEMPLATE = "exercises-box.html"
POINTS_COUNTED = ("summary(", "## How far are you?")  # how the cells begin that count points, at a notebook's end


def chapter_of(docname):
    """Return the chapter whose exercises are on a page, or "" when it is no exercise page."""
    path = PurePosixPath(docname)
    return path.name if path.parent == PurePosixPath(FOLDER) else ""


# The page


def for_readers(notebook):
    """Return an exercise notebook without the cells that need a kernel: checks, empty answers, the count."""
    notebook.cells = [
        cell
        for cell in notebook.cells
        if not cell.metadata.get("nbgrader", {}).get("grade") and not cell.source.startswith(POINTS_COUNTED)
    ]
    return notebook


def leave_out(app, docname, source):
    """Let Sphinx read an exercise page's notebook without these cells; the file stays as it is."""
    if chapter_of(docname):
        source[0] = nbformat.writes(for_readers(nbformat.reads(source[0], as_version=4)))


def describe(app, pagename, templatename, context, doctree):
    """Give an exercise page a description: its first paragraph would say what the chapter's says."""
    if chapter_of(pagename):
        titles = "; ".join(card.title for card in read_cards(source_of(app.env, chapter_of(pagename))))
        title = re.sub(r"(?<=\w)$", ".", context["title"])
        text = escaped(shortened(f"{title} {titles}."))
        context["metatags"] = context.get("metatags", "") + f'\n    <meta name="description" content="{text}">'


# The box


class exercises_box(nodes.General, nodes.Element):
    """A placeholder for the box until the page is written, since launch links depend on settings, not on the text."""


class Boxes(SphinxTransform):
    """Puts the box on exercise pages, below the first paragraph, and at the end of chapters that have exercises."""

    default_priority = 400  # before Sphinx collects a page's headings

    def apply(self):
        """Insert the placeholder of the box."""
        page = next(self.document.findall(nodes.section), None)
        chapter = chapter_of(self.env.docname)
        if chapter and page is not None:
            first = next(index for index, node in enumerate(page) if isinstance(node, nodes.paragraph))
            page.insert(first + 1, exercises_box(chapter=chapter))
            for text in list(page.findall(nodes.Text)):
                if re.fullmatch("●+○*", text):
                    text.parent.replace(text, difficulty(text))
        elif page is not None and f"{FOLDER}/{(chapter := Path(self.env.docname).name)}" in self.env.found_docs:
            section = nodes.section("", nodes.title(text=HEADING), names=[nodes.fully_normalize_name(HEADING)])
            self.document.note_implicit_target(section, section)
            page += section
            section += exercises_box(chapter=chapter)
        else:
            return
        solutions(self.env, chapter)  # whose change then brings the page up to date


def difficulty(dots):
    """Return the dots of a difficulty, with words for screen readers."""
    words = f"{dots.count('●')} of {len(dots)}"
    html = f'<span aria-hidden="true">{dots}</span><span class="visually-hidden">{words}</span>'
    return nodes.raw("", html, format="html")


def write_box(writer, node):
    """Write the box in place of the node."""
    builder, chapter = writer.builder, node["chapter"]
    here = builder.get_target_uri(builder.current_docname)
    cards = read_cards(source_of(builder.env, chapter))
    page = f"{FOLDER}/{chapter}"
    options = builder.config.html_theme_options
    names = {
        "here": chapter_of(builder.current_docname),
        "page": relative_uri(here, builder.get_target_uri(page)),
        "count": len(cards),
        "points": sum(card.points for card in cards),
        "time": hours(sum(card.minutes for card in cards)),
        "notebook": relative_uri(here, f"{DOWNLOADS}/{chapter}.ipynb"),
        "answers": relative_uri(here, f"{DOWNLOADS}/{chapter}-solutions.ipynb"),
        "launch": launch_links(builder.app, page),
        "path": f"{page}.ipynb",
        "repository": options.get("repository_url"),
        "branch": options.get("repository_branch"),
    }
    writer.body.append(builder.templates.render(TEMPLATE, names))
    raise nodes.SkipNode


def launch_links(app, page):
    """Return the theme's own launch links for a page that is a notebook, as its buttons: `text` and `url`."""
    context = {**app.config.html_context, "header_buttons": [], "pagename": page, "sourcename": f"{page}.ipynb"}
    add_launch_buttons(app, page, "page.html", context, None)
    return [button for group in context["header_buttons"] for button in group["buttons"]]


def load_script(app, pagename, templatename, context, doctree):
    """Load the script for links to a JupyterHub on pages that offer such a link."""
    if MARK in context.get("body", ""):
        app.add_js_file(SCRIPT)


# What is taken away


def download_button(app, pagename, templatename, context, doctree):
    """Let the theme's download button offer the notebook that says how to install the laboratory."""
    chapter = chapter_of(pagename)
    for group in context.get("header_buttons", []) if chapter else []:
        for button in group.get("buttons", []):
            if button.get("label") == "download-source-button":
                button["url"] = context["pathto"](f"{DOWNLOADS}/{chapter}.ipynb", 1)


def write_downloads(app, exception):
    """Write the notebooks for download: for each exercise page one to work in, and one with the answers."""
    if exception is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir) / DOWNLOADS
    folder.mkdir(exist_ok=True)
    address = app.config.html_theme_options.get("repository_url", "")
    for chapter in filter(None, map(chapter_of, app.env.found_docs)):
        exercise = notebooks.exercise(Path(app.srcdir, FOLDER, f"{chapter}.ipynb"), address)
        answers = notebooks.solution(source_of(app.env, chapter), address)
        (folder / f"{chapter}.ipynb").write_text(exercise, "utf8", newline="\n")
        (folder / f"{chapter}-solutions.ipynb").write_text(answers, "utf8", newline="\n")


def setup(app):
    app.add_node(exercises_box, html=(write_box, None))
    app.add_transform(Boxes)
    app.connect("source-read", leave_out)
    app.connect("html-page-context", describe, priority=400)  # before the other, which leaves it as it is
    app.connect("html-page-context", load_script)
    app.connect("html-page-context", download_button, priority=900)  # after the theme
    app.connect("build-finished", write_downloads)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
