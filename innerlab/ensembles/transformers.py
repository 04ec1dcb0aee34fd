"""Ensembles of small causal transformers, for tokens that are vectors and for tokens that are symbols.

Shapes use ``networks`` for the ensemble, ``batch`` for sequences, ``length`` for the tokens of each, and ``d_model``
for the width of the residual stream. Parameters are named as in TransformerLens.
"""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from innerlab.ensembles.base import Ensemble, check_checkpoints, standard_normal, train, warmup_cosine
from innerlab.seeds import DATA, INITIALIZATION

DrawSequences = Callable[[int, Generator, int], tuple[Tensor, Tensor]]
"""Draws training data for one network: given its index in the ensemble, its generator and a number of sequences, the
tokens (``(sequences, length, inputs)``, or long ``(sequences, length)``) and the targets ``(sequences, ...)``."""

Loss = Callable[[Tensor, Tensor], Tensor]
"""Maps outputs ``(networks, batch, length, outputs)`` and targets ``(networks, batch, ...)`` to losses
``(networks,)``, each a mean over its network's batch."""


class Transformers(Ensemble):
    """Causal softmax transformers.

    A layer is attention and then a gated MLP (Vaswani et al. 2017, arXiv:1706.03762; "bilinear" in Shazeer 2020,
    arXiv:2002.05202). Each reads the residual stream through RMSNorm (Zhang and Sennrich 2019, arXiv:1910.07467) and
    adds its output to it. The norms have no gains of their own, since the matrices after them can take these up. One
    more MLP comes before the first layer, so that numbers within a token can be multiplied before any attention.
    Positions are learned and added to the tokens.

    Args:
        seeds: one for each network.
        inputs: numbers in a token; with ``symbols``, how many different tokens there are.
        outputs: numbers read out at every position.
        n_ctx: the most tokens that a sequence can have.
        d_model: width of the residual stream.
        n_layers: at least 1.
        n_heads: of each attention; a head is ``d_model / n_heads`` wide.
        symbols: tokens are whole numbers below ``inputs`` instead of vectors.

    Raises:
        ValueError: if there is no seed, one is negative, a size is below 1, or ``n_heads`` does not divide
            ``d_model``.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        *,
        inputs: int,
        outputs: int,
        n_ctx: int,
        d_model: int = 32,
        n_layers: int = 2,
        n_heads: int = 2,
        symbols: bool = False,
    ):
        super().__init__(seeds)
        sizes = {"inputs": inputs, "outputs": outputs, "n_ctx": n_ctx, "d_model": d_model, "n_layers": n_layers}
        for name, size in (sizes | {"n_heads": n_heads}).items():
            if size < 1:
                raise ValueError(f"{name} is {size}; it must be at least 1")
        if d_model % n_heads:
            raise ValueError(f"n_heads is {n_heads}; it must divide d_model, {d_model}")
        self.inputs, self.outputs, self.n_ctx, self.d_model = inputs, outputs, n_ctx, d_model
        self.n_layers, self.n_heads, self.symbols = n_layers, n_heads, symbols
        draw = partial(standard_normal, self.generators(INITIALIZATION))  # draw(*shape): (networks, *shape)

        def matrices(count: int, std: float) -> nn.ParameterList:
            return nn.ParameterList(nn.Parameter(std * draw(d_model, d_model)) for _ in range(count))

        def biases(count: int) -> nn.ParameterList:
            return nn.ParameterList(nn.Parameter(torch.zeros(self.networks, 1, d_model)) for _ in range(count))

        one, half = d_model**-0.5, 0.5 * d_model**-0.5  # what is added to the stream begins at half size
        self.embed = nn.Parameter((1.0 if symbols else inputs**-0.5) * draw(inputs, d_model))
        self.pos_embed = nn.Parameter(0.1 * draw(n_ctx, d_model))
        self.w_q, self.w_k, self.w_v = (matrices(n_layers, one) for _ in range(3))
        self.w_o = matrices(n_layers, half)
        self.w_in, self.w_gate = (matrices(n_layers + 1, one) for _ in range(2))
        self.b_in, self.b_gate = (biases(n_layers + 1) for _ in range(2))
        self.w_out = matrices(n_layers + 1, half)
        self.unembed = nn.Parameter(half * draw(d_model, outputs))

    def residual_stream(self, tokens: Tensor) -> list[Tensor]:
        """The residual stream after the first MLP and after every layer.

        Args:
            tokens: float ``(networks, batch, length, inputs)``, or with ``symbols`` long ``(networks, batch,
                length)``. The first axis may be 1, if all networks get the same.

        Returns:
            float ``(networks, batch, length, d_model)`` each, one more than there are layers.

        Raises:
            ValueError: if tokens have another type or shape, are too many, or a symbol is not one of them.
        """
        tokens = self._checked(tokens).expand(self.networks, *tokens.shape[1:])
        shape = tokens.shape[:3]  # networks, batch, length
        if self.symbols:
            rows = tokens + self.inputs * torch.arange(self.networks)[:, None, None]  # (networks, batch, length)
            embedded = F.embedding(rows, self.embed.flatten(0, 1))  # (networks, batch, length, d_model)
        else:
            embedded = torch.bmm(tokens.flatten(1, 2), self.embed).view(*shape, self.d_model)
        stream = embedded + self.pos_embed[:, None, : shape[2]]  # (networks, batch, length, d_model)
        stream = self._mlp(0, stream.flatten(1, 2))  # (networks, batch * length, d_model)
        streams = [stream]
        for layer in range(self.n_layers):
            stream = self._attention(layer, stream, shape)
            stream = self._mlp(layer + 1, stream)
            streams.append(stream)
        return [one.view(*shape, self.d_model) for one in streams]

    def forward(self, tokens: Tensor) -> Tensor:
        """The outputs at every position, float ``(networks, batch, length, outputs)``; see :meth:`residual_stream`."""
        stream = self.residual_stream(tokens)[-1]  # (networks, batch, length, d_model)
        return torch.bmm(_norm(stream.flatten(1, 2)), self.unembed).view(*stream.shape[:3], self.outputs)

    def _mlp(self, number: int, stream: Tensor) -> Tensor:
        """The stream ``(networks, batch * length, d_model)`` after one gated MLP."""
        x = _norm(stream)  # (networks, batch * length, d_model)
        hidden = torch.baddbmm(self.b_in[number], x, self.w_in[number])  # (networks, batch * length, d_model)
        gate = torch.baddbmm(self.b_gate[number], x, self.w_gate[number])  # (networks, batch * length, d_model)
        return torch.baddbmm(stream, hidden * gate, self.w_out[number])

    def _attention(self, layer: int, stream: Tensor, shape: tuple[int, ...]) -> Tensor:
        """The stream ``(networks, batch * length, d_model)`` after one causal attention."""
        networks, batch, length = shape
        x = _norm(stream)  # (networks, batch * length, d_model)
        by_head = networks * batch, length, self.n_heads, self.d_model // self.n_heads
        q, k, v = (torch.bmm(x, w[layer]).view(by_head).transpose(1, 2) for w in (self.w_q, self.w_k, self.w_v))
        z = F.scaled_dot_product_attention(q, k, v, is_causal=True)  # (networks * batch, heads, length, d_head)
        z = z.transpose(1, 2).reshape(networks, batch * length, self.d_model)
        return torch.baddbmm(stream, z, self.w_o[layer])

    def _checked(self, tokens: Tensor) -> Tensor:
        axes, kind = (3, "long") if self.symbols else (4, "floating point")
        if tokens.is_floating_point() == self.symbols:
            raise ValueError(f"tokens are {tokens.dtype}; {kind} was expected")
        if tokens.ndim != axes or len(tokens) not in (1, self.networks) or not 1 <= tokens.shape[2] <= self.n_ctx:
            raise ValueError(
                f"tokens has shape {tuple(tokens.shape)}; {axes} axes were expected, "
                f"{self.networks} networks (or 1) and at most {self.n_ctx} tokens"
            )
        if self.symbols and not (tokens.min() >= 0 and tokens.max() < self.inputs):
            raise ValueError(f"tokens run from {tokens.min()} to {tokens.max()}; 0 to {self.inputs - 1} is allowed")
        if not self.symbols and tokens.shape[3] != self.inputs:
            raise ValueError(f"tokens has shape {tuple(tokens.shape)}; {self.inputs} numbers in each were expected")
        return tokens


def _norm(x: Tensor) -> Tensor:
    """RMSNorm over the last axis, without gains."""
    return F.rms_norm(x, x.shape[-1:], eps=1e-6)


@dataclass(frozen=True)
class TransformerTraining:
    """Settings of :func:`train_transformers`."""

    steps: int = 1000
    """gradient steps"""
    batch_size: int = 64
    """sequences in a step, for each network"""
    learning_rate: float = 5e-3
    """of Adam, at its highest"""
    warmup_steps: int = 100
    """over how many steps the learning rate rises in a straight line; the whole falls along a cosine"""
    min_lr_ratio: float = 0.02
    """the share of the learning rate that is left at the end"""
    max_grad_norm: float = 1.0
    """to which each network's gradient is clipped"""

    def __post_init__(self) -> None:
        for name, least in (("steps", 1), ("batch_size", 1), ("warmup_steps", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least {least}")
        for name in ("learning_rate", "max_grad_norm"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be positive")
        if not 0 <= self.min_lr_ratio <= 1:
            raise ValueError(f"min_lr_ratio is {self.min_lr_ratio}; it must lie between 0 and 1")

    def schedule(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        return warmup_cosine(step, self.steps, self.learning_rate, self.warmup_steps, self.min_lr_ratio)


def squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """The mean squared error of each network's first output, float ``(networks,)``.

    Args:
        outputs: float ``(networks, batch, length, outputs)``.
        targets: float ``(networks, batch, length)``.
    """
    return (outputs[..., 0] - targets).square().flatten(1).mean(1)


def train_transformers(
    model: Transformers,
    draw: DrawSequences,
    settings: TransformerTraining = TransformerTraining(),
    loss: Loss = squared_error,
    at: Sequence[int] = (),
) -> dict[int, Transformers]:
    """Train each network of an ensemble on its own data, by Adam with a second moment's decay of 0.99.

    Args:
        model: the ensemble to start from; it is copied, not changed.
        draw: gives a network's data; its generator is that network's own, so that networks share none.
        settings: see :class:`TransformerTraining`.
        loss: what each network minimizes.
        at: after which steps to keep a copy, ascending; 0 for before the first.

    Returns:
        the copies by step, and the trained ensemble under ``settings.steps``, which is always the last.

    Raises:
        ValueError: if ``at`` is not ascending or holds a step that is never taken.
    """
    check_checkpoints(at, settings.steps)
    model = deepcopy(model)
    data = _batches(model, draw, settings.batch_size)
    kept = {0: deepcopy(model)} if 0 in at else {}

    def losses(step: int) -> Tensor:
        tokens, targets = next(data)
        return loss(model(tokens), targets)  # (networks,)

    def keep(step: int) -> None:
        if step in at:
            kept[step] = deepcopy(model)

    train(
        model,
        losses,
        settings.steps,
        settings.schedule,
        after=keep,
        max_grad_norm=settings.max_grad_norm,
        betas=(0.9, 0.99),
    )
    return kept | {settings.steps: model}


def _batches(model: Transformers, draw: DrawSequences, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Tokens and targets of one step after another; each network's are drawn for ``_AT_ONCE`` steps at once."""
    generators = model.generators(DATA)
    while True:
        drawn = [draw(i, g, _AT_ONCE * batch_size) for i, g in enumerate(generators)]
        tokens, targets = (torch.stack(column) for column in zip(*drawn, strict=True))
        yield from zip(tokens.split(batch_size, 1), targets.split(batch_size, 1), strict=True)


_AT_ONCE = 20  # steps; many calls take time, and many sequences take memory
