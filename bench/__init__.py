"""Speed, memory and running time of the laboratory and the book, compared in one run: ``python run.py bench``.

It is no part of ``innerlab``, since it measures the book as well, which the laboratory does not depend on.
"""
