"""Bits of optimization, against counting and against drawing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from innerlab.systems.optimization_power import best_of_n_bits, optimization_bits

numbers = st.lists(st.integers(-5, 5), min_size=1, max_size=12)


@given(numbers, st.integers(-6, 6), st.data())
def test_bits_are_what_counting_gives(values, outcome, data):
    weights = data.draw(st.lists(st.integers(1, 9), min_size=len(values), max_size=len(values)))
    as_good = sum(w for v, w in zip(values, weights, strict=True) if v >= outcome)
    expected = math.log2(sum(weights) / as_good) if as_good else math.inf
    assert float(optimization_bits(values, outcome, weights)) == pytest.approx(expected, abs=1e-12)


@given(numbers)
def test_only_the_order_of_outcomes_matters(values):
    stretched = [v**3 for v in values]
    assert np.allclose(optimization_bits(values, values), optimization_bits(stretched, stretched))


@given(numbers, numbers)
def test_bits_of_independent_tasks_add(one, other):
    """Doing the best in two unrelated tasks at once is as rare as the product."""
    both = [min(a - max(one), b - max(other)) for a in one for b in other]  # 0 only where both are best
    alone = optimization_bits(one, max(one)) + optimization_bits(other, max(other))
    assert float(optimization_bits(both, 0)) == pytest.approx(float(alone), abs=1e-9)


def test_bits_keep_the_shape_and_the_ends():
    assert optimization_bits([1, 2], [[1.0, 2.0], [3.0, 0.0]]).tolist() == [[0.0, 1.0], [math.inf, 0.0]]


@pytest.mark.parametrize("n", [1, 2, 7, 100])
def test_best_of_n_is_a_harmonic_number(n):
    assert best_of_n_bits(n) == pytest.approx(sum(1 / k for k in range(1, n + 1)) / math.log(2))


@pytest.mark.parametrize(("n", "outcomes"), [(1, 10), (2, 10), (5, 3), (3, 1)])
def test_best_of_n_of_few_outcomes_is_what_enumeration_gives(n, outcomes):
    draws = np.stack(np.meshgrid(*[np.arange(outcomes)] * n), -1).reshape(-1, n)
    expected = optimization_bits(np.arange(outcomes), draws.max(1)).mean()
    assert best_of_n_bits(n, outcomes) == pytest.approx(float(expected))


def test_one_draw_is_worth_more_than_nothing():
    assert best_of_n_bits(1) == pytest.approx(1.4427, abs=1e-4)
    assert best_of_n_bits(1, 10) == pytest.approx(1.1428, abs=1e-4)
    assert best_of_n_bits(1, 10**6) == pytest.approx(best_of_n_bits(1), abs=1e-4)


def test_drawing_agrees():
    worth = np.random.default_rng(0).random((4000, 20))
    bits = optimization_bits(np.linspace(0, 1, 100_001), worth.max(1))
    assert bits.mean() == pytest.approx(best_of_n_bits(20), abs=4 * bits.std() / 4000**0.5)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (([], 1), "values is empty"),
        (([math.nan], 1), "not a number"),
        (([1.0], math.nan), "not a number"),
        (([1, 2], 1, [1]), "weights has 1 entries; 2 were expected"),
        (([1, 2], 1, [1, -1]), "weights must be finite"),
        (([1, 2], 1, [0, 0]), "weights must be finite"),
    ],
)
def test_senseless_measures_are_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        optimization_bits(*arguments)


def test_senseless_counts_are_refused():
    with pytest.raises(ValueError, match="n is 0"):
        best_of_n_bits(0)
    with pytest.raises(ValueError, match="outcomes is 0"):
        best_of_n_bits(1, 0)
