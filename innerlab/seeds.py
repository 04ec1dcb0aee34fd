"""Random numbers from seeds: no global state, and separate streams for separate purposes.

All that chapters and the laboratory draw goes through this module, so that one number, the *shift*, exchanges every
draw: the same seeds then stand for other networks, layouts and resamples. With shift 0, which is what a reader runs,
a seed is the number that PyTorch or NumPy gets. ``python run.py replicate`` executes chapters on other shifts, by
setting the environment variable ``INNERLAB_SHIFT``. What must not move with it, such as agents from the store, is
made within :func:`with_shift`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
import torch

INITIALIZATION, DATA, ACTING = range(3)
"""The streams of one seed: a network's first weights, the layouts it trains on, the actions it samples."""

SHIFT = "INNERLAB_SHIFT"
_chosen: ContextVar[int | None] = ContextVar("shift", default=None)


def current_shift() -> int:
    """The shift of all draws, not negative: that of :func:`with_shift`, or of the variable ``INNERLAB_SHIFT``, or 0.

    Raises:
        ValueError: if the environment's is no whole number, or negative.
    """
    chosen = _chosen.get()
    if chosen is not None:
        return chosen
    text = os.environ.get(SHIFT) or "0"
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{SHIFT} is {text!r}; a whole number, not negative, was expected")
    return int(text)


@contextmanager
def with_shift(shift: int) -> Iterator[None]:
    """Set the shift of all draws within a block, whatever the environment says.

    Args:
        shift: not negative; 0 for the draws that a reader gets.

    Raises:
        ValueError: if the shift is negative.
    """
    if shift < 0:
        raise ValueError(f"shift is {shift}; it must not be negative")
    token = _chosen.set(shift)
    try:
        yield
    finally:
        _chosen.reset(token)


def shifted(seed: int) -> int:
    """The number to seed a library's generator with: the seed itself at shift 0, else one of 63 bits from both.

    Args:
        seed: not negative.

    Raises:
        ValueError: if the seed is negative.
    """
    if seed < 0:
        raise ValueError(f"seed is {seed}; it must not be negative")
    shift = current_shift()
    if shift == 0:
        return seed
    return int(np.random.SeedSequence([shift, seed]).generate_state(1, np.uint64)[0] >> 1)


def torch_generator(seed: int, stream: int | None = None) -> torch.Generator:
    """A generator of PyTorch.

    Args:
        seed: not negative.
        stream: what the numbers are for, one of this module's constants. Streams of one seed, and of neighboring
            seeds, are unrelated. Without one, the generator is at shift 0 that of ``torch.Generator().manual_seed``.

    Raises:
        ValueError: if the seed is negative.
    """
    number = shifted(seed)
    if stream is not None:
        number = int(np.random.SeedSequence([number, stream]).generate_state(1)[0])
    return torch.Generator().manual_seed(number)


def numpy_generator(seed: int) -> np.random.Generator:
    """A generator of NumPy; at shift 0 that of ``numpy.random.default_rng``.

    Args:
        seed: not negative.

    Raises:
        ValueError: if the seed is negative.
    """
    return np.random.default_rng(shifted(seed))
