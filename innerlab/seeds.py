"""Random numbers from seeds: no global state, and separate streams for separate purposes."""

import numpy as np
import torch

INITIALIZATION, DATA, ACTING = range(3)
"""The streams of one seed: a network's first weights, the layouts it trains on, the actions it samples."""


def generator(seed: int, stream: int) -> torch.Generator:
    """A generator for one purpose. Streams of one seed, and of neighboring seeds, are unrelated.

    Args:
        seed: not negative.
        stream: what the numbers are for, one of this module's constants.

    Raises:
        ValueError: if the seed is negative.
    """
    if seed < 0:
        raise ValueError(f"seed is {seed}; it must not be negative")
    return torch.Generator().manual_seed(int(np.random.SeedSequence([seed, stream]).generate_state(1)[0]))
