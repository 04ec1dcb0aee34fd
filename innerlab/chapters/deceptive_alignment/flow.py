"""Gradient descent on a planner that models its own training, from any start that the reader sets."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus
from traitlets import Bool, Float, Int, List

from innerlab import figures
from innerlab.systems.training_aware_planner import descend
from innerlab.widgets.widget import Widget

THETA, LAM = (-2.0, 1.0), (0.0, 2.0)
"""Where starts may lie: how much the planner likes what is wanted, and how much it minds modification."""


class Flow(Widget):
    """The plane of (theta, lambda), on which gradient descent runs from a start that is set by pointer or keyboard.

    The planner is the one of ``training_aware_planner.deceptive_basin``, with the loss of :func:`training_loss`. The
    page takes the same steps as ``training_aware_planner.descend`` (``front/descent.js``), draws the separatrix, and
    tells both logits and, where there is one, the conserved quantity.

    Args:
        kappas: weights of later episodes to choose from; the first is chosen at the start.
        ratios: learning rates of lambda over that of theta to choose from; the first is chosen at the start.
        start: theta and lambda, in :data:`THETA` and :data:`LAM`.
        rate: learning rate of theta.
        steps: of gradient descent.
        alt: what the widget shows.

    Attributes:
        start: theta and lambda.
        kappa: the chosen one of ``kappas``.
        ratio: the chosen one of ``ratios``.
        capped: whether no goal can lose more than 1 in an episode.

    Raises:
        ValueError: if a number is out of range, or there is nothing to choose from.
    """

    front = "flow"
    theta, lam, start = List(Float()).tag(sync=True), List(Float()).tag(sync=True), List(Float()).tag(sync=True)
    kappas, ratios = List(Float()).tag(sync=True), List(Float()).tag(sync=True)
    kappa, ratio, rate = Float().tag(sync=True), Float().tag(sync=True), Float().tag(sync=True)
    steps, capped = Int().tag(sync=True), Bool().tag(sync=True)

    def __init__(
        self,
        *,
        alt: str,
        kappas: Sequence[float] = (1.0, 2.0),
        ratios: Sequence[float] = (1.0, 0.1, 4.0),
        start: Sequence[float] | np.ndarray = (-1.0, 0.3),
        rate: float = 0.04,
        steps: int = 2500,
    ):
        for what, numbers in (("kappas", kappas), ("ratios", ratios), ("rate", [rate])):
            if not len(numbers) or not all(0 < number < np.inf for number in numbers):
                raise ValueError(f"{what} is {numbers}; positive numbers were expected")
        if np.shape(start) != (2,) or not all(a <= x <= b for x, (a, b) in zip(start, (THETA, LAM), strict=True)):
            raise ValueError(f"start is {start}; theta from {THETA[0]:g} to {THETA[1]:g} and lambda from {LAM[0]:g} to "
                             f"{LAM[1]:g} were expected")  # fmt: skip
        if not 1 <= steps <= 20_000:
            raise ValueError(f"steps is {steps}; a number from 1 to 20000 was expected")
        super().__init__(
            alt=alt, theta=list(THETA), lam=list(LAM), start=np.asarray(start, float).tolist(), rate=rate, steps=steps,
            kappas=list(map(float, kappas)), ratios=list(map(float, ratios)), kappa=kappas[0], ratio=ratios[0],
        )  # fmt: skip

    def picture(self) -> str:
        """The separatrix, the path from the start, and those from a grid of starts."""
        grid = [point for t in np.linspace(-1.8, 0.8, 7) for point in ((t, 0.1), (t, 0.6), (t, 1.1))]
        theta_starts, lam_starts = np.array([self.start, *grid]).T
        looks = np.unique(np.geomspace(1, self.steps + 1, 60).astype(int) - 1)
        loss = training_loss(self.kappa, self.capped)
        thetas, lams = descend(loss, theta_starts, lam_starts, looks.tolist(), self.rate, self.ratio)
        figure, axes = figures.panels(width=4.6, height=3.4)
        axes.plot(thetas[:, 1:], lams[:, 1:], color=figures.GRAY, linewidth=0.7)
        edge = np.array([THETA[0], 0])
        axes.plot(
            edge, 1 / self.kappa + np.sqrt(self.ratio) * edge, color=figures.INK, linestyle="--", label="separatrix"
        )
        axes.plot(thetas[:, 0], lams[:, 0], color=figures.RED, linewidth=2.2, label="from the start")
        axes.plot(*self.start, "^", color=figures.RED, markersize=9)
        axes.set(xlim=THETA, ylim=LAM, xlabel="θ: how much it likes what is wanted", ylabel="λ: how much it minds")
        figure.legend(loc="outside upper left", ncols=2)
        theta, lam = thetas[-1, 0], lams[-1, 0]
        behaves = loss(*torch.tensor([theta, lam])) <= np.log(2)  # in training, where its logit is not negative
        kind = "aligned" if theta >= 0 else "deceptive" if behaves else "openly misaligned"
        says = f"From {tuple(self.start)} gradient descent ends at θ = {theta:.2f}, λ = {lam:.2f}: {kind}."
        return figures.Shown(figure, f"{self.alt} {says}").html()


def training_loss(kappa: float, capped: bool = False) -> Callable[[Tensor, Tensor], Tensor]:
    """The training loss: the softplus of the negative training logit, whose regret may be capped at 1.

    Args:
        kappa: the weight of later episodes.
        capped: whether regret is ``1 - exp(theta)`` below 0, instead of ``-theta``.
    """

    def loss(theta: Tensor, lam: Tensor) -> Tensor:
        below = torch.clamp(theta, max=0)
        return softplus(-theta - lam * kappa * (1 - below.exp() if capped else -below))

    return loss
