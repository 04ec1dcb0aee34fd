r"""Layers of linear self-attention: attention without a softmax, which can learn a step of gradient descent.

A token is an example: its inputs, then its label in each channel, ``e = (x, y)``, so that its size is
``d + channels``. The query's labels are unknown and are set to 0. A layer changes every token by what it reads from
the context's n examples,

.. math:: e \leftarrow e + \frac1n \sum_i M e_i \; (e_i^\top A e), \qquad A = K^\top Q, \quad M = P V.

It *subtracts*, as in von Oswald et al. 2023 (arXiv:2212.07677): what is left in a label's place is the label less the
prediction, and in the query's place, which began at 0, it is minus the prediction.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from innerlab.chapters.mesa_optimizer.tasks import InContextRegression, Prompts, TwoChannels
from innerlab.ensembles.transformers import clip_gradients
from innerlab.seeds import DATA, INITIALIZATION, generator


@dataclass(frozen=True)
class Layers:
    """Layers of linear attention given by their merged matrices: all that their predictions depend on.

    Attributes:
        key_query: A, ``(networks, d + channels, d + channels)``.
        value_out: M, the same shape.
        d: inputs.
    """

    key_query: Tensor
    value_out: Tensor
    d: int

    def __post_init__(self):
        a, m = self.key_query.shape, self.value_out.shape
        if len(a) != 3 or a[1] != a[2] or a != m or a[1] <= self.d:
            raise ValueError(
                f"key_query has shape {tuple(a)} and value_out {tuple(m)}; both should be (networks, size, size) "
                f"with a size above d, which is {self.d}"
            )

    @property
    def networks(self) -> int:
        """How many layers there are."""
        return len(self.key_query)

    @property
    def channels(self) -> int:
        """How many label channels they read."""
        return self.key_query.shape[1] - self.d

    @property
    def readout(self) -> Tensor:
        """The row that writes the prediction: minus M's row of the first label, ``(networks, d + channels)``."""
        return -self.value_out[:, self.d]

    def predict(self, prompts: Prompts, loops: int = 1) -> Tensor:
        """What the layers predict for the query's first label, ``(networks, batch)``.

        For one query x and one loop, with m the readout and A the matrix ``key_query``, that is the mean over the
        context of ``(m · e_i) (e_i · A (x, 0))``, where ``e_i = (x_i, labels_i)``.

        Args:
            prompts: to be predicted; where all networks get the same, one network's will do.
            loops: how often the layer is applied. Each time but the last, it changes the context as well.

        Raises:
            ValueError: if ``loops`` is below 1, or the prompts do not fit the layers.
        """
        if loops < 1:
            raise ValueError(f"loops is {loops}; it must be at least 1")
        context, query = self._tokens(prompts)
        n = context.shape[2]
        for _ in range(loops - 1):
            gram = context.mT @ context / n  # (networks, batch, size, size), the mean of e e^T
            write = self.value_out[:, None] @ gram @ self.key_query[:, None]
            context, query = context + context @ write.mT, query + (write @ query[..., None])[..., 0]
        attention = (context @ self._asked(query)[..., None])[..., 0]  # (networks, batch, n)
        value = (context @ self.readout[:, None, :, None])[..., 0]
        return (attention * value).mean(-1) - query[..., self.d]

    def sensitivity(self, prompts: Prompts) -> Tensor:
        """How the prediction changes with the query, ``(networks, batch, d)``; it does not depend on the query.

        For a predictor that is linear in the query, this is its weight vector in that context.
        """
        context, _ = self._tokens(prompts)
        value = context @ self.readout[:, None, :, None]
        mean = (context * value).mean(2)  # (networks, batch, size)
        return mean @ self.key_query[:, :, : self.d]

    def preconditioner(self) -> Tensor:
        r"""What stands between labels and prediction, ``(networks, channels, d, d)``.

        The prediction is a polynomial of degree two in the labels. The part of it that changes sign when all labels
        do is

        .. math:: \frac1n \sum_i \sum_c y_{ic} \; x_i^\top P_c \, x, \qquad P_c = m_c A_{xx} + m_x A_{cx},

        where :math:`A_{xx}` are the first d rows and columns of A, :math:`A_{cx}` the row of channel c, and
        :math:`m_x, m_c` the entries of the readout. With one channel it is the prediction after one gradient step
        from 0, preconditioned with :math:`P^\top`: of *any* such layer, trained or not.
        """
        d = self.d
        m_x, m_c = self.readout[:, :d], self.readout[:, d:]
        a_xx, a_cx = self.key_query[:, :d, :d], self.key_query[:, d:, :d]
        return m_c[:, :, None, None] * a_xx[:, None] + m_x[:, None, :, None] * a_cx[:, :, None, :]

    def odd_part(self, prompts: Prompts) -> Tensor:
        """Half the difference between the predictions for these labels and for their opposites, ``(networks, batch)``.

        It is computed from the two predictions, and knows nothing of :meth:`preconditioner`.
        """
        return (self.predict(prompts) - self.predict(prompts._replace(y=-prompts.y))) / 2

    def weights(self) -> Tensor:
        """How much one step takes of each channel, ``(networks, channels)``: the preconditioners' mean diagonals.

        With one channel this is the learned step size, with two it is what
        ``closed_forms.objective_weights`` derives.
        """
        return self.preconditioner().diagonal(dim1=-2, dim2=-1).mean(-1)

    def fix_gauge(self) -> "Layers":
        """The same predictions after one loop, or any number, with a readout whose label entries sum to 1.

        A and M can be multiplied by a number and its inverse without changing anything. Matrices of two layers can be
        compared, or averaged, only after that freedom is used up.

        Raises:
            ValueError: if the label entries of a readout sum to 0.
        """
        total = self.readout[:, self.d :].sum(1)
        if (total == 0).any():
            raise ValueError("the label entries of a readout sum to 0; they cannot be made to sum to 1")
        total = total[:, None, None]
        return Layers(self.key_query * total, self.value_out / total, self.d)

    def mix(self, other: "Layers", share: float = 0.5) -> "Layers":
        """The layers whose matrices lie between these and others, entry by entry.

        Args:
            other: as many layers, or one for all.
            share: how much to take of the other, 0 for none and 1 for all.
        """
        return Layers(
            torch.lerp(self.key_query, other.key_query.expand_as(self.key_query), share),
            torch.lerp(self.value_out, other.value_out.expand_as(self.value_out), share),
            self.d,
        )

    def select(self, which: Sequence[int]) -> "Layers":
        """Some of these layers, in the order given."""
        return Layers(self.key_query[list(which)], self.value_out[list(which)], self.d)

    def _tokens(self, prompts: Prompts) -> tuple[Tensor, Tensor]:
        """Context ``(networks, batch, n, size)`` and query ``(networks, batch, size)``."""
        if prompts.x.shape[-1] != self.d or prompts.y.shape[-1] != self.channels:
            raise ValueError(
                f"prompts have {prompts.x.shape[-1]} inputs and {prompts.y.shape[-1]} label channels; "
                f"the layers read {self.d} and {self.channels}"
            )
        unknown = torch.zeros_like(prompts.target)
        return torch.cat([prompts.x, prompts.y], -1), torch.cat([prompts.query, unknown], -1)

    def _asked(self, query: Tensor) -> Tensor:
        """A e for each query, ``(networks, batch, size)``."""
        return query @ self.key_query.mT


def join(parts: Sequence[Layers]) -> Layers:
    """Layers of several ensembles as one."""
    return Layers(
        torch.cat([part.key_query for part in parts]), torch.cat([part.value_out for part in parts]), parts[0].d
    )


def step_layers(preconditioner: Tensor, channel_weights: Sequence[float] = (1.0,)) -> Layers:
    """Layers made by hand that are one preconditioned gradient step from 0 (von Oswald et al. 2023, proposition 1).

    A compares inputs with inputs through the preconditioner, and M reads labels and subtracts from labels. Applied
    again, such a layer takes the next step, since it has left the residuals in the labels' places.

    Args:
        preconditioner: ``(networks, d, d)``; a step size times the identity for plain gradient descent.
        channel_weights: how much of each label channel to take.

    Raises:
        ValueError: if the preconditioner is not of that shape, or there is no channel.
    """
    if preconditioner.ndim != 3 or preconditioner.shape[1] != preconditioner.shape[2]:
        raise ValueError(f"preconditioner has shape {tuple(preconditioner.shape)}; (networks, d, d) was expected")
    if len(channel_weights) == 0:
        raise ValueError("channel_weights is empty; give one for each label channel")
    networks, d, _ = preconditioner.shape
    size = d + len(channel_weights)
    a, m = torch.zeros(networks, size, size), torch.zeros(networks, size, size)
    a[:, :d, :d] = preconditioner
    m[:, d:, d:] = -torch.tensor(channel_weights)
    return Layers(a, m, d)


class LinearAttention(nn.Module):
    """One layer of linear self-attention for each seed, with factors K, Q, V and P as a transformer has them.

    Args:
        seeds: one for each network.
        d: inputs.
        channels: of labels.
        deviation: of the first weights, which are normal.

    Raises:
        ValueError: if there is no seed, a seed is negative, or a size is below 1.
    """

    def __init__(self, seeds: Sequence[int], d: int, channels: int = 1, deviation: float = 0.2):
        super().__init__()
        if len(seeds) == 0:
            raise ValueError("seeds is empty; give one for each network")
        for name, value in (("d", d), ("channels", channels)):
            if value < 1:
                raise ValueError(f"{name} is {value}; it must be at least 1")
        self.seeds, self.d = tuple(int(seed) for seed in seeds), d
        size = d + channels
        drawn = torch.stack(
            [torch.randn(4, size, size, generator=generator(seed, INITIALIZATION)) for seed in self.seeds]
        )
        for k, name in enumerate(("key", "query", "value", "out")):
            setattr(self, name, nn.Parameter(deviation * drawn[:, k].clone()))

    def layers(self) -> Layers:
        """The merged matrices, with their gradients."""
        return Layers(self.key.mT @ self.query, self.out @ self.value, self.d)


@dataclass(frozen=True)
class LinearAttentionTraining:
    """Settings of :func:`train_linear_attention`."""

    steps: int = 1200
    """gradient steps"""
    batch: int = 128
    """prompts a step, drawn anew for each network"""
    learning_rate: float = 2e-2
    """of Adam at first; it follows a cosine down to a fiftieth"""
    warmup: int = 0
    """steps over which the learning rate rises first, in a straight line"""
    deviation: float = 0.2
    """of the first weights"""
    loops: int = 1
    """how often the layer is applied in the end"""
    steps_per_loop: int = 300
    """after how many steps one loop is added, until there are all of them"""
    clip: float = math.inf
    """the longest gradient that a network may have; a longer one is shortened"""

    def __post_init__(self):
        for name in ("steps", "batch", "loops", "steps_per_loop"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1")
        for name in ("learning_rate", "deviation", "clip"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be positive")
        if self.warmup < 0:
            raise ValueError(f"warmup is {self.warmup}; it must not be negative")

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        cosine = 0.02 + 0.98 * (1 + math.cos(math.pi * step / self.steps)) / 2
        return self.learning_rate * cosine * min(1.0, (step + 1) / (self.warmup + 1))


def train_linear_attention(
    seeds: Sequence[int],
    task: InContextRegression | TwoChannels,
    settings: LinearAttentionTraining = LinearAttentionTraining(),
) -> tuple[Layers, Tensor]:
    """Trains one layer for each seed to predict the query's first label, by its squared error on fresh prompts.

    A network's first weights and its prompts come from its own seed, so that it does not depend on its neighbors.

    Args:
        seeds: one for each network.
        task: what to draw prompts from.
        settings: see :class:`LinearAttentionTraining`.

    Returns:
        the trained layers, without gradients, and the losses of all steps, ``(steps, networks)``.

    Raises:
        ValueError: if there is no seed, or one is negative.
    """
    model = LinearAttention(seeds, task.d, task.channels, settings.deviation)
    adam = torch.optim.Adam(model.parameters(), betas=(0.9, 0.99), fused=True)
    generators = [generator(seed, DATA) for seed in model.seeds]
    losses = []
    for step in range(settings.steps):
        adam.param_groups[0]["lr"] = settings.rate(step)
        prompts = task.draw(generators, settings.batch)
        loops = min(settings.loops, 1 + step // settings.steps_per_loop)
        loss = (model.layers().predict(prompts, loops) - prompts.target[..., 0]).square().mean(1)
        adam.zero_grad(set_to_none=True)
        loss.sum().backward()
        if settings.clip < math.inf:
            clip_gradients([*model.parameters()], settings.clip)
        adam.step()
        losses.append(loss.detach())
    with torch.no_grad():
        return model.layers(), torch.stack(losses)


def train_two_channels(
    seeds: Sequence[int],
    d: int,
    n: int,
    noise_true: float,
    noise_proxy: float,
    decoupled: float,
    settings: LinearAttentionTraining = LinearAttentionTraining(deviation=0.4),
) -> Layers:
    """Layers trained on two label channels that agree but for noise: ``tasks.TwoChannels``.

    With A = ``layers.key_query``, ``(networks, d + 2, d + 2)``, and m = ``layers.readout``, ``(networks, d + 2)``, the
    prediction for a query x from tokens ``e_i = (x_i, intended label, proxy label)`` is

    ``sum_i (m · e_i) (e_i · A[:, :d] x) / n``.

    That is ``m G A[:, :d] x`` with ``G = sum_i e_i e_i^T / n``, a matrix of sums over the context. How much it takes
    of each channel is in :meth:`Layers.weights`.

    Args:
        seeds: one for each network.
        d: inputs.
        n: examples in the context.
        noise_true: standard deviation of the noise in the intended channel.
        noise_proxy: that in the proxy's.
        decoupled: share of training prompts in which the proxy shows another function.
        settings: see :class:`LinearAttentionTraining`.

    Raises:
        ValueError: see ``tasks.TwoChannels``.
    """
    return train_linear_attention(seeds, TwoChannels(d, n, noise_true, noise_proxy, decoupled), settings)[0]
