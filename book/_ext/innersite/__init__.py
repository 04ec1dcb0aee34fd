"""What this book adds to Jupyter Book: how its chapters are executed, how math is set, what its pages carry."""


def setup(app):
    app.add_html_math_renderer("mathml", inline_renderers=(None, None), block_renderers=(None, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
