"""Optimizers: three robots that press the same buttons, and searches over landscapes."""
