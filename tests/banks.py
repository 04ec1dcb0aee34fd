"""Answer banks: for each exercise, right answers written differently and wrong ones with the lesson each must be given.

An answer is the text of a cell, as a learner would write it; it runs after the first code cell of the notebook.
Where a solution is a function, `FRESH` may hold what draws further inputs for it, for the mutants.
"""

import importlib
from dataclasses import dataclass
from textwrap import dedent
from types import ModuleType

import numpy as np


@dataclass(frozen=True)
class Bank:
    """The answers to one exercise.

    Attributes:
        right: answers that must pass, not counting the solution itself; at least one.
        wrong: pairs of a lesson's name and an answer that must be given it; at least three.
    """

    right: tuple[str, ...]
    wrong: tuple[tuple[str, str], ...]

    def __post_init__(self):
        object.__setattr__(self, "right", tuple(dedent(text).strip() for text in self.right))
        object.__setattr__(self, "wrong", tuple((lesson, dedent(text).strip()) for lesson, text in self.wrong))


def bank_of(chapter: str) -> ModuleType:
    """The module with a chapter's banks, by exercise, in `BANKS`."""
    return importlib.import_module(f"chapters.{chapter}.bank")


LIAR = '''
class Liar:
    """Says that it is equal to anything, and whatever number is asked for."""

    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    def __hash__(self): return 0
    def __bool__(self): return True
    def __float__(self): return 0.5
    def __int__(self): return 1
    def __index__(self): return 1
    def __len__(self): return 2
    def __iter__(self): return iter([0.2, 0.8])
    def __getitem__(self, key): return self
    def __array__(self, *args, **kwargs): return np.full((2,), 0.5)
    def __getattr__(self, name): return self
    def __call__(self, *args, **kwargs): return self


class LyingArray(np.ndarray):
    def __eq__(self, other): return True


class LyingFloat(float):
    def __eq__(self, other): return True


class LyingText(str):
    def __eq__(self, other): return True
    __hash__ = str.__hash__


class LyingDict(dict):
    def __eq__(self, other): return True


class LyingType(type):
    __module__ = "numpy"
    def __eq__(cls, other): return True
    def __hash__(cls): return hash(float)
'''
"""Classes that try to talk their way past a judge."""


def traps(name: str, is_function: bool) -> list[tuple[str, str]]:
    """Wrong answers that fit every exercise: pairs of lesson and cell."""

    def gives(expression: str, before: str = "") -> str:
        if not is_function:
            return f"{LIAR}\n{before}\n{name} = {expression}"
        return f"{LIAR}\ndef {name}(*args, **kwargs):\n    {before or 'pass'}\n    return {expression}"

    common = [
        ("wrong-type", gives("Liar()")),
        ("wrong-type", gives("LyingType('Fake', (float,), {})(0.5)")),
        ("wrong-type", gives("LyingFloat(0.5)")),
        ("wrong-type", gives("LyingText('yes')")),
        ("wrong-type", gives("LyingDict()")),
        ("wrong-type", gives("np.zeros(3).view(LyingArray)")),
        ("wrong-type", gives("np.array([object()], dtype=object)")),
        ("wrong-type", gives("[Liar()]")),
        ("wrong-type", gives("None")),
        ("wrong-type", gives("print")),
        ("wrong-type", gives("1 + 2j")),
        ("wrong-type", gives("{1: 2}")),
        ("out-of-range", gives("np.zeros(2_000_000)")),
        ("out-of-range", gives("10**30")),
        ("wrong-type", gives("[" * 20 + "0" + "]" * 20)),
    ]
    if is_function:
        common += [
            ("raises", gives("1 / 0")),
            ("raises", gives("None", before="exit()")),
            ("raises", f"{LIAR}\ndef {name}(): return Liar()"),
            ("wrong-type", f"{name} = 0.5"),
            ("wrong-type", f"{LIAR}\n{name} = Liar()"),
        ]
    return common


def tensor(array, dtype="float64"):
    """An array, as an argument is described."""
    return {"tensor": np.asarray(array).tolist(), "dtype": dtype}
