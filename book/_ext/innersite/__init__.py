"""What this book adds to Jupyter Book: execution of chapters, math, terms, what pages carry and what answers there."""

from innersite import execution, figures, mathematics, pages, terms, widgets


def setup(app):
    execution.setup(app)
    figures.setup(app)
    mathematics.setup(app)
    pages.setup(app)
    terms.setup(app)
    widgets.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
