"""In-context learning by hand: labeled points to drag, and the predictions of trained attention layers."""

from collections.abc import Mapping

import numpy as np
import torch
from traitlets import Bool, Dict, Float, Int, List

from innerlab import figures
from innerlab.chapters.mesa_optimizer.closed_forms import objective_weights, one_step_gd
from innerlab.chapters.mesa_optimizer.linear_attention import Layers
from innerlab.chapters.mesa_optimizer.tasks import InContextRegression, TwoChannels
from innerlab.seeds import numpy_generator
from innerlab.widgets.widget import Widget

MOST = 16
"""As many points as one can have."""


class InContext(Widget):
    """Layers of linear attention on points that the reader drags, beside one gradient step and ridge regression.

    Inputs have one dimension, so all predictions are lines through zero over the query, and travel as slopes. A layer's
    is that of ``linear_attention.Layers.predict``; of its matrix A only the first column counts. The gradient
    step has the best size for the layers' training (``closed_forms.one_step_gd``), and ridge regression the
    best penalty, so that it is the Bayes-optimal prediction. Points may get a second label: then the layers
    are those of a condition in which labels came in two channels, and their weights stand beside the exact law's
    (``closed_forms.objective_weights``).

    Args:
        task: what the layers of one label were trained on.
        layers: these layers.
        conditions: by name, what layers of two labels were trained on, and these layers.
        alt: what the widget shows.
        box: how far inputs and labels reach to both sides of zero.
        seed: of the first points, as many as in training.

    Attributes:
        points: what is in the plane, a list of [input, intended label, proxy].
        two: whether points have two labels.
        apart: whether proxies move by themselves.
        condition: which of the conditions is shown, counted from 0.
        drawn: how many tasks the reader has drawn.

    Raises:
        ValueError: if a task does not have one normal input and as many points as the others, layers do not fit their
            task or are not finite, there is no condition, or the box or the noise is out of range.
    """

    front = "in_context"
    layers, conditions = Dict().tag(sync=True), List(Dict()).tag(sync=True)
    first: List[list[float]] = List().tag(sync=True)
    points: List[list[float]] = List().tag(sync=True)
    box, steps = List(Float()).tag(sync=True), List(Float()).tag(sync=True)
    noise, penalty = Float().tag(sync=True), Float().tag(sync=True)
    two, apart = Bool().tag(sync=True), Bool().tag(sync=True)
    condition, drawn = Int().tag(sync=True), Int().tag(sync=True)

    def __init__(
        self,
        task: InContextRegression,
        layers: Layers,
        conditions: Mapping[str, tuple[TwoChannels, Layers]],
        *,
        alt: str,
        box: tuple[float, float] = (2.5, 4.0),
        seed: int = 0,
    ):
        if len(box) != 2 or not all(0 < side < np.inf for side in box):
            raise ValueError(f"box is {box}; two numbers above 0 were expected")
        if not conditions:
            raise ValueError("conditions is empty; one or more were expected")
        if not 1 <= task.n <= MOST:
            raise ValueError(f"task has n = {task.n}; 1 to {MOST} points can be shown")
        if task.distribution != "normal" or task.input_variance != 1 or not task.prior_variance > 0:
            raise ValueError(f"task is {task}; normal inputs of variance 1 and a positive prior_variance were expected")
        for name, (its, _) in conditions.items():
            if its.n != task.n or its.swapped:
                raise ValueError(f"condition {name!r} has the task {its}; n = {task.n} and swapped = 0 were expected")
        for each in (task, *(its for its, _ in conditions.values())):
            if (noise := max(getattr(each, part, 0) for part in ("noise", "noise_true", "noise_proxy"))) > box[1]:
                raise ValueError(f"{each} has noise of {noise}; labels up to {box[1]:g} are shown")
        points = _points(task, box, seed)
        step, _ = one_step_gd(1, task.n, task.noise, prior_variance=task.prior_variance)
        super().__init__(
            alt=alt, layers=_traveling("layers", task, layers), first=points, points=points,
            conditions=[_condition(name, *given) for name, given in conditions.items()], box=list(map(float, box)),
            steps=[step, one_step_gd(1, task.n)[0]], noise=task.noise, penalty=task.noise**2 / task.prior_variance,
        )  # fmt: skip

    def picture(self) -> str:
        """The first points, and the lines of the layers, of one gradient step and of ridge regression."""
        tokens = np.array(self.first)[:, :2]
        x, y = tokens.T
        slopes = ((tokens @ np.array(self.layers["key"]).T) * (tokens @ np.array(self.layers["value"]).T)).mean(0)
        rulers = {"one step": self.steps[0] * (x * y).mean(), "ridge": x @ y / (x @ x + self.penalty)}
        across = np.array([-1, 1]) * self.box[0]
        figure, axes = figures.panels(width=4.6, height=3.4)
        figures.seed_curves(axes, across, np.outer(across, slopes), color=figures.BLUE, label="layers, median")
        for (name, slope), color, dash in zip(rulers.items(), (figures.RED, figures.GREEN), ("--", ":"), strict=True):
            axes.plot(across, slope * across, color=color, linestyle=dash, linewidth=2, label=name)
        axes.plot(x, y, "o", color=figures.INK)
        axes.set(xlim=across, ylim=(-self.box[1], self.box[1]), xlabel="input", ylabel="label")
        axes.legend(loc="best")
        told = {"layers, median": np.median(slopes)} | rulers
        words = ", ".join(f"{name} {slope:.2f}" for name, slope in told.items())
        return figures.Shown(figure, f"{self.alt} There are {len(x)} points at first; slopes: {words}.").html()


def _traveling(what: str, task: InContextRegression | TwoChannels, layers: Layers) -> dict:
    """The weights of layers that the page needs, by name, rounded to seven digits.

    Raises:
        ValueError: if the layers do not fit their task or are not finite.
    """
    if task.d != 1 or layers.d != 1 or layers.channels != task.channels:
        raise ValueError(
            f"{what}: the task has d = {task.d} and the layers have d = {layers.d} and {layers.channels} channels; "
            f"d = 1 and {task.channels} channels were expected"
        )
    key, value = layers.key_query[:, :, 0], layers.readout
    if not torch.isfinite(torch.cat([key, value])).all():
        raise ValueError(f"{what}: weights are not finite")
    return {
        name: [[float(f"{number:.7g}") for number in row] for row in numbers.tolist()]
        for name, numbers in (("key", key), ("value", value))
    }


def _condition(name: str, task: TwoChannels, layers: Layers) -> dict:
    noise = [task.noise_true, task.noise_proxy]
    settled = any(noise) or task.decoupled
    law = objective_weights(1, task.n, task.noise_true, task.noise_proxy, task.decoupled) if settled else ()
    return {"name": name, "noise": noise, "law": list(law)} | _traveling(f"condition {name!r}", task, layers)


def _points(task: InContextRegression, box: tuple[float, float], seed: int) -> list[list[float]]:
    """Points of a random task, clipped to the box, as [input, label, proxy] with two decimals; proxies equal labels."""
    random = numpy_generator(seed)
    x = np.clip(random.standard_normal(task.n), -box[0], box[0])
    line = task.prior_variance**0.5 * random.standard_normal()
    y = np.clip(line * x + task.noise * random.standard_normal(task.n), -box[1], box[1])
    return np.stack([x, y, y], 1).round(2).tolist()
