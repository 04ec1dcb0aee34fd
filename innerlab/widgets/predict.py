"""A question to commit to before a figure is unveiled."""

from collections.abc import Sequence
from html import escape

from traitlets import Any, Bool, Float, List, Unicode

from innerlab.widgets.widget import Widget


class Predict(Widget):
    """Asks the reader for a prediction, then draws prediction and truth together, and unveils a figure.

    The prediction is kept in the browser's local storage and sent nowhere. A button shows the truth without a
    prediction. Make one with :meth:`choice`, :meth:`number` or :meth:`curve`, in a cell below the one
    that computes the truth and above the figure.

    Attributes:
        name: under which the answer is kept, ``<chapter>/<question>``; no two questions of the book share one.
        kind: "choice", "number" or "curve".
        question: in one sentence.
        truth: from the run: one number for each option, one number, or one for each point.
        says: a sentence about it.
        interval: around a true number; empty for none.
        options: of a choice.
        low: the least that can be said, of a number or at a point.
        high: the most.
        step: of a number.
        unit: what numbers count.
        points: names of the places at which a curve is asked for.
        xlabel: of a curve.
        ylabel: of a curve.
        unveils: names of figures that stay veiled until the question is answered.
        answer: what the reader said: an option's index, a number, or a number for each point. None for no answer.
        revealed: whether the truth is in view.
    """

    front = "predict"
    name, kind, question = Unicode().tag(sync=True), Unicode().tag(sync=True), Unicode().tag(sync=True)
    truth = Any().tag(sync=True)
    says = Unicode().tag(sync=True)
    interval = List(Float()).tag(sync=True)
    options = List(Unicode()).tag(sync=True)
    low, high, step = Float(0).tag(sync=True), Float(1).tag(sync=True), Float(1).tag(sync=True)
    unit = Unicode().tag(sync=True)
    points = List(Unicode()).tag(sync=True)
    xlabel, ylabel = Unicode().tag(sync=True), Unicode().tag(sync=True)
    unveils = List(Unicode()).tag(sync=True)
    answer = Any(None, allow_none=True).tag(sync=True)
    revealed = Bool(False).tag(sync=True)

    def __init__(self, **traits):
        super().__init__(alt=f"A question to answer before reading on: {traits['question']}", **traits)

    @classmethod
    def choice(
        cls,
        name: str,
        question: str,
        options: Sequence[str],
        truth: Sequence[float],
        says: str,
        unit: str = "",
        unveils=(),
    ) -> "Predict":
        """One option out of several, drawn beside a number for each.

        Raises:
            ValueError: if there are fewer than two options, or not one number for each.
        """
        options, truth = list(options), [_plain(value) for value in truth]
        if not 2 <= len(options) == len(truth):
            raise ValueError(f"there are {len(options)} options and {len(truth)} numbers; two or more pairs are needed")
        return cls(
            kind="choice", name=name, question=question, options=options, truth=truth, says=says, unit=unit,
            unveils=list(unveils),
        )  # fmt: skip

    @classmethod
    def number(
        cls,
        name: str,
        question: str,
        truth: float,
        says: str,
        *,
        low: float = 0,
        high: float,
        step: float = 1,
        unit: str = "",
        interval: Sequence[float] = (),
        unveils=(),
    ) -> "Predict":
        """A number on a slider.

        Raises:
            ValueError: if the truth does not lie on the slider, or the slider has more than 1,000 positions.
        """
        if not low <= truth <= high:
            raise ValueError(f"truth is {truth}; the slider runs from {low} to {high}")
        if not 1 <= (high - low) / step <= 1_000:
            raise ValueError(f"a slider from {low} to {high} in steps of {step} has no use; 2 to 1,000 positions have")
        interval = [_plain(end) for end in interval]
        return cls(
            kind="number", name=name, question=question, truth=_plain(truth), says=says, low=low, high=high, step=step,
            unit=unit, interval=interval, unveils=list(unveils),
        )  # fmt: skip

    @classmethod
    def curve(
        cls,
        name: str,
        question: str,
        points: Sequence[str],
        truth: Sequence[float],
        says: str,
        *,
        low: float = 0,
        high: float = 1,
        xlabel: str,
        ylabel: str,
        unveils=(),
    ) -> "Predict":
        """A line sketched on axes.

        Raises:
            ValueError: if there is not one true value for each point, or one lies outside the axes.
        """
        points, truth = list(points), [_plain(value) for value in truth]
        if not 2 <= len(points) == len(truth):
            raise ValueError(f"there are {len(points)} points and {len(truth)} values; two or more pairs are needed")
        if not low <= min(truth) <= max(truth) <= high:
            raise ValueError(f"truth runs from {min(truth)} to {max(truth)}; the axes from {low} to {high}")
        return cls(
            kind="curve", name=name, question=question, points=points, truth=truth, says=says, low=low, high=high,
            xlabel=xlabel, ylabel=ylabel, unveils=list(unveils),
        )  # fmt: skip

    def picture(self) -> str:
        """The question, and its answer below the options: on paper the reader has to look away."""
        options = "".join(f"<li>{escape(option)}</li>" for option in self.options)
        return (
            f'<p class="il-kicker">Predict</p><p class="il-question">{escape(self.question)}</p>'
            + (f"<ul>{options}</ul>" if options else "")
            + f"<details><summary>What the run says</summary><p>{escape(self.says)}</p></details>"
        )


def _plain(value: float) -> float:
    """A number for JSON, rounded to the digits that a page shows."""
    value = float(value)
    return int(value) if value.is_integer() else round(value, 4)
