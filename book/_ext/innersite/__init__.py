"""What this book adds to Jupyter Book: execution of chapters, math, terms, exercises, evidence, and what pages carry."""

from innersite import execution, exercises, figures, mathematics, pages, terms, widgets


def setup(app):
    execution.setup(app)
    exercises.setup(app)
    figures.setup(app)
    mathematics.setup(app)
    pages.setup(app)
    terms.setup(app)
    widgets.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
