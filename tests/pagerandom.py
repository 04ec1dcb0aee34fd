"""The page's random numbers in Python: what `front/random.js` draws, in the shapes that NumPy's generators give."""

import math

import numpy as np


class PageRandom:
    """Draws what the page draws from the same seed, as far as the chapters ask for it."""

    def __init__(self, seed: int):
        self.state = seed & 0xFFFFFFFF

    def one(self) -> float:
        """The next number, from 0 to 1."""
        self.state = (self.state + 0x6D2B79F5) & 0xFFFFFFFF
        mixed = (self.state ^ self.state >> 15) * (1 | self.state) & 0xFFFFFFFF
        mixed ^= mixed + ((mixed ^ mixed >> 7) * (61 | mixed) & 0xFFFFFFFF) & 0xFFFFFFFF
        return (mixed ^ mixed >> 14) / 2**32

    def _gauss(self) -> float:
        far = math.sqrt(-2 * math.log(1 - self.one()))
        return far * math.cos(2 * math.pi * self.one())

    def uniform(self, low, high, size):
        return low + (high - low) * np.reshape([self.one() for _ in range(math.prod(size))], size)

    def normal(self, size):
        return np.reshape([self._gauss() for _ in range(math.prod(size))], size)
