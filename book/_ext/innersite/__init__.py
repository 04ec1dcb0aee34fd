"""What this book adds to Jupyter Book: execution, math, terms, exercises, evidence, and what every page carries."""

import hashlib
from pathlib import Path


def note_sources(app, config):
    """Keep digests of what pages are made by in the configuration, so that Sphinx makes them again when it has changed.

    After a change of their looks pages are only written again. Otherwise Sphinx, which sees to static files after
    pages, would find nothing to do and leave the old ones in place.
    """
    from innersite import citation

    folders = [Path(app.srcdir, name) for name in (*config.html_static_path, *config.templates_path)]
    looks = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    config.innersite_sources = digest([*sorted(Path(__file__).parent.glob("*.py")), Path(app.srcdir, citation.SOURCE)])
    config.innersite_looks = digest(looks)


def digest(paths):
    """Return a hexadecimal SHA-256 of the contents of some files."""
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()


def setup(app):
    # Not at the top: together they take seconds to import, PyTorch among them, and whoever wants one wants only that.
    from innersite import (
        cards,
        citation,
        evidence,
        execution,
        exercises,
        figures,
        head,
        mathematics,
        pages,
        policy,
        references,
        styles,
        terms,
        widgets,
    )

    app.add_config_value("innersite_sources", "", "env")
    app.add_config_value("innersite_looks", "", "html")
    app.connect("config-inited", note_sources)
    cards.setup(app)
    citation.setup(app)
    execution.setup(app)
    evidence.setup(app)
    exercises.setup(app)
    figures.setup(app)
    mathematics.setup(app)
    pages.setup(app)
    head.setup(app)
    references.setup(app)
    terms.setup(app)
    widgets.setup(app)
    styles.setup(app)
    policy.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
