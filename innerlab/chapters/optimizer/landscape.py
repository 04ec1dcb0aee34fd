"""A landscape on which the reader starts four searches, side by side and on the same budget."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from traitlets import Float, Int, List, Unicode

from innerlab import figures
from innerlab.widgets.widget import Widget

LANDSCAPES = ("bowl", "valley", "egg crate", "terraces")
"""What the front end knows: a parabola, Rosenbrock's function, Rastrigin's, and steps."""


class Landscape(Widget):
    """Random search, hill climbing, gradient descent and an evolution strategy, run on the page from one start.

    The landscapes and the searches are those of the chapter on optimizers, written again for the page
    (``front/search.js``) for any number of dimensions; a test has both evaluate the same points in the same order. The
    page searches in two dimensions. What is found is also given in bits, against a grid of 256 by 256 points. The same
    seed gives the same run.

    Args:
        lowest: the place where every landscape is lowest, float ``(2,)``.
        alt: what the widget shows.
        box: coordinates run from minus this to this.
        budgets: how many evaluations each search may be given; the last of them to begin with.
        landscape: the one to begin with, from :data:`LANDSCAPES`.
        start: where all searches begin, float ``(2,)``.
        seed: of the searches that draw, from 0 to 999,999.

    Attributes:
        landscape: which one is shown, as an index into ``names``.
        start: where all searches begin.
        budget: evaluations for each.
        seed: of the searches that draw.

    Raises:
        ValueError: if a place lies outside the box or has not two coordinates, a budget is below 2, the landscape is
            not known, or the seed is out of range.
    """

    front = "landscape"
    names, landscape = List(Unicode()).tag(sync=True), Int().tag(sync=True)
    lowest, start = List(Float()).tag(sync=True), List(Float()).tag(sync=True)
    box, seed = Float().tag(sync=True), Int().tag(sync=True)
    budgets, budget = List(Int()).tag(sync=True), Int().tag(sync=True)

    def __init__(
        self,
        lowest: Sequence[float] | np.ndarray,
        *,
        alt: str,
        box: float = 5.0,
        budgets: Sequence[int] = (100, 300, 1000),
        landscape: str = "valley",
        start: Sequence[float] | np.ndarray = (-3.5, 3.5),
        seed: int = 1,
    ):
        for what, place in (("lowest", lowest), ("start", start)):
            if np.shape(place) != (2,) or np.abs(place).max() > box:
                raise ValueError(f"{what} is {place}; two coordinates from {-box:g} to {box:g} were expected")
        if landscape not in LANDSCAPES:
            raise ValueError(f"landscape is {landscape!r}; one of {', '.join(LANDSCAPES)} was expected")
        if not budgets or min(budgets) < 2:
            raise ValueError(f"budgets is {tuple(budgets)}; numbers of evaluations from 2 were expected")
        if not 0 <= seed <= 999_999:
            raise ValueError(f"seed is {seed}; a number from 0 to 999999 was expected")
        super().__init__(
            alt=alt, names=list(LANDSCAPES), landscape=LANDSCAPES.index(landscape), box=box, seed=seed,
            lowest=np.asarray(lowest, float).tolist(), start=np.asarray(start, float).tolist(), budgets=list(budgets),
            budget=budgets[-1],
        )  # fmt: skip

    def picture(self) -> str:
        """The landscape that is shown, with the start and the lowest place."""
        figure, axes = figures.panels(width=3.4, height=3.4)
        across = np.linspace(-self.box, self.box, 51)
        depth = loss(LANDSCAPES[self.landscape], np.stack(np.meshgrid(across, across), -1), self.lowest)
        rank = np.unique(depth, return_inverse=True)[1].reshape(depth.shape)
        axes.contourf(across, across, rank, levels=7, cmap="cividis")
        axes.plot(*self.lowest, marker="x", color="white", markersize=8, markeredgewidth=2)
        axes.plot(*self.start, marker="^", color="white", markeredgecolor="black", markersize=10)
        axes.set(aspect="equal")
        alt = f"A map of the {LANDSCAPES[self.landscape]}; a triangle marks the start, a cross the lowest place."
        return figures.Shown(figure, f"{self.alt} {alt}").html()


def loss(landscape: str, points: ArrayLike, lowest: ArrayLike) -> np.ndarray:
    """What points cost.

    Args:
        landscape: one of :data:`LANDSCAPES`.
        points: float ``(..., dimensions)``.
        lowest: where the loss is zero, float ``(dimensions,)``.

    Returns:
        float ``(...)``.
    """
    away = np.asarray(points) - np.asarray(lowest)
    if landscape == "bowl":
        return (away**2).sum(-1)
    if landscape == "valley":
        this, after = away[..., :-1] / 2 + 1, away[..., 1:] / 2 + 1
        return (100 * (after - this**2) ** 2 + (1 - this) ** 2).sum(-1)
    if landscape == "egg crate":
        return (away**2 + 10 * (1 - np.cos(2 * np.pi * away))).sum(-1)
    return np.floor(np.abs(away) / 0.5).sum(-1)
