"""What this book adds to Jupyter Book: how its chapters are executed, how math is set, what its pages carry."""

from innersite import mathematics, pages


def setup(app):
    mathematics.setup(app)
    pages.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
