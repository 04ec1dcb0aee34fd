"""Optimization power in bits: of behavior, given a measure over the outcomes that were possible."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma


def optimization_bits(values: ArrayLike, outcome: ArrayLike, weights: ArrayLike | None = None) -> np.ndarray:
    """Optimization power in bits (Yudkowsky 2008, *Measuring Optimization Power*): how rare is an outcome as good?

    The logarithm, to base 2, of one over the share of outcomes that are as good or better.

    Args:
        values: of all possible outcomes, or of a sample of them, higher is better, ``(outcomes,)``.
        outcome: values of the outcomes that were achieved, any shape.
        weights: the probability of each possible outcome without optimization, ``(outcomes,)``, up to a common factor;
            None for equal ones. **The result is only as good as this measure.**

    Returns:
        float, of the shape of ``outcome``: 0 for the worst possible outcome, infinite for one better than all in
        ``values``. A sample of n resolves at most log2(n) bits.

    Raises:
        ValueError: if there are no values, one is not a number, or the weights do not fit.
    """
    values, outcome = np.asarray(values, dtype=float).ravel(), np.asarray(outcome, dtype=float)
    if values.size == 0:
        raise ValueError("values is empty; a measure over outcomes is needed")
    if np.isnan(values).any() or np.isnan(outcome).any():
        raise ValueError("values or outcome holds something that is not a number")
    weights = np.ones(values.size) if weights is None else np.asarray(weights, dtype=float).ravel()
    if weights.size != values.size:
        raise ValueError(f"weights has {weights.size} entries; {values.size} were expected, one for each value")
    if not (np.isfinite(weights) & (weights >= 0)).all() or weights.sum() <= 0:
        raise ValueError("weights must be finite and not negative, and one of them must be positive")
    order = np.argsort(values)
    # what weighs on the i-th smallest value and all above it; nothing above the largest
    above = np.append(np.cumsum(weights[order][::-1])[::-1], 0.0)
    share = above[np.searchsorted(values[order], outcome, side="left")] / above[0]
    with np.errstate(divide="ignore"):
        return np.maximum(-np.log2(share), 0.0)


def best_of_n_bits(n: int, outcomes: int | None = None) -> float:
    r"""The mean optimization power, in bits, of taking the best of n random outcomes.

    Of a continuous outcome, the share as good or better is uniform, and that of the best of n is the least of n
    uniform numbers. Minus its logarithm is the largest of n exponential ones, whose mean is the harmonic number
    :math:`H_n`, so that the bits are :math:`H_n / \ln 2`. Where outcomes are few, a share cannot be small and the
    bits are fewer.

    Args:
        n: how many outcomes are drawn, with replacement; at least 1.
        outcomes: how many possible outcomes there are, equally likely and with different values; None for a continuum.

    Raises:
        ValueError: if ``n`` or ``outcomes`` is below 1.
    """
    if n < 1:
        raise ValueError(f"n is {n}; at least one must be drawn")
    if outcomes is None:
        return float((digamma(n + 1) + np.euler_gamma) / np.log(2))
    if outcomes < 1:
        raise ValueError(f"outcomes is {outcomes}; there must be at least one")
    rank = np.arange(outcomes + 1)  # the best of n has this rank or a better one, 1 being best
    at_most = 1 - (1 - rank / outcomes) ** n
    return float(np.diff(at_most) @ np.log2(outcomes / rank[1:]))
