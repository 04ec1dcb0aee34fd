"""Ensembles of small causal transformers, for tokens that are vectors and for tokens that are symbols.

As in ``policies``, the leading axis is the network, and each is drawn and trained from its own seed.

Shapes use ``networks`` for the ensemble, ``batch`` for sequences, ``length`` for the tokens of each.
"""

import math
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from innerlab.seeds import DATA, INITIALIZATION, generator

Draw = Callable[[int, Generator, int], tuple[Tensor, Tensor]]
"""Draws training data for one network: given its place in the ensemble, its generator and a number of sequences, the
tokens (``(sequences, length, inputs)``, or long ``(sequences, length)``) and the targets ``(sequences, ...)``."""

Loss = Callable[[Tensor, Tensor], Tensor]
"""Maps outputs ``(networks, batch, length, outputs)`` and targets ``(networks, batch, ...)`` to losses
``(networks,)``, each a mean over what its network saw."""


class Transformers(nn.Module):
    """Causal softmax transformers, one for each seed, computed as one batch.

    A layer is attention and then a gated MLP (Vaswani et al. 2017, arXiv:1706.03762; "bilinear" in Shazeer 2020,
    arXiv:2002.05202), each added to the residual stream and each reading it through RMSNorm (Zhang and Sennrich
    2019, arXiv:1910.07467); norms have no gains of their own, since the matrices that follow can take them up.
    One more MLP precedes the first layer, so that what stands within a token can be multiplied before any attention.
    Positions are learned and added to the tokens.

    Args:
        seeds: one for each network.
        inputs: numbers in a token; with ``symbols``, how many different tokens there are.
        outputs: numbers read out at every position.
        length: the most tokens that a sequence can have.
        width: of the residual stream.
        layers: at least 1.
        heads: of each attention; they share the width.
        symbols: tokens are whole numbers below ``inputs`` instead of vectors.

    Raises:
        ValueError: if there is no seed, one is negative, a size is below 1, or ``heads`` does not divide ``width``.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        *,
        inputs: int,
        outputs: int,
        length: int,
        width: int = 32,
        layers: int = 2,
        heads: int = 2,
        symbols: bool = False,
    ):
        super().__init__()
        if len(seeds) == 0:
            raise ValueError("seeds is empty; give one for each network")
        sizes = {"inputs": inputs, "outputs": outputs, "length": length, "width": width, "layers": layers}
        for name, size in (sizes | {"heads": heads}).items():
            if size < 1:
                raise ValueError(f"{name} is {size}; it must be at least 1")
        if width % heads:
            raise ValueError(f"heads is {heads}; it must divide width, {width}")
        self.seeds = tuple(int(seed) for seed in seeds)
        self.inputs, self.outputs, self.length, self.width = inputs, outputs, length, width
        self.layers, self.heads, self.symbols = layers, heads, symbols
        generators = [generator(seed, INITIALIZATION) for seed in self.seeds]

        def draw(*shape: int, deviation: float) -> nn.Parameter:
            return nn.Parameter(torch.stack([torch.randn(*shape, generator=g) for g in generators]) * deviation)

        def several(count: int, *shape: int, deviation: float) -> nn.ParameterList:
            return nn.ParameterList(draw(*shape, deviation=deviation) for _ in range(count))

        one, half = width**-0.5, 0.5 * width**-0.5  # what is added to the stream begins at half size
        self.embedding = draw(inputs, width, deviation=1.0 if symbols else inputs**-0.5)
        self.position = draw(length, width, deviation=0.1)
        self.query, self.key, self.value = (several(layers, width, width, deviation=one) for _ in range(3))
        self.mix = several(layers, width, width, deviation=half)
        self.factor, self.gate = (several(layers + 1, width, width, deviation=one) for _ in range(2))
        self.factor_bias, self.gate_bias = (
            nn.ParameterList(nn.Parameter(torch.zeros(len(seeds), 1, width)) for _ in range(layers + 1))
            for _ in range(2)
        )
        self.product = several(layers + 1, width, width, deviation=half)
        self.readout = draw(width, outputs, deviation=half)

    @property
    def networks(self) -> int:
        """How many networks there are."""
        return len(self.seeds)

    def residual_stream(self, tokens: Tensor) -> list[Tensor]:
        """What stands in the residual stream after the first MLP and after every layer.

        Args:
            tokens: float ``(networks, batch, length, inputs)``, or with ``symbols`` long ``(networks, batch,
                length)``. The first axis may be 1, when all networks see the same.

        Returns:
            one more than there are layers, ``(networks, batch, length, width)`` each.

        Raises:
            ValueError: if tokens have another type or shape, are too many, or a symbol is not one of them.
        """
        tokens = self._checked(tokens).expand(self.networks, *tokens.shape[1:])
        shape = tokens.shape[:3]
        if self.symbols:
            rows = tokens + self.inputs * torch.arange(self.networks)[:, None, None]
            embedded = F.embedding(rows, self.embedding.flatten(0, 1))
        else:
            embedded = torch.bmm(tokens.flatten(1, 2), self.embedding).view(*shape, self.width)
        stream = (embedded + self.position[:, None, : shape[2]]).flatten(1, 2)  # (networks, batch * length, width)
        stream = self._mlp(0, stream)
        streams = [stream]
        for layer in range(self.layers):
            stream = self._mlp(layer + 1, self._attention(layer, stream, shape))
            streams.append(stream)
        return [one.view(*shape, self.width) for one in streams]

    def forward(self, tokens: Tensor) -> Tensor:
        """What is read out at every position, ``(networks, batch, length, outputs)``; see :meth:`residual_stream`."""
        stream = self.residual_stream(tokens)[-1]
        return torch.bmm(_normed(stream.flatten(1, 2)), self.readout).view(*stream.shape[:3], self.outputs)

    def _checked(self, tokens: Tensor) -> Tensor:
        axes, kind = (3, "long") if self.symbols else (4, "floating point")
        if tokens.is_floating_point() == self.symbols:
            raise ValueError(f"tokens are {tokens.dtype}; {kind} was expected")
        if tokens.ndim != axes or len(tokens) not in (1, self.networks) or not 1 <= tokens.shape[2] <= self.length:
            raise ValueError(
                f"tokens has shape {tuple(tokens.shape)}; {axes} axes were expected, "
                f"{self.networks} networks (or 1) and at most {self.length} tokens"
            )
        if self.symbols and not (tokens.min() >= 0 and tokens.max() < self.inputs):
            raise ValueError(f"tokens run from {tokens.min()} to {tokens.max()}; 0 to {self.inputs - 1} is allowed")
        if not self.symbols and tokens.shape[3] != self.inputs:
            raise ValueError(f"tokens has shape {tuple(tokens.shape)}; {self.inputs} numbers in each were expected")
        return tokens

    def _mlp(self, number: int, stream: Tensor) -> Tensor:
        read = _normed(stream)
        factor = torch.baddbmm(self.factor_bias[number], read, self.factor[number])
        gate = torch.baddbmm(self.gate_bias[number], read, self.gate[number])
        return torch.baddbmm(stream, factor * gate, self.product[number])

    def _attention(self, layer: int, stream: Tensor, shape: tuple[int, ...]) -> Tensor:
        networks, batch, length = shape
        read, by_head = _normed(stream), (networks * batch, length, self.heads, self.width // self.heads)
        query, key, value = (
            torch.bmm(read, matrix[layer]).view(by_head).transpose(1, 2)
            for matrix in (self.query, self.key, self.value)
        )
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        mixed = mixed.transpose(1, 2).reshape(networks, batch * length, self.width)
        return torch.baddbmm(stream, mixed, self.mix[layer])


def _normed(stream: Tensor) -> Tensor:
    """RMSNorm over the last axis, without gains."""
    return F.rms_norm(stream, stream.shape[-1:], eps=1e-6)


@dataclass(frozen=True)
class TransformerTraining:
    """Settings of :func:`train_transformers`."""

    steps: int = 1000
    """gradient steps"""
    batch: int = 64
    """how many sequences each network sees in a step"""
    learning_rate: float = 5e-3
    """of Adam, at its highest"""
    warm_up: int = 100
    """over how many steps the learning rate rises from 0; then it falls along a cosine"""
    last: float = 0.02
    """the share of the learning rate that is left at the end"""
    clip: float = 1.0
    """the longest gradient of a network; a longer one is shortened to it"""

    def __post_init__(self):
        for name, least in (("steps", 1), ("batch", 1), ("warm_up", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least {least}")
        for name in ("learning_rate", "clip"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be positive")
        if not 0 <= self.last <= 1:
            raise ValueError(f"last is {self.last}; it must lie between 0 and 1")

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        warm = min(1.0, (step + 1) / max(self.warm_up, 1))
        cosine = 0.5 * (1 + math.cos(math.pi * step / self.steps))
        return self.learning_rate * warm * (self.last + (1 - self.last) * cosine)


def squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """The mean squared error of each network's first output; targets are ``(networks, batch, length)``."""
    return (outputs[..., 0] - targets).square().flatten(1).mean(1)


def train_transformers(
    model: Transformers,
    draw: Draw,
    settings: TransformerTraining = TransformerTraining(),
    loss: Loss = squared_error,
    at: Sequence[int] = (),
) -> dict[int, Transformers]:
    """Trains each network of an ensemble on its own data.

    Adam with the second moment's decay at 0.99; the gradient of every network is clipped by itself.

    Args:
        model: the ensemble to start from; it is copied, not changed.
        draw: where a network's data come from; it gets that network's generator, so that nothing is shared.
        settings: see :class:`TransformerTraining`.
        loss: what each network minimizes.
        at: after which steps to keep a copy, ascending; 0 for before the first.

    Returns:
        the copies by step, the trained ensemble among them under ``settings.steps``, which is always the last.

    Raises:
        ValueError: if ``at`` is not ascending or holds a step that is never taken.
    """
    if list(at) != sorted({step for step in at if 0 <= step <= settings.steps}):
        raise ValueError(f"at is {tuple(at)}; ascending steps from 0 to {settings.steps} were expected")
    model = deepcopy(model)
    parameters = list(model.parameters())
    adam = torch.optim.Adam(parameters, lr=settings.learning_rate, betas=(0.9, 0.99), fused=True)
    data = _batches(model, draw, settings)
    kept = {0: deepcopy(model)} if 0 in at else {}
    for step in range(settings.steps):
        tokens, targets = next(data)
        adam.zero_grad(set_to_none=True)
        loss(model(tokens), targets).sum().backward()
        clip_gradients(parameters, settings.clip)
        adam.param_groups[0]["lr"] = settings.rate(step)
        adam.step()
        if step + 1 in at and step + 1 < settings.steps:
            kept[step + 1] = deepcopy(model)
    return kept | {settings.steps: model}


def _batches(model: Transformers, draw: Draw, settings: TransformerTraining):
    """Tokens and targets for one step after another; each network's are drawn for many steps at once."""
    generators = [generator(seed, DATA) for seed in model.seeds]
    while True:
        drawn = [draw(i, g, _AT_ONCE * settings.batch) for i, g in enumerate(generators)]
        tokens, targets = (torch.stack(column) for column in zip(*drawn, strict=True))
        yield from zip(tokens.split(settings.batch, 1), targets.split(settings.batch, 1), strict=True)


_AT_ONCE = 20  # steps; calls are dear, and so is memory


def clip_gradients(parameters: Sequence[Tensor], longest: float) -> None:
    """Shortens, in place, the gradient of each network that is longer than that.

    Args:
        parameters: all of an ensemble's, ``(networks, ...)``, each with its gradient.
        longest: the length, positive.
    """
    length = torch.stack([p.grad.flatten(1).square().sum(1) for p in parameters]).sum(0).sqrt()
    share = (longest / (length + 1e-12)).clamp(max=1)
    for p in parameters:
        p.grad *= share.view(-1, *[1] * (p.ndim - 1))
