"""What an answer may consist of, and how it is sent: as plain data from a process that need not be trusted.

:func:`pack` turns a value into JSON and takes nothing but plain types, *exactly* those types: an object with an
``__eq__``, ``__float__`` or ``__array__`` of its own never reaches a judge. :func:`unpack` turns it back. A
*specification* such as :class:`Array` then says what was asked for; its ``read`` gives the value in one fixed type, or
raises :class:`Misfit` with a message for the learner.
"""

import base64
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

LARGEST = 1_000_000
"""how many numbers and characters an answer may hold, all in all"""
DEEPEST = 8
"""how many lists and dicts may lie within one another"""
SCALARS = tuple(set(np.sctypeDict.values()))
_SCALAR_IDS = {id(kind) for kind in SCALARS}  # types are told apart by identity, never by ==
DTYPES = ("bool", "int8", "int16", "int32", "int64", "uint8", "float32", "float64")


class Misfit(Exception):
    """A value does not meet its specification; the message is for the learner.

    Attributes:
        lesson: "wrong-type", "wrong-shape", "not-finite", "out-of-range" or "not-attempted".
    """

    def __init__(self, lesson: str, message: str):
        super().__init__(message)
        self.lesson = lesson


def pack(value: Any) -> Any:
    """Turns plain data into JSON: numbers, text, lists, tuples (as lists), dicts with text keys, arrays and tensors.

    Raises:
        Misfit: if the value is or holds anything else, or is too large.
    """
    return _pack(value, DEEPEST, [LARGEST])


def _pack(value: Any, depth: int, left: list[int]) -> Any:
    kind = type(value)
    if _is(kind, torch.Tensor, torch.nn.Parameter):
        value = value.detach().cpu().numpy()
        kind = np.ndarray
    if kind is np.ndarray:
        return _pack_array(value, left)
    if id(kind) in _SCALAR_IDS:
        value = value.item()
        kind = type(value)
    _spend(left, 1 + len(value) if kind is str else 1)
    if value is None or _is(kind, bool, float, str):
        return value
    if kind is int:
        if not -(2**63) <= value < 2**63:
            raise Misfit("out-of-range", "It holds a whole number of more than 64 bits.")
        return value
    if _is(kind, list, tuple, dict) and depth == 0:
        raise Misfit("wrong-type", f"It holds lists or dicts more than {DEEPEST} deep.")
    if _is(kind, list, tuple):
        return [_pack(item, depth - 1, left) for item in value]
    if kind is dict:
        if any(type(key) is not str for key in value):
            raise Misfit("wrong-type", "It holds a dict with a key that is not text.")
        _spend(left, sum(map(len, value)))
        return {"dict": {key: _pack_under(key, item, depth - 1, left) for key, item in value.items()}}
    if value is ...:
        raise Misfit("not-attempted", "There is still a `...` to fill in.")
    raise Misfit("wrong-type", f"It is, or holds, an object of type {type_name(value)}; plain data are wanted.")


def _pack_under(key: str, item: Any, depth: int, left: list[int]) -> Any:
    try:
        return _pack(item, depth, left)
    except Misfit as misfit:
        raise Misfit(misfit.lesson, f"Under {key[:40]!r}: {misfit}") from None


def _is(kind: type, *kinds: type) -> bool:
    """Whether a type is identical to one of these; subclasses and types that claim to be equal do not count."""
    return any(kind is one for one in kinds)


def _pack_array(array: np.ndarray, left: list[int]) -> dict:
    if array.dtype.name not in DTYPES:
        raise Misfit("wrong-type", f"It holds an array of dtype {array.dtype.name}; numbers are wanted.")
    _spend(left, array.size)
    if max(array.shape, default=0) > LARGEST:
        raise Misfit("out-of-range", f"It holds an array of which one side is longer than {LARGEST:,}.")
    data = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
    return {"array": base64.b64encode(data).decode(), "dtype": array.dtype.name, "shape": list(array.shape)}


def _spend(left: list[int], amount: int) -> None:
    left[0] -= amount
    if left[0] < 0:
        raise Misfit("out-of-range", f"It holds more than {LARGEST:,} numbers or characters.")


def type_name(value: Any) -> str:
    """The name of a value's type, whatever the type itself says its name is."""
    name = type.__dict__["__qualname__"].__get__(type(value))
    return name if type(name) is str else "?"


def unpack(data: Any) -> Any:
    """Turns JSON from :func:`pack` back into a value, with arrays as NumPy arrays; the sender need not be trusted.

    Raises:
        Misfit: if the JSON is no packed value.
    """
    try:
        return _unpack(data)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError, OverflowError):
        raise Misfit("wrong-type", "It did not arrive as plain data.") from None


def _unpack(data: Any) -> Any:
    if isinstance(data, list):
        return [_unpack(item) for item in data]
    if not isinstance(data, dict):
        if type(data) is int and not -(2**63) <= data < 2**63:
            raise ValueError("a whole number of more than 64 bits")
        return data
    if set(data) == {"dict"}:
        return {key: _unpack(item) for key, item in data["dict"].items()}
    if set(data) != {"array", "dtype", "shape"} or data["dtype"] not in DTYPES:
        raise ValueError("neither a dict nor an array")
    if not all(type(length) is int and 0 <= length <= LARGEST for length in data["shape"]):
        raise ValueError("no shape of an array")
    dtype = np.dtype(data["dtype"])
    flat = np.frombuffer(base64.b64decode(data["array"], validate=True), dtype.newbyteorder("<"))
    return flat.astype(dtype).reshape(data["shape"])


# What can be asked for


@dataclass(frozen=True)
class Number:
    """One number, read as float, or as int when a whole number is wanted.

    Attributes:
        low: the least allowed.
        high: the greatest allowed.
        whole: only whole numbers.
    """

    low: float = -math.inf
    high: float = math.inf
    whole: bool = False

    def read(self, value: Any) -> float | int:
        """The number; raises :class:`Misfit`."""
        if isinstance(value, np.ndarray) and value.size == 1:
            value = value.item()
        if type(value) not in (int, float):
            raise Misfit("wrong-type", f"{_describe(value)} was given where a number is wanted.")
        if not math.isfinite(value):
            raise Misfit("not-finite", f"{value} was given where a finite number is wanted.")
        if self.whole and value != int(value):
            raise Misfit("wrong-type", f"{value} was given where a whole number is wanted.")
        if not self.low <= value <= self.high:
            raise Misfit("out-of-range", f"{value} was given where {self.low:g} to {self.high:g} is possible.")
        return int(value) if self.whole else float(value)


@dataclass(frozen=True)
class Array:
    """Numbers in an array, read as float64; lists of numbers will do, too.

    Attributes:
        shape: of the array.
        low: the least allowed.
        high: the greatest allowed.
        nan: whether NaN may stand for an undefined number.
    """

    shape: tuple[int, ...]
    low: float = -math.inf
    high: float = math.inf
    nan: bool = False

    def read(self, value: Any) -> np.ndarray:
        """The array; raises :class:`Misfit`."""
        if not isinstance(value, np.ndarray):
            _must_be_numbers(value, [math.prod(self.shape)], _describe(value))
        try:
            array = np.asarray(value)
        except ValueError:
            raise Misfit("wrong-shape", "A list of lists of unequal lengths was given.") from None
        if array.dtype.name not in DTYPES:
            raise Misfit("wrong-type", f"{_describe(value)} was given where an array of numbers is wanted.")
        array = array.astype(np.float64)
        if array.shape != self.shape:
            raise Misfit("wrong-shape", f"The shape is {array.shape}; {self.shape} is wanted.")
        allowed = np.isfinite(array) | (np.isnan(array) & self.nan)
        if not allowed.all():
            raise Misfit("not-finite", f"It holds {array[~allowed][0]}.")
        beyond = (array < self.low) | (array > self.high)
        if beyond.any():
            raise Misfit("out-of-range", f"It holds {array[beyond][0]:g}; {self.low:g} to {self.high:g} is possible.")
        return array


@dataclass(frozen=True)
class Text:
    """Text.

    Attributes:
        longest: how many characters at most.
    """

    longest: int = 10_000

    def read(self, value: Any) -> str:
        """The text; raises :class:`Misfit`."""
        if type(value) is not str:
            raise Misfit("wrong-type", f"{_describe(value)} was given where text is wanted.")
        if len(value) > self.longest:
            raise Misfit("out-of-range", f"The text has {len(value)} characters; at most {self.longest} are read.")
        return value


@dataclass(frozen=True)
class Choice:
    """One of some words.

    Attributes:
        options: the words.
    """

    options: tuple[str, ...]

    def read(self, value: Any) -> str:
        """The word; raises :class:`Misfit`."""
        if type(value) is not str or value not in self.options:
            given = repr(value)[:60] if type(value) is str else _describe(value)
            options = ", ".join(map(repr, self.options))
            raise Misfit("wrong-type", f"{given} was given where one of {options} is wanted.")
        return value


@dataclass(frozen=True)
class Items:
    """A list in which every item is of one kind.

    Attributes:
        each: what every item must be.
        shortest: how many items at least.
        longest: how many items at most.
    """

    each: Any
    shortest: int = 0
    longest: int = 1000

    def read(self, value: Any) -> list:
        """The items; raises :class:`Misfit`."""
        if type(value) is not list and not (isinstance(value, np.ndarray) and value.ndim):
            raise Misfit("wrong-type", f"{_describe(value)} was given where a list is wanted.")
        items = value.tolist() if isinstance(value, np.ndarray) else value
        if not self.shortest <= len(items) <= self.longest:
            wanted = f"{self.shortest} to {self.longest}" if self.longest > self.shortest else f"{self.shortest}"
            raise Misfit("wrong-shape", f"A list of {len(items)} was given; {wanted} items are wanted.")
        return [self.each.read(item) for item in items]


@dataclass(frozen=True)
class Fields:
    """A dict with exactly these keys.

    Attributes:
        each: what must stand under each key.
    """

    each: dict[str, Any]

    def read(self, value: Any) -> dict:
        """The dict, in the order of the specification; raises :class:`Misfit`."""
        if type(value) is not dict:
            raise Misfit("wrong-type", f"{_describe(value)} was given where a dict is wanted.")
        if set(value) != set(self.each):
            missing, extra = sorted(set(self.each) - set(value)), sorted(set(value) - set(self.each))
            said = [f"without {', '.join(missing)}"] * bool(missing) + [f"with {', '.join(extra)[:100]}"] * bool(extra)
            raise Misfit(
                "wrong-type", f"A dict {' and '.join(said)} was given; its keys are to be {', '.join(self.each)}."
            )
        out = {}
        for key, each in self.each.items():
            try:
                out[key] = each.read(value[key])
            except Misfit as problem:
                raise Misfit(problem.lesson, f"Under {key!r}: {problem}") from None
        return out


def _must_be_numbers(value: Any, left: list[int], described: str) -> None:
    """Checks that nested lists hold only numbers, at most ``left`` of them, before NumPy makes an array of them.

    Raises:
        Misfit: if they hold anything else, or more numbers.
    """
    if type(value) is list:
        for item in value:
            _must_be_numbers(item, left, described)
        return
    if isinstance(value, np.ndarray):
        left[0] -= value.size
    elif type(value) in (int, float, bool):
        left[0] -= 1
    else:
        raise Misfit("wrong-type", f"{described} was given where an array of numbers is wanted.")
    if left[0] < 0:
        raise Misfit("wrong-shape", f"{described} was given that holds more numbers than are wanted.")


def _describe(value: Any) -> str:
    """What a value is, for a message: type and, for arrays, shape."""
    if isinstance(value, np.ndarray):
        return f"An array of shape {value.shape}"
    if value is None:
        return "None (is a `return` missing?)"
    article = "An" if type(value).__name__[0] in "aeiou" else "A"
    names = {"str": "text", "int": "whole number", "float": "number", "bool": "truth value"}
    return f"{article} {names.get(type(value).__name__, type(value).__name__)}"
