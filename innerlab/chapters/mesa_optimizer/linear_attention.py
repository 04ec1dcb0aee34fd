r"""Layers of linear self-attention: attention without a softmax, which can learn a step of gradient descent.

A token is an example: its inputs, then its label in each channel, ``e = (x, y)``, so that its size is
``d + channels``. The query's labels are unknown and are set to 0. A layer changes every token by what it reads from
the context's n examples,

.. math:: e \leftarrow e + \frac1n \sum_i M e_i \; (e_i^\top A e), \qquad A = K^\top Q, \quad M = P V.

It *subtracts*, as in von Oswald et al. 2023 (arXiv:2212.07677): a label is replaced by the label less the prediction,
and the query's label, which is 0 at first, by minus the prediction.

Shapes use ``size`` for the size of a token.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from innerlab.chapters.mesa_optimizer.tasks import InContextRegression, Prompts, TwoChannels
from innerlab.ensembles.base import Ensemble, standard_normal, train, warmup_cosine
from innerlab.seeds import DATA, INITIALIZATION


@dataclass(frozen=True)
class Layers:
    """Layers of linear attention as merged matrices, on which alone their predictions depend.

    Attributes:
        key_query: A, float ``(networks, size, size)``.
        value_out: M, float ``(networks, size, size)``.
        d: inputs of an example; the rest of a token are its labels.

    Raises:
        ValueError: if the matrices are not of that shape, or leave no room for a label.
    """

    key_query: Tensor
    value_out: Tensor
    d: int

    def __post_init__(self) -> None:
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
        """The row that writes the prediction: minus M's row of the first label, ``(networks, size)``."""
        return -self.value_out[:, self.d]

    def predict(self, prompts: Prompts, loops: int = 1) -> Tensor:
        """The predictions of the query's first label, float ``(networks, batch)``.

        For one query x and one loop, with m the readout and A the matrix ``key_query``, that is the mean over the
        context of ``(m · e_i) (e_i · A (x, 0))``, where ``e_i = (x_i, labels_i)``.

        Args:
            prompts: of each network, or of one network if all get the same.
            loops: how often the layer is applied. All applications but the last change the context as well.

        Raises:
            ValueError: if ``loops`` is below 1, or the prompts do not fit the layers.
        """
        if loops < 1:
            raise ValueError(f"loops is {loops}; it must be at least 1")
        return self.predict_after(prompts, (loops,))[0]

    def predict_after(self, prompts: Prompts, loops: Sequence[int]) -> Tensor:
        """The predictions of the query's first label after several numbers of loops, computed in one run.

        Args:
            prompts: as in :meth:`predict`.
            loops: how often the layer is applied, ascending.

        Returns:
            float ``(numbers of loops, networks, batch)``.

        Raises:
            ValueError: if ``loops`` is empty, does not ascend or begins below 1, or the prompts do not fit the layers.
        """
        if not loops or loops[0] < 1 or list(loops) != sorted(set(loops)):
            raise ValueError(f"loops is {tuple(loops)}; ascending whole numbers from 1 were expected")
        context, query = self._tokens(prompts)  # (networks, batch, n, size), (networks, batch, size)
        n = context.shape[2]
        predictions = []
        for loop in range(1, loops[-1] + 1):
            if loop in loops:
                asked = query @ self.key_query.mT  # (networks, batch, size), A e
                attention = (context @ asked[..., None])[..., 0]  # (networks, batch, n)
                value = (context @ self.readout[:, None, :, None])[..., 0]  # (networks, batch, n)
                predictions.append((attention * value).mean(-1) - query[..., self.d])
            if loop < loops[-1]:
                gram = context.mT @ context / n  # (networks, batch, size, size), the mean of e e^T
                write = self.value_out[:, None] @ gram @ self.key_query[:, None]  # (networks, batch, size, size)
                context, query = context + context @ write.mT, query + (write @ query[..., None])[..., 0]
        return torch.stack(predictions)

    def sensitivity(self, prompts: Prompts) -> Tensor:
        """The gradient of the prediction in the query, float ``(networks, batch, d)``, after one loop.

        The prediction is linear in the query, so that this is its weight vector in that context.
        """
        context, _ = self._tokens(prompts)  # (networks, batch, n, size)
        value = context @ self.readout[:, None, :, None]  # (networks, batch, n, 1)
        mean = (context * value).mean(2)  # (networks, batch, size)
        return mean @ self.key_query[:, :, : self.d]

    def preconditioner(self) -> Tensor:
        r"""The matrices between labels and prediction, float ``(networks, channels, d, d)``.

        The prediction is a polynomial of degree two in the labels. Its odd part, which changes sign when all labels
        do, is

        .. math:: \frac1n \sum_i \sum_c y_{ic} \; x_i^\top P_c \, x, \qquad P_c = m_c A_{xx} + m_x A_{cx},

        where :math:`A_{xx}` are the first d rows and columns of A, :math:`A_{cx}` the row of channel c, and
        :math:`m_x, m_c` the entries of the readout. With one channel it is the prediction after one gradient step
        from 0, preconditioned with :math:`P^\top`: of *any* such layer, trained or not.
        """
        d = self.d
        m_x, m_c = self.readout[:, :d], self.readout[:, d:]  # (networks, d), (networks, channels)
        a_xx, a_cx = self.key_query[:, :d, :d], self.key_query[:, d:, :d]  # (networks, d or channels, d)
        return m_c[:, :, None, None] * a_xx[:, None] + m_x[:, None, :, None] * a_cx[:, :, None, :]

    def odd_part(self, prompts: Prompts) -> Tensor:
        """Half the difference between the predictions for these labels and for their opposites, ``(networks, batch)``.

        Computed from the two predictions, without :meth:`preconditioner`.
        """
        return (self.predict(prompts) - self.predict(prompts._replace(y=-prompts.y))) / 2

    def weights(self) -> Tensor:
        """The weight of each channel in one step, ``(networks, channels)``: the mean diagonals of the preconditioners.

        With one channel this is the learned step size; with two, ``closed_forms.objective_weights`` derives it.
        """
        return self.preconditioner().diagonal(dim1=-2, dim2=-1).mean(-1)

    def fix_gauge(self) -> "Layers":
        """Layers with the same predictions, after any number of loops, and a readout whose label entries sum to 1.

        To multiply A by a number and M by its inverse changes no prediction. Matrices of two layers can be compared,
        or averaged, only once that freedom is fixed.

        Raises:
            ValueError: if the label entries of a readout sum to 0.
        """
        total = self.readout[:, self.d :].sum(1)
        if (total == 0).any():
            raise ValueError("the label entries of a readout sum to 0; they cannot be made to sum to 1")
        total = total[:, None, None]
        return Layers(self.key_query * total, self.value_out / total, self.d)

    def lerp(self, end: "Layers", weight: float = 0.5) -> "Layers":
        """Linear interpolation of the matrices, entry by entry, as :func:`torch.lerp`.

        Args:
            end: as many layers, or one for all.
            weight: of ``end``: 0 gives these layers and 1 gives ``end``.
        """
        return Layers(
            torch.lerp(self.key_query, end.key_query.expand_as(self.key_query), weight),
            torch.lerp(self.value_out, end.value_out.expand_as(self.value_out), weight),
            self.d,
        )

    def select(self, which: Sequence[int]) -> "Layers":
        """Some of these layers.

        Args:
            which: their indices, in the order wanted.
        """
        return Layers(self.key_query[list(which)], self.value_out[list(which)], self.d)

    @classmethod
    def concatenate(cls, parts: Sequence["Layers"]) -> "Layers":
        """The layers of several ensembles as one, one ensemble after another."""
        key_query, value_out = (torch.cat([getattr(part, m) for part in parts]) for m in ("key_query", "value_out"))
        return cls(key_query, value_out, parts[0].d)

    def _tokens(self, prompts: Prompts) -> tuple[Tensor, Tensor]:
        """The tokens of the context, ``(networks, batch, n, size)``, and of the query, ``(networks, batch, size)``."""
        if prompts.x.shape[-1] != self.d or prompts.y.shape[-1] != self.channels:
            raise ValueError(
                f"prompts have {prompts.x.shape[-1]} inputs and {prompts.y.shape[-1]} label channels; "
                f"the layers read {self.d} and {self.channels}"
            )
        unknown = torch.zeros_like(prompts.target)
        return torch.cat([prompts.x, prompts.y], -1), torch.cat([prompts.query, unknown], -1)


def step_layers(preconditioner: Tensor, channel_weights: Sequence[float] = (1.0,)) -> Layers:
    """Layers that compute one preconditioned gradient step from 0 (von Oswald et al. 2023, proposition 1).

    A compares inputs with inputs through the preconditioner, and M reads labels and subtracts from labels. Applied
    again, such a layer takes the next step, since labels were replaced by residuals.

    Args:
        preconditioner: float ``(networks, d, d)``; a step size times the identity for plain gradient descent.
        channel_weights: the weight of each label channel.

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


class LinearAttention(Ensemble):
    """Layers of linear self-attention with factors K, Q, V and P, as a transformer has them.

    Args:
        seeds: one for each network.
        d: inputs.
        channels: of labels.
        init_std: standard deviation of the first weights, which are normal.

    Raises:
        ValueError: if there is no seed, one is negative, or a size is below 1.
    """

    def __init__(self, seeds: Sequence[int], d: int, channels: int = 1, init_std: float = 0.2):
        super().__init__(seeds)
        for name, value in (("d", d), ("channels", channels)):
            if value < 1:
                raise ValueError(f"{name} is {value}; it must be at least 1")
        self.d, size = d, d + channels
        factors = init_std * standard_normal(self.generators(INITIALIZATION), 4, size, size)
        self.w_k, self.w_q, self.w_v, self.w_p = (
            nn.Parameter(factor.clone()) for factor in factors.unbind(1)
        )  # (networks, size, size)

    def layers(self) -> Layers:
        """The merged matrices, differentiable in the parameters."""
        return Layers(self.w_k.mT @ self.w_q, self.w_p @ self.w_v, self.d)


@dataclass(frozen=True)
class LinearAttentionTraining:
    """Settings of :func:`train_linear_attention`."""

    steps: int = 1200
    """gradient steps"""
    batch_size: int = 128
    """prompts in a step, drawn anew for each network"""
    learning_rate: float = 2e-2
    """of Adam, at its highest; it follows a cosine down to a fiftieth"""
    warmup_steps: int = 0
    """how many steps come before the highest learning rate; it rises in a straight line"""
    init_std: float = 0.2
    """standard deviation of the first weights"""
    loops: int = 1
    """how often the layer is applied in the end"""
    steps_per_loop: int = 300
    """after how many steps one loop is added, until there are all of them"""
    max_grad_norm: float = math.inf
    """to which each network's gradient is clipped; infinite for no clipping"""

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "loops", "steps_per_loop"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1")
        for name in ("learning_rate", "init_std", "max_grad_norm"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be positive")
        if self.warmup_steps < 0:
            raise ValueError(f"warmup_steps is {self.warmup_steps}; it must not be negative")

    def schedule(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        return warmup_cosine(step, self.steps, self.learning_rate, self.warmup_steps + 1, 0.02)


def train_linear_attention(
    seeds: Sequence[int],
    task: InContextRegression | TwoChannels,
    settings: LinearAttentionTraining = LinearAttentionTraining(),
) -> tuple[Layers, Tensor]:
    """Train one layer for each seed to predict the query's first label, by its squared error on fresh prompts.

    A network's first weights and its prompts come from its own seed.

    Args:
        seeds: one for each network.
        task: what to draw prompts from.
        settings: see :class:`LinearAttentionTraining`.

    Returns:
        the trained layers, without gradients, and the losses of all steps, float ``(steps, networks)``.

    Raises:
        ValueError: if there is no seed, or one is negative.
    """
    model = LinearAttention(seeds, task.d, task.channels, settings.init_std)
    generators = model.generators(DATA)

    def loss(step: int) -> Tensor:
        prompts = task.draw(generators, settings.batch_size)
        loops = min(settings.loops, 1 + step // settings.steps_per_loop)
        error = model.layers().predict(prompts, loops) - prompts.target[..., 0]  # (networks, batch)
        return error.square().mean(1)

    losses = train(
        model, loss, settings.steps, settings.schedule, max_grad_norm=settings.max_grad_norm, betas=(0.9, 0.99)
    )
    with torch.no_grad():
        return model.layers(), losses


def train_two_channels(
    seeds: Sequence[int],
    d: int,
    n: int,
    noise_true: float,
    noise_proxy: float,
    decoupled: float,
    settings: LinearAttentionTraining = LinearAttentionTraining(init_std=0.4),
) -> Layers:
    """Train layers on two label channels that agree but for noise: ``tasks.TwoChannels``.

    With A = ``layers.key_query``, ``(networks, d + 2, d + 2)``, and m = ``layers.readout``, ``(networks, d + 2)``, the
    prediction for a query x from tokens ``e_i = (x_i, intended label, proxy label)`` is

    ``sum_i (m · e_i) (e_i · A[:, :d] x) / n``.

    That is ``m G A[:, :d] x`` with ``G = sum_i e_i e_i^T / n``, a matrix of sums over the context.
    :meth:`Layers.weights` gives the weight of each channel.

    Args:
        seeds: one for each network.
        d: inputs.
        n: examples in the context.
        noise_true: standard deviation of the noise in the intended channel.
        noise_proxy: standard deviation of the noise in the proxy's.
        decoupled: share of training prompts in which the proxy shows another function.
        settings: see :class:`LinearAttentionTraining`.

    Raises:
        ValueError: see ``tasks.TwoChannels``.
    """
    return train_linear_attention(seeds, TwoChannels(d, n, noise_true, noise_proxy, decoupled), settings)[0]
