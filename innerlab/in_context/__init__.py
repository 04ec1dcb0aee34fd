"""Regression inside a prompt: networks that learn it, and the predictors to hold them against.

A *prompt* is a context of examples, inputs ``x`` and their labels ``y``, followed by a query: an input whose label is
to be predicted. The line behind the labels is another one in every prompt.
"""
