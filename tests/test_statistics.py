"""Intervals cover what they say they cover."""

import numpy as np
import pytest

from innerlab.statistics import (
    auc,
    bootstrap_interval,
    crossed_bootstrap_interval,
    interquartile_mean,
    t_interval,
    wilson_interval,
)


def test_wilson_against_the_formula():
    for successes, trials in ((0, 10), (3, 10), (10, 10), (61, 64)):
        z, p = 1.959963984540054, successes / trials
        middle = (p + z**2 / (2 * trials)) / (1 + z**2 / trials)
        half = z / (1 + z**2 / trials) * (p * (1 - p) / trials + z**2 / (4 * trials**2)) ** 0.5
        assert wilson_interval(successes, trials) == pytest.approx((middle - half, middle + half), abs=1e-9)


def test_wilson_covers_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    for share in (0.02, 0.5, 0.9):
        draws = rng.binomial(64, share, size=2000)
        ends = {k: wilson_interval(int(k), 64) for k in np.unique(draws)}
        covered = np.mean([ends[k][0] <= share <= ends[k][1] for k in draws])
        assert 0.91 < covered <= 1.0


def test_bootstrap_covers_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    covered = [
        low <= 0.0 <= high
        for low, high in (bootstrap_interval(rng.normal(size=40), np.mean, seed=i, resamples=400) for i in range(150))
    ]
    assert 0.86 < np.mean(covered) < 0.995


def test_bootstrap_depends_on_its_seed_alone():
    values = np.random.default_rng(2).normal(size=30)
    assert bootstrap_interval(values, np.mean, seed=3) == bootstrap_interval(values, np.mean, seed=3)
    assert bootstrap_interval(values, np.mean, seed=3) != bootstrap_interval(values, np.mean, seed=4)
    assert bootstrap_interval([2.0] * 16, seed=0) == (2.0, 2.0)


def test_students_interval_covers_what_it_says_where_a_bootstrap_of_few_would_not():
    rng = np.random.default_rng(0)
    for n in (4, 8):
        ends = [t_interval(rng.normal(size=n)) for _ in range(2000)]
        assert np.mean([low <= 0 <= high for low, high in ends]) == pytest.approx(0.95, abs=0.015)
    assert t_interval([1.0, 2.0, 3.0]) == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5), abs=1e-6)


def test_auc_counts_pairs_and_half_of_the_ties():
    assert auc([0, 1], [1, 2]) == 3.5 / 4  # of the four pairs three are in order and one is a tie
    assert auc([0.0], [1.0]) == 1.0
    assert auc([3, 3], [3]) == 0.5


def test_the_crossed_bootstrap_covers_where_one_over_agents_alone_does_not():
    rng = np.random.default_rng(5)
    crossed, agents_alone = [], []
    for i in range(150):  # rooms differ more than agents do; the true mean is 0
        table = rng.normal(size=(12, 1)) + 2 * rng.normal(size=(1, 12)) + rng.normal(size=(12, 12))
        low, high = crossed_bootstrap_interval(table, seed=i, resamples=400)
        crossed.append(low <= 0 <= high)
        low, high = t_interval(table.mean(1))
        agents_alone.append(low <= 0 <= high)
    assert 0.85 < np.mean(crossed) <= 1.0
    assert np.mean(agents_alone) < 0.8
    assert crossed_bootstrap_interval(table, seed=3) == crossed_bootstrap_interval(table, seed=3)
    assert crossed_bootstrap_interval(np.ones((3, 4)), seed=0) == pytest.approx((1.0, 1.0))


def test_interquartile_mean_cuts_a_quarter_at_either_end():
    assert interquartile_mean([-100, 1, 2, 3, 4, 5, 6, 100]) == pytest.approx(3.5)


def test_senseless_input_is_refused():
    for call, message in (
        (lambda: wilson_interval(5, 4), "successes is 5 of trials 4"),
        (lambda: wilson_interval(0, 0), "trials 0"),
        (lambda: wilson_interval(1, 2, confidence=95), "confidence is 95"),
        (lambda: bootstrap_interval(np.ones(15), seed=0), "values has 15 entries; a bootstrap needs at least 16"),
        (lambda: bootstrap_interval([1.0, np.nan], seed=0), "1 entries that are not finite"),
        (lambda: t_interval([1.0]), "values has 1 entry"),
        (lambda: t_interval([1.0, 2.0], confidence=1.0), "confidence is 1.0"),
        (lambda: auc([], [1.0]), "values is empty"),
        (lambda: interquartile_mean([]), "values is empty"),
        (lambda: crossed_bootstrap_interval([1.0, 2.0], seed=0), r"values has shape \(2,\)"),
        (lambda: crossed_bootstrap_interval(np.full((2, 2), np.nan), seed=0), "4 entries that are not finite"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
