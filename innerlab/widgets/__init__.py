"""What answers on the page: widgets that are live in a notebook and need no kernel in the built book.

``widget``   what all share
``predict``  a question to commit to
``explore``  a figure at every position of a few settings
``scripts``  the front ends, joined for their two homes

Widgets that one chapter alone uses stand in its wing.
"""
