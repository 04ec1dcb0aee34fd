"""What all ensembles share: seeds, first weights, selection, and the loop that trains them.

An ensemble is many independent networks computed as one batch. The leading axis of every parameter is the network:
network 7 of 64 is the network that training seed 7 alone would give, up to rounding.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from typing import Self

import torch
from torch import Generator, Tensor, nn

from innerlab.seeds import torch_generator


class Ensemble(nn.Module):
    """Independent networks, one for each seed. Parameters are ``(networks, ...)``, and networks share none.

    A subclass draws its parameters from :meth:`generators`, with :func:`standard_normal`.

    Args:
        seeds: one for each network.

    Attributes:
        seeds: as given.

    Raises:
        ValueError: if there is no seed, or one is negative.
    """

    def __init__(self, seeds: Sequence[int]):
        super().__init__()
        if len(seeds) == 0:
            raise ValueError("seeds is empty; give one for each network")
        for seed in seeds:
            if seed < 0:
                raise ValueError(f"seed is {seed}; it must not be negative")
        self.seeds = tuple(int(seed) for seed in seeds)

    @property
    def networks(self) -> int:
        """How many networks there are."""
        return len(self.seeds)

    def generators(self, stream: int) -> list[Generator]:
        """A new random generator for each network, from its own seed.

        Args:
            stream: what the numbers are for, a constant of :mod:`innerlab.seeds`.
        """
        return [torch_generator(seed, stream) for seed in self.seeds]

    def select(self, which: Sequence[int]) -> Self:
        """A new ensemble of copies of some networks.

        Args:
            which: their indices, in the order wanted; an index may come more than once.

        Raises:
            ValueError: if ``which`` is empty or holds an index that there is not.
        """
        if len(which) == 0 or not all(0 <= i < self.networks for i in which):
            raise ValueError(f"which is {list(which)}; indices from 0 to {self.networks - 1} were expected")
        chosen = deepcopy(self)
        chosen.seeds = tuple(self.seeds[i] for i in which)
        for parameter in chosen.parameters():
            parameter.data = parameter.data[list(which)]
        return chosen

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """A new ensemble of copies of all networks of several ensembles, one ensemble after another.

        Args:
            parts: ensembles of the same sizes; those of their number of networks may differ.

        Raises:
            ValueError: if there is no part.
        """
        if len(parts) == 0:
            raise ValueError("parts is empty; at least one ensemble was expected")
        whole = deepcopy(parts[0])
        whole.seeds = tuple(seed for part in parts for seed in part.seeds)
        for name, parameter in whole.named_parameters():
            parameter.data = torch.cat([part.get_parameter(name).detach() for part in parts])
        return whole


def standard_normal(generators: Iterable[Generator], *shape: int) -> Tensor:
    """Standard normal numbers, each network's from its own generator: float ``(networks, *shape)``."""
    return torch.stack([torch.randn(shape, generator=g) for g in generators])


def train(
    model: nn.Module,
    loss: Callable[[int], Tensor],
    steps: int,
    learning_rate: float | Callable[[int], float],
    *,
    after: Callable[[int], None] | None = None,
    max_grad_norm: float = math.inf,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    fused: bool | None = True,
) -> Tensor:
    """Train an ensemble in place by Adam (Kingma and Ba 2015, arXiv:1412.6980).

    Each network follows the gradient of its own loss: networks share no parameters, so that the gradient of the sum
    of their losses holds each network's own.

    Args:
        model: the ensemble.
        loss: maps the step, counted from 0, to the losses ``(networks,)``, differentiable in the parameters.
        steps: how many gradient steps.
        learning_rate: a number, or a function that maps the step to one.
        after: called after each step, with the number of steps taken.
        max_grad_norm: to which each network's gradient is clipped; infinite for no clipping.
        betas: decay of Adam's averages of the gradient and of its square.
        eps: added to the denominator of Adam's update.
        fused: whether Adam updates all parameters in one kernel; the two differ by rounding.

    Returns:
        the losses before each step, float ``(steps, networks)``.
    """
    optimizer = torch.optim.Adam(model.parameters(), betas=betas, eps=eps, fused=fused)
    curve = []
    for step in range(steps):
        losses = loss(step)  # (networks,)
        optimizer.zero_grad(set_to_none=True)
        losses.sum().backward()
        if max_grad_norm < math.inf:
            clip_grad_norm_(model.parameters(), max_grad_norm)
        optimizer.param_groups[0]["lr"] = learning_rate(step) if callable(learning_rate) else learning_rate
        optimizer.step()
        curve.append(losses.detach())
        if after is not None:
            after(step + 1)
    return torch.stack(curve)


def clip_grad_norm_(parameters: Iterable[Tensor], max_norm: float) -> None:
    """Clip each network's gradient norm to ``max_norm``, in place.

    As :func:`torch.nn.utils.clip_grad_norm_`, which clips one norm over all parameters; here, one for each network.

    Args:
        parameters: all of an ensemble's, ``(networks, ...)``, each with its gradient.
        max_norm: of a network's gradient, positive.
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = torch.stack([g.flatten(1).square().sum(1) for g in gradients]).sum(0).sqrt()  # (networks,)
    scale = (max_norm / (norm + 1e-12)).clamp(max=1)
    for g in gradients:
        g *= scale.view(-1, *[1] * (g.ndim - 1))


def warmup_cosine(step: int, steps: int, learning_rate: float, warmup_steps: int, min_lr_ratio: float) -> float:
    """The learning rate of a step: a linear warmup times a half cosine.

    Args:
        step: counted from 0.
        steps: of the whole training.
        learning_rate: the highest.
        warmup_steps: over how many steps the warmup rises to 1 in a straight line; 0 for no warmup.
        min_lr_ratio: the share of the highest at which the half cosine ends, after all steps.
    """
    warmup = min(1.0, (step + 1) / max(warmup_steps, 1))
    cosine = 0.5 * (1 + math.cos(math.pi * step / steps))  # from 1 to 0
    return learning_rate * warmup * (min_lr_ratio + (1 - min_lr_ratio) * cosine)


def check_checkpoints(at: Sequence[int], steps: int) -> None:
    """Check that ``at`` holds steps that training takes, in order; 0 stands for before the first.

    Raises:
        ValueError: if ``at`` does not ascend, or holds a step below 0 or above ``steps``.
    """
    if list(at) != sorted({step for step in at if 0 <= step <= steps}):
        raise ValueError(f"at is {tuple(at)}; ascending steps from 0 to {steps} were expected")
