"""What this book adds to Jupyter Book: execution, math, terms, exercises, evidence, and what every page carries."""

import hashlib
from pathlib import Path


def note_sources(app, config):
    """Keep a digest of this extension's sources in the configuration: when they change, Sphinx makes all pages anew."""
    from innersite import citation

    files = [*sorted(Path(__file__).parent.glob("*.py")), Path(app.srcdir, citation.SOURCE)]
    config.innersite_sources = hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


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
