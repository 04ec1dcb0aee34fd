"""What this book adds to Jupyter Book: how chapters are executed, how math is set, what pages carry."""

from innersite import execution, mathematics, pages


def setup(app):
    execution.setup(app)
    mathematics.setup(app)
    pages.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
