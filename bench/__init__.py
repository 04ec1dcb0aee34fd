"""Speed, memory and running time of the laboratory and the book, compared in one run: ``python run.py bench``.

It stands beside ``innerlab`` and not in it, since it measures the book as well, which the laboratory must not know.
"""
