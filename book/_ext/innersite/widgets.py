"""Puts the front ends of the laboratory's widgets on the pages that have one, as one script and one style sheet."""

from pathlib import Path

from innerlab.widgets import scripts

SCRIPT, STYLE = "widgets.js", "widgets.css"


def provide_front_ends(app):
    """Write script and style among the site's static files, at every build: that takes no time."""
    if app.builder.format != "html":
        return
    folder = Path(app.outdir).parent / "site_assets" / "widgets"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SCRIPT).write_text(scripts.page_script(), "utf8")
    (folder / STYLE).write_text(scripts.style(), "utf8")
    app.config.html_static_path.append(str(folder))


def mount(app, pagename, templatename, context, doctree):
    """Load them on a page that holds a widget's placeholder."""
    if "data-innerlab=" in context.get("body", ""):
        app.add_css_file(STYLE)
        app.add_js_file(SCRIPT)


def setup(app):
    app.connect("builder-inited", provide_front_ends)
    app.connect("html-page-context", mount)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
