"""Prompts of in-context linear regression.

Labels stand in one or two channels. The leading axis is the network; each network's prompts are drawn from its own
generator.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from innerlab.ensembles.base import standard_normal


class Prompts(NamedTuple):
    """A batch of prompts for every network.

    Attributes:
        x: inputs of the context, ``(networks, batch, n, d)``.
        y: their labels, ``(networks, batch, n, channels)``.
        query: the input whose label is to be predicted, ``(networks, batch, d)``.
        target: the query's label in each channel, ``(networks, batch, channels)``. Networks are trained on the first
            channel.
    """

    x: Tensor
    y: Tensor
    query: Tensor
    target: Tensor

    def shuffled(self) -> "Prompts":
        """The same prompts with each label moved to the next example: the context no longer shows the function."""
        return self._replace(y=self.y.roll(1, dims=2))

    def scaled(self, factor: float) -> "Prompts":
        """Inputs and labels multiplied by a factor; without label noise the functions stay the same."""
        return Prompts(*(part * factor for part in self))


@dataclass(frozen=True)
class InContextRegression:
    r"""Labels :math:`y = w^\top x + \sigma \varepsilon`, with a w of its own for each prompt.

    The entries of w are normal, with variance :math:`\tau^2`. The query's label contains the noise as well.

    Raises:
        ValueError: if a size is below 1, a deviation or variance is negative, or the distribution is not known.
    """

    d: int = 5
    """inputs"""
    n: int = 10
    """examples in the context"""
    noise: float = 0.0
    """standard deviation of the label noise"""
    distribution: str = "normal"
    """of the inputs: normal, or uniform around 0"""
    input_variance: float = 1.0
    """of each input"""
    prior_variance: float = 1.0
    """of each entry of w"""
    mixing: Tensor | None = None
    """``(d, d)``, multiplies the inputs from the left, so that their covariance is ``mixing @ mixing.T`` times the
    variance; None for independent inputs"""

    def __post_init__(self) -> None:
        check_sizes(self.d, self.n)
        check_not_negative(noise=self.noise, input_variance=self.input_variance, prior_variance=self.prior_variance)
        if self.distribution not in ("normal", "uniform"):
            raise ValueError(f"distribution is {self.distribution!r}; normal or uniform was expected")
        if self.mixing is not None and tuple(self.mixing.shape) != (self.d, self.d):
            raise ValueError(f"mixing has shape {tuple(self.mixing.shape)}; {(self.d, self.d)} was expected")

    @property
    def channels(self) -> int:
        """How many label channels there are: one."""
        return 1

    def draw(self, generators: Sequence[torch.Generator], batch: int) -> Prompts:
        """A batch of prompts for each generator."""
        shape = (batch, self.n + 1, self.d)
        if self.distribution == "normal":
            x = standard_normal(generators, *shape)
        else:
            x = (torch.stack([torch.rand(shape, generator=g) for g in generators]) * 2 - 1) * 3**0.5
        x = x * self.input_variance**0.5
        if self.mixing is not None:
            x = x @ self.mixing.T
        w = standard_normal(generators, batch, self.d, 1) * self.prior_variance**0.5
        y = x @ w  # (networks, batch, n + 1, 1)
        if self.noise:
            y = y + self.noise * standard_normal(generators, batch, self.n + 1, 1)
        return Prompts(x[:, :, :-1], y[:, :, :-1], x[:, :, -1], y[:, :, -1])


@dataclass(frozen=True)
class TwoChannels:
    r"""Two sensors for one label: the intended one and a proxy, which agree but for noise.

    The intended channel shows :math:`w^\top x + \sigma_t \varepsilon` and the proxy
    :math:`u^\top x + \sigma_p \varepsilon'`, with :math:`u = w` except in the share ``decoupled`` of the prompts, where
    u is drawn anew. Inputs, w and u are normal with variance 1. Only labels are noisy: targets are :math:`w^\top x` and
    :math:`u^\top x`.

    Raises:
        ValueError: if a size is below 1, a deviation is negative, or a share lies outside 0 to 1.
    """

    d: int = 5
    """inputs"""
    n: int = 10
    """examples in the context"""
    noise_true: float = 0.0
    """standard deviation of the noise in the intended channel"""
    noise_proxy: float = 0.0
    """standard deviation of the noise in the proxy's"""
    decoupled: float = 0.0
    """share of prompts in which the proxy shows another function"""
    swapped: float = 0.0
    """share of prompts in which the two standard deviations change places, as the context shows"""

    def __post_init__(self) -> None:
        check_sizes(self.d, self.n)
        check_not_negative(noise_true=self.noise_true, noise_proxy=self.noise_proxy)
        for name in ("decoupled", "swapped"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}; a share from 0 to 1 was expected")

    @property
    def channels(self) -> int:
        """How many label channels there are: two, the intended one first."""
        return 2

    def draw(self, generators: Sequence[torch.Generator], batch: int) -> Prompts:
        """A batch of prompts for each generator."""
        x = standard_normal(generators, batch, self.n + 1, self.d)
        functions = standard_normal(generators, batch, self.d, 2)
        agree = ~self._happens(generators, batch, self.decoupled)
        u = torch.where(agree, functions[..., :1], functions[..., 1:])
        clean = x @ torch.cat([functions[..., :1], u], -1)  # (networks, batch, n + 1, channels)
        deviation = torch.tensor([self.noise_true, self.noise_proxy])
        swap = self._happens(generators, batch, self.swapped)
        deviation = torch.where(swap, deviation.flip(0), deviation)  # (networks, batch, 1, channels)
        y = clean[:, :, :-1]
        if self.noise_true or self.noise_proxy:
            y = y + deviation * standard_normal(generators, batch, self.n, 2)
        return Prompts(x[:, :, :-1], y, x[:, :, -1], clean[:, :, -1])

    @staticmethod
    def _happens(generators: Sequence[torch.Generator], batch: int, share: float) -> Tensor:
        return torch.stack([torch.rand(batch, 1, 1, generator=g) for g in generators]) < share


def check_sizes(d: int, n: int) -> None:
    """A ``ValueError`` if there is no input or no example."""
    for name, size in (("d", d), ("n", n)):
        if size < 1:
            raise ValueError(f"{name} is {size}; it must be at least 1")


def check_not_negative(**values: float) -> None:
    """A ``ValueError`` that names a negative argument and its value."""
    for name, value in values.items():
        if not value >= 0:
            raise ValueError(f"{name} is {value}; it must not be negative")
