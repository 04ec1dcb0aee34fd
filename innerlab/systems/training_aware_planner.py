"""Planners with a goal and a model of their own training: where gradient descent takes them.

The smallest one has two numbers. ``theta`` says how much it likes, by its own goal, what is wanted of it, and below 0
that it would rather do something else. ``lam`` says how much it minds that its goal is modified. In deployment its
logit for doing what is wanted is ``theta``; in training it is ``theta + lam * kappa * max(0, -theta)``, since there
it expects to be modified otherwise, and would then miss ``max(0, -theta)`` in each of so many later episodes as
``kappa`` weighs. The loss falls with the training logit, and nothing else enters it.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from innerlab.seeds import DATA, INITIALIZATION, torch_generator


def deceptive_basin(theta: ArrayLike, lam: ArrayLike, kappa: float, rate_ratio: float) -> np.ndarray:
    r"""The starts from which gradient descent ends at a planner that complies in training and defects in deployment.

    For ``theta`` below 0 both gradients have the slope of the loss as a factor, so that the path does not depend on
    the loss, and for small steps :math:`(\lambda - 1/\kappa)^2 / r - \theta^2` is conserved along it. A path that
    would have to pass :math:`\theta = 0` needs this to be positive at :math:`\lambda < 1/\kappa`. So it stays below
    0 if and only if :math:`1/\kappa - \lambda < \sqrt r \, |\theta|`. On the line itself, where a path runs into
    (0, 1/kappa), the answer is no.

    Args:
        theta: at the start, any shape.
        lam: at the start, broadcastable to it.
        kappa: the expected loss for each unit of regret, positive.
        rate_ratio: r, the learning rate of ``lam`` over that of ``theta``, positive.

    Returns:
        bool, of the common shape of ``theta`` and ``lam``.

    Raises:
        ValueError: if ``kappa`` or ``rate_ratio`` is not positive and finite.
    """
    for name, value in (("kappa", kappa), ("rate_ratio", rate_ratio)):
        if not (value > 0 and np.isfinite(value)):
            raise ValueError(f"{name} is {value}; it must be positive and finite")
    theta, lam = np.asarray(theta, dtype=float), np.asarray(lam, dtype=float)
    return (theta < 0) & (1 / kappa - lam < np.sqrt(rate_ratio) * -theta)


def descend(
    loss: Callable[[Tensor, Tensor], Tensor],
    theta: ArrayLike,
    lam: ArrayLike,
    at: Sequence[int],
    rate: float = 0.02,
    rate_ratio: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Plain gradient descent on a loss of two numbers, from many starts side by side.

    Args:
        loss: of each start, ``(starts,)`` from ``theta`` and ``lam`` of that shape; differentiable.
        theta: the starts, ``(starts,)``.
        lam: likewise.
        at: the steps after which the path is recorded, ascending; 0 is the start.
        rate: learning rate of ``theta``, positive.
        rate_ratio: that of ``lam`` over it, 0 or more; with 0 ``lam`` stays as it is.

    Returns:
        ``theta`` and ``lam`` at these steps, float64 ``(len(at), starts)`` each.

    Raises:
        ValueError: if ``at`` does not ascend from 0 or more, or a rate is out of range.
    """
    looks = list(at)
    if not looks or looks[0] < 0 or any(b <= a for a, b in pairwise(looks)):
        raise ValueError(f"at is {looks}; step numbers were expected, ascending from 0 or more")
    if not rate > 0 or not rate_ratio >= 0:
        raise ValueError(f"rate is {rate} and rate_ratio {rate_ratio}; positive, and 0 or more, were expected")
    point = [torch.tensor(np.asarray(x, dtype=float)).requires_grad_() for x in (theta, lam)]
    path = []
    for step in range(looks[-1] + 1):
        if step in looks:
            path.append([x.detach().numpy().copy() for x in point])
        slopes = torch.autograd.grad(loss(*point).sum(), point, materialize_grads=True, allow_unused=True)
        with torch.no_grad():
            for x, slope, speed in zip(point, slopes, (rate, rate * rate_ratio), strict=True):
                x -= speed * slope
    thetas, lams = zip(*path, strict=True)
    return np.stack(thetas), np.stack(lams)


def goals(seeds: Sequence[int], dimensions: int, cosine: float | Sequence[float]) -> tuple[Tensor, Tensor, Tensor]:
    """For each network the wanted goal, its own goal at the start, and an unrelated one, as unit vectors.

    Args:
        seeds: one for each network.
        dimensions: of a goal, at least 2.
        cosine: between the wanted goal and the network's own, -1 to 1: of all networks, or one for each.

    Returns:
        wanted, own and unrelated goals, float ``(networks, dimensions)`` each.

    Raises:
        ValueError: if there is no seed, one is negative, ``dimensions`` or ``cosine`` is out of range, or the number
            of cosines is another than that of seeds.
    """
    cosines = np.broadcast_to(np.asarray(cosine, dtype=float), len(seeds))
    if len(seeds) == 0 or dimensions < 2 or not (np.abs(cosines) <= 1).all():
        raise ValueError(
            f"there are {len(seeds)} seeds, dimensions is {dimensions} and cosine {cosine}; "
            "a seed or more, 2 dimensions or more and a cosine of -1 to 1 were expected"
        )
    drawn = [torch.randn(3, dimensions, generator=torch_generator(seed, INITIALIZATION)) for seed in seeds]
    wanted, aside, unrelated = torch.stack(drawn, 1)
    wanted = wanted / wanted.norm(dim=1, keepdim=True)
    aside = aside - (aside * wanted).sum(1, keepdim=True) * wanted
    along, across = (torch.tensor(x, dtype=torch.float)[:, None] for x in (cosines, (1 - cosines**2) ** 0.5))
    own = along * wanted + across * aside / aside.norm(dim=1, keepdim=True)
    return wanted, own, unrelated / unrelated.norm(dim=1, keepdim=True)


def normal_batches(seeds: Sequence[int], *shape: int, block: int = 50) -> Iterator[Tensor]:
    """Yield batches of standard normal numbers, float ``(networks, *shape)``, each network's from its own seed.

    Args:
        seeds: one for each network.
        shape: of one network's batch.
        block: how many batches are drawn at once, at least 1; the numbers depend on it.
    """
    generators = [torch_generator(seed, DATA) for seed in seeds]
    while True:
        yield from torch.stack([torch.randn(block, *shape, generator=g) for g in generators], 1)
