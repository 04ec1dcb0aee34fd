"""What this book adds to Jupyter Book: execution of chapters, math, what pages carry and what answers there."""

from innersite import evidence, execution, mathematics, pages, widgets


def setup(app):
    execution.setup(app)
    evidence.setup(app)
    mathematics.setup(app)
    pages.setup(app)
    widgets.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
