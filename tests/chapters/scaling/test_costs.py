"""Costs that are known come out of the fit, and calls are counted one by one."""

import numpy as np
import torch

from innerlab import figures
from innerlab.chapters.scaling.costs import Calls, calls_and_share, draw_cost, log_axes

SIZES = 2 ** np.arange(9)


def test_the_fit_finds_calls_and_share_of_several_rows_at_once():
    wanted = np.array([[3.0, 0.5], [0.1, 2.0]])
    costs = wanted[:, :1] + wanted[:, 1:] * SIZES
    np.testing.assert_allclose(calls_and_share(SIZES, costs), wanted, rtol=1e-9)


def test_every_call_counts_once_whatever_its_size():
    with Calls() as counter:
        torch.ones(1000).add(torch.ones(1000))
    assert counter.made == 3


def test_a_cost_is_drawn_in_units_of_the_first_size():
    seconds = np.stack([SIZES * 1.0, SIZES * 2.0, SIZES * 3.0])
    _, axes = figures.panels()
    draw_cost(axes, SIZES, seconds, figures.BLUE, "o", "doubled")
    fit, medians = axes.lines
    np.testing.assert_allclose(medians.get_ydata(), SIZES)
    np.testing.assert_allclose(fit.get_ydata()[[0, -1]], SIZES[[0, -1]], rtol=1e-6)
    log_axes(axes, SIZES[::2], "agents", "cost")
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "4", "16", "64", "256"]
