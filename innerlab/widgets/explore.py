"""A figure with a few settings, which a page can set without a kernel."""

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from traitlets import Dict, Int, List, Unicode

from innerlab import figures
from innerlab.widgets.widget import Widget

DRAWN = {"columns": 2, "dots": 1, "lines": 2}
"""What can be drawn, and how many axes its numbers have: (seeds, parts), (seeds,), (seeds, points)."""


class Explore(Widget):
    """A figure with one to three settings, computed live in a notebook and looked up in a table on a page.

    ``function(**settings)`` returns the numbers drawn at one position of the settings, and a sentence that describes
    them. It is called once for every position when the widget is made, since a page has no kernel to call it later.
    In a notebook it is called again at each move, so that it may depend on variables that other cells have changed.

    Args:
        function: returns numbers from 0 to 1 (shape as in ``DRAWN``) and a sentence with the main ones among them.
        settings: for each argument of the function, its values: numbers get a slider, words a choice.
        draw: "columns", "dots" or "lines".
        alt: what the widget shows.
        labels: how a setting is named on the page, where that is not its own name.
        start: the values to begin with; the first of each setting where none is given.
        parts: names of the parts of columns, from below.
        at: the points' places along the axis of lines.
        xlabel: of the figure.
        ylabel: of the figure.
        decimals: how many digits of each number travel.
        most: how many positions there may be.
        most_bytes: how many bytes the numbers of all positions may take as JSON.

    Raises:
        ValueError: if there is not one to three settings, if they have too many positions or numbers, if the numbers
            have the wrong shape or lie outside 0 to 1, or if ``start`` names no position.
    """

    front = "explore"
    draw, xlabel, ylabel = Unicode().tag(sync=True), Unicode().tag(sync=True), Unicode().tag(sync=True)
    settings = List(Dict()).tag(sync=True)
    position = List(Int()).tag(sync=True)
    unit = Int().tag(sync=True)
    numbers: List[Any] = List().tag(sync=True)
    says = List(Unicode()).tag(sync=True)
    parts = List(Unicode()).tag(sync=True)
    at: List[float] = List().tag(sync=True)
    live = Dict().tag(sync=True)

    def __init__(
        self,
        function: Callable[..., tuple[ArrayLike, str]],
        settings: Mapping[str, Sequence],
        *,
        draw: str,
        alt: str,
        labels: Mapping[str, str] | None = None,
        start: Mapping | None = None,
        parts: Sequence[str] = (),
        at: Sequence[float] = (),
        xlabel: str = "",
        ylabel: str = "",
        decimals: int = 3,
        most: int = 200,
        most_bytes: int = 150_000,
    ):
        values = {name: list(given) for name, given in settings.items()}
        counts = [len(given) for given in values.values()]
        _check(values, counts, draw, most)
        start = start or {}
        for name, value in start.items():
            if name not in values or value not in values[name]:
                raise ValueError(f"start has {name} = {value!r}, which is no position of {values}")
        self._function, self._values = function, values
        self._decimals, self._dimensions = decimals, DRAWN[draw]
        made = [self._at(position) for position in product(*map(range, counts))]
        size = len(json.dumps([numbers for numbers, _ in made], separators=(",", ":")))
        if size > most_bytes:
            raise ValueError(
                f"the numbers of {len(made)} positions take {size:,} bytes and {most_bytes:,} are allowed; give fewer "
                "values, fewer numbers or fewer decimals"
            )
        first = [given.index(start[name]) if name in start else 0 for name, given in values.items()]
        described = [
            {
                "label": (labels or {}).get(name, name),
                "names": [_name(value) for value in given],
                "numeric": not any(isinstance(value, str) for value in given),
            }
            for name, given in values.items()
        ]
        super().__init__(
            alt=alt, draw=draw, settings=described, position=first, unit=10**decimals, parts=list(parts), at=list(at),
            numbers=[numbers for numbers, _ in made], says=[says for _, says in made], xlabel=xlabel, ylabel=ylabel,
        )  # fmt: skip
        self.observe(self._work_out, "position")

    def picture(self) -> str:
        """The figure at the first position, drawn as the book draws its own."""
        index = int(np.ravel_multi_index(self.position, [len(setting["names"]) for setting in self.settings]))
        numbers = np.array(self.numbers[index]) / self.unit
        if self.draw == "dots":
            figure = figures.seed_dots([figures.SeedGroup("", numbers, figures.GREEN)], self.xlabel)
        else:
            figure, axes = figures.panels(1, width=5.4, height=2.6)
            if self.draw == "columns":
                figures.part_columns(axes, numbers, self.parts)
                if self.parts:
                    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=4)
            else:
                at = self.at or np.arange(numbers.shape[1])
                figures.seed_curves(axes, at, numbers.T, color=figures.BLUE, label="median")
            axes.set(xlabel=self.xlabel, ylabel=self.ylabel)
        return figures.Shown(figure, f"{self.alt} {self.says[index]}").html()

    def _work_out(self, change) -> None:
        """Calls the function for a position that the reader has moved to."""
        numbers, says = self._at(change.new)
        self.live = {"position": list(change.new), "numbers": numbers, "says": says}

    def _at(self, position: Sequence[int]) -> tuple[list, str]:
        chosen = {name: given[i] for (name, given), i in zip(self._values.items(), position, strict=True)}
        numbers, says = self._function(**chosen)
        numbers = np.asarray(numbers, dtype=float)
        if numbers.ndim != self._dimensions or numbers.size == 0:
            raise ValueError(f"at {chosen}, the numbers have shape {numbers.shape}; {self._dimensions} axes are drawn")
        if not ((numbers >= 0) & (numbers <= 1 + 1e-6)).all():
            raise ValueError(f"at {chosen}, numbers run from {numbers.min()} to {numbers.max()}; 0 to 1 can be drawn")
        return np.rint(numbers * 10**self._decimals).astype(int).tolist(), says


def _check(values: dict[str, list], counts: list[int], draw: str, most: int) -> None:
    if draw not in DRAWN:
        raise ValueError(f"draw is {draw!r}; one of {', '.join(DRAWN)} was expected")
    if not 1 <= len(values) <= 3:
        raise ValueError(f"there are {len(values)} settings; one to three can be shown")
    for name, given in values.items():
        if len(given) < 2:
            raise ValueError(f"setting {name!r} has the values {given}; two or more make a setting")
    if np.prod(counts) > most:
        raise ValueError(
            f"{' × '.join(map(str, counts))} values make {int(np.prod(counts))} positions and {most} are allowed: "
            "every one is worked out beforehand; give fewer values"
        )


def _name(value) -> str:
    return value if isinstance(value, str) else f"{value:g}"
