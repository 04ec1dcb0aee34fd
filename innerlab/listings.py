"""The laboratory's code as a chapter shows it: the lines a reader came for, where they stand and nowhere else."""

import inspect
from collections.abc import Callable
from typing import Any


class Listing:
    """The source of functions or classes, which a notebook and a page show as code.

    What the text calls a rule is then the very rule that exercises, checks and tests import.

    Args:
        *shown: functions or classes written in Python, in the order in which they are to stand.

    Attributes:
        source: their code, with two empty lines between one and the next.

    Raises:
        ValueError: if nothing is given.
        TypeError: if one of them was not written in Python.
    """

    def __init__(self, *shown: Callable[..., Any]):
        if not shown:
            raise ValueError("shown is empty; one or more functions were expected")
        self.source = "\n\n\n".join(inspect.getsource(one).strip() for one in shown)

    def __repr__(self) -> str:
        return self.source

    def _repr_markdown_(self) -> str:
        return f"```python\n{self.source}\n```"
