"""Costs of a sweep: calls of PyTorch counted, a fit of calls and share, and how both are drawn."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray
from torch.utils._python_dispatch import TorchDispatchMode


class Calls(TorchDispatchMode):
    """Counts the calls of PyTorch's operations within a ``with`` statement, be it for one number or for a million.

    Attributes:
        made: how many so far.
    """

    made = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.made += 1
        return function(*args, **(kwargs or {}))


def calls_and_share(sizes: ArrayLike, medians: ArrayLike) -> NDArray:
    """The fit of ``calls + share * size`` to costs with the least squares of relative errors.

    Args:
        sizes: ``(sizes,)``.
        medians: the costs, positive, ``(..., sizes)``.

    Returns:
        calls and share, ``(..., 2)``, in units of the costs.
    """
    medians = np.asarray(medians)
    return np.linalg.pinv(np.stack([1 / medians, np.asarray(sizes) / medians], -1)).sum(-1)


def draw_cost(
    axes: Axes,
    sizes: NDArray,
    seconds: NDArray,
    color: str,
    marker: str,
    label: str,
    dash: str = "-",
    one: float | None = None,
    fitted: bool = True,
) -> None:
    """Draws costs in units of one cost: faint dots are rounds, larger marks their medians, a line the fit.

    Args:
        axes: where to draw.
        sizes: ``(sizes,)``.
        seconds: ``(rounds, sizes)``.
        color: of all marks.
        marker: of the medians.
        label: in the legend.
        dash: of the line.
        one: the unit, in seconds; the median cost of the first size if it is None.
        fitted: whether to draw the line of :func:`calls_and_share`.
    """
    unit = float(np.median(seconds[:, 0])) if one is None else one
    axes.scatter(np.broadcast_to(sizes, seconds.shape), seconds / unit, s=6, color=color, alpha=0.4, linewidths=0)
    medians = np.median(seconds, 0)
    if fitted:
        calls, share = calls_and_share(sizes, medians)
        fine = np.geomspace(sizes[0], sizes[-1], 100)
        axes.plot(fine, (calls + share * fine) / unit, color=color, linestyle=dash, linewidth=1.2)
    axes.plot(sizes, medians / unit, color=color, marker=marker, markersize=5, linestyle="none", label=label)


def log_axes(axes: Axes, sizes: NDArray, xlabel: str, ylabel: str) -> None:
    """Makes both axes logarithmic, with a tick for each of some sizes.

    Args:
        axes: to change.
        sizes: to write at the ticks.
        xlabel: what the sizes count.
        ylabel: what the costs are.
    """
    axes.set(
        xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel, xticks=sizes, xticklabels=[f"{s:,}" for s in sizes]
    )
    axes.minorticks_off()
