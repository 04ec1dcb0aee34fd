"""Statistics over seeds: intervals and robust means, thin names over SciPy's.

Agarwal et al. (2021), *Deep Reinforcement Learning at the Edge of the Statistical Precipice*, arXiv:2108.13264,
say why a point estimate over a few runs is not enough.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from innerlab.seeds import numpy_generator

FEWEST = 16
"""Values below which the percentile bootstrap is refused: of a mean of eight it covers 88 % where it says 95 %."""


def wilson_interval(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval for a share (Wilson 1927, JASA 22:209-212): sound near 0 and 1 and for few trials.

    Args:
        successes: how many of the trials succeeded.
        trials: at least 1.
        confidence: in 0 to 1, both excluded.

    Returns:
        lower and upper end, in 0 to 1.

    Raises:
        ValueError: if the counts or the confidence make no sense.
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f"successes is {successes} of trials {trials}; 0 <= successes <= trials, trials >= 1")
    _check_confidence(confidence)
    interval = stats.binomtest(int(successes), int(trials)).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


def interquartile_mean(values: ArrayLike) -> float:
    """The mean of the middle half (Agarwal et al. 2021): a quarter of the values is cut at either end.

    Raises:
        ValueError: if there are no values, or one is not finite.
    """
    return float(stats.trim_mean(_finite(values), 0.25))


def t_interval(values: ArrayLike, confidence: float = 0.95) -> tuple[float, float]:
    """Student's interval of a mean over seeds (Student 1908, Biometrika 6:1-25), for fewer than sixteen of them.

    There it keeps its promise better than :func:`bootstrap_interval`, which resamples the few and comes out narrow.

    Args:
        values: one a seed, at least two.
        confidence: in 0 to 1, both excluded.

    Returns:
        lower and upper end.

    Raises:
        ValueError: if there are fewer than two values, one is not finite, or the confidence makes no sense.
    """
    values = _finite(values)
    if values.size < 2:
        raise ValueError(f"values has {values.size} entry; an interval over seeds needs at least 2")
    _check_confidence(confidence)
    half = stats.sem(values) * stats.t.ppf((1 + confidence) / 2, values.size - 1)
    return float(values.mean() - half), float(values.mean() + half)


def auc(lower: ArrayLike, upper: ArrayLike) -> float:
    """The probability that a value drawn from ``upper`` exceeds one from ``lower``, ties counted half.

    It is the area under the receiver operating characteristic: 0.5 when the two are alike, 1 when all of ``upper`` lies
    above all of ``lower`` (Hanley and McNeil 1982, Radiology 143:29-36).

    Args:
        lower: values of one group, at least one.
        upper: values of the other.

    Raises:
        ValueError: if a group is empty or holds a value that is not finite.
    """
    lower, upper = _finite(lower), _finite(upper)
    return float(stats.mannwhitneyu(upper, lower).statistic / (lower.size * upper.size))


def bootstrap_interval(
    values: ArrayLike,
    statistic: Callable[[np.ndarray], float] = np.median,
    *,
    seed: int,
    confidence: float = 0.95,
    resamples: int = 2000,
) -> tuple[float, float]:
    """Percentile bootstrap interval of a statistic over seeds.

    Efron and Tibshirani (1993), *An Introduction to the Bootstrap*, chapter 13.

    Args:
        values: one for each seed, at least ``FEWEST``; :func:`t_interval` takes fewer.
        statistic: maps an array to a number.
        seed: of the resampling.
        confidence: in 0 to 1, both excluded.
        resamples: how many.

    Returns:
        lower and upper end.

    Raises:
        ValueError: if there are too few values, one is not finite, or the confidence makes no sense.
    """
    values = _finite(values)
    if values.size < FEWEST:
        raise ValueError(
            f"values has {values.size} entries; a bootstrap needs at least {FEWEST}, t_interval takes fewer"
        )
    _check_confidence(confidence)
    if np.ptp(values) == 0:  # every resample is the same
        return float(statistic(values)), float(statistic(values))
    result = stats.bootstrap(
        (values,),
        statistic,
        n_resamples=resamples,
        vectorized=False,
        confidence_level=confidence,
        method="percentile",
        rng=numpy_generator(seed),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def _finite(values: ArrayLike) -> np.ndarray:
    values = np.asarray(values, dtype=float).ravel()
    if values.size == 0:
        raise ValueError("values is empty")
    if not np.isfinite(values).all():
        raise ValueError(f"values has {int((~np.isfinite(values)).sum())} entries that are not finite")
    return values


def crossed_bootstrap_interval(
    values: ArrayLike, *, seed: int, confidence: float = 0.95, resamples: int = 2000
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean over agents and rooms, when both are a sample of many.

    Rows and columns are drawn anew separately: the pigeonhole bootstrap (Owen 2007, Annals of Applied Statistics
    1:386-411), a little wide rather than too narrow.

    Args:
        values: every agent in every room, ``(agents, rooms)``, at least 2 of each.
        seed: of the resampling.
        confidence: in 0 to 1, both excluded.
        resamples: how many.

    Returns:
        lower and upper end.

    Raises:
        ValueError: if there are too few values, one is not finite, or the confidence makes no sense.
    """
    table = np.asarray(values, dtype=float)
    if table.ndim != 2 or min(table.shape) < 2:
        raise ValueError(f"values has shape {table.shape}; (agents, rooms) was expected, at least 2 of each")
    _finite(table.ravel())
    _check_confidence(confidence)
    random = numpy_generator(seed)
    # how often each row and each column was drawn: the mean is then a product with the table
    rows, columns = (random.multinomial(n, np.full(n, 1 / n), size=resamples) / n for n in table.shape)
    means = ((rows @ table) * columns).sum(1)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; it must lie between 0 and 1")
