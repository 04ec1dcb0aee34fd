"""Puts the front ends of the laboratory's widgets on the pages that have one, as one script and one style sheet."""

from pathlib import Path

from innerlab.widgets import scripts

SCRIPT, STYLE = "widgets.js", "widgets.css"
MARK = "data-innerlab="  # on the placeholder of a widget


def provide_front_ends(app):
    """Write script and style among the site's static files, at every build: that takes no time."""
    if app.builder.format != "html":
        return
    folder = Path(app.outdir).parent / "site_assets" / "widgets"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in ((SCRIPT, scripts.page_script()), (STYLE, scripts.style())):
        (folder / name).write_text(text, "utf8")
    app.config.html_static_path.append(str(folder))


def with_old_front_ends(app, env, added, changed, removed):
    """The pages with a widget, if the site's script or style is not the one that was just made.

    Sphinx copies static files only when it writes a page, and a page names the version that it was written for.
    """
    if app.builder.format != "html":
        return []
    made = Path(app.outdir).parent / "site_assets" / "widgets"
    published = Path(app.outdir) / "_static"
    if all(_text(published / name) == _text(made / name) for name in (SCRIPT, STYLE)):
        return []
    return [name for name in env.all_docs if MARK in _text(Path(app.outdir) / f"{name}.html")]


def _text(path):
    return path.read_text("utf8") if path.is_file() else ""


def mount(app, pagename, templatename, context, doctree):
    """Load the script on a page that holds a widget's placeholder."""
    if MARK in context.get("body", ""):
        app.add_js_file(SCRIPT)


def setup(app):
    app.connect("builder-inited", provide_front_ends)
    app.connect("env-get-outdated", with_old_front_ends)
    app.connect("html-page-context", mount)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
