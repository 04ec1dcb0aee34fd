"""What Bayes' rule predicts from the examples of a prompt, for two beliefs about where its task comes from.

A *task* is a vector ``w`` of weights: the label of an input ``x`` is ``w @ x``, plus normal noise of a given standard
deviation. Everything is batched: leading axes broadcast against each other, and predictions leave the noise of the
query's own label out, since its mean is 0.
"""

import torch
from torch import Tensor


def ridge(x: Tensor, y: Tensor, query: Tensor, noise: float, prior_variance: float = 1.0) -> Tensor:
    r"""The mean prediction of Bayes' rule when a task's weights are normal and independent: ridge regression.

    .. math:: \hat w = \Big(X^T X + \frac{\sigma^2}{\tau^2} I\Big)^{-1} X^T y

    with the noise's variance σ² and the prior variance τ². Without noise, :math:`\hat w` is the limit σ → 0: of all
    weights that fit best, those of the smallest norm.

    Args:
        x: inputs of the context, float ``(..., examples, inputs)``.
        y: labels of the context, float ``(..., examples)``.
        query: the input whose label is predicted, float ``(..., inputs)``.
        noise: standard deviation of the label noise, not negative.
        prior_variance: variance of each entry of w, positive.

    Returns:
        The predicted label of the query, float ``(...)``.

    Raises:
        ValueError: if shapes do not fit, ``noise`` is negative, or ``prior_variance`` is not positive.

    Source: textbooks; the prediction is the posterior mean of Bayesian linear regression.
    """
    _check_prompt(x, y, query)
    if not noise >= 0:
        raise ValueError(f"noise is {noise}; it must not be negative")
    if not prior_variance > 0:
        raise ValueError(f"prior_variance is {prior_variance}; it must be positive")
    if noise == 0:
        weights = torch.linalg.pinv(x) @ y[..., None]  # (..., inputs, 1)
    else:
        penalty = noise**2 / prior_variance * torch.eye(x.shape[-1], dtype=x.dtype)
        weights = torch.linalg.solve(x.mT @ x + penalty, x.mT @ y[..., None])
    return (weights[..., 0] * query).sum(-1)


def dmmse(x: Tensor, y: Tensor, query: Tensor, tasks: Tensor, noise: float) -> Tensor:
    r"""The mean prediction of Bayes' rule when a task is one of a list, each as likely as any other.

    .. math:: \hat w = \sum_m p_m w_m, \qquad p_m \propto \exp\Big(-\frac{1}{2\sigma^2} \sum_i (y_i - w_m^T x_i)^2\Big)

    the *discrete minimum mean squared error* estimator of Raventós, Paul, Chen and Ganguli (2023, arXiv:2306.15063).
    The estimator scores every task of the list on the context and mixes the tasks' predictions by these scores.

    Args:
        x: inputs of the context, float ``(..., examples, inputs)``.
        y: labels of the context, float ``(..., examples)``.
        query: the input whose label is predicted, float ``(..., inputs)``.
        tasks: weights of each task, float ``(..., tasks, inputs)``, at least one task.
        noise: standard deviation of the label noise, positive: without noise, a context that no task fits has no
            posterior.

    Returns:
        The predicted label of the query, float ``(...)``.

    Raises:
        ValueError: if shapes do not fit, there is no task, or ``noise`` is not positive.
    """
    _check_prompt(x, y, query)
    if not noise > 0:
        raise ValueError(f"noise is {noise}; it must be positive")
    if tasks.ndim < 2 or tasks.shape[-2] < 1 or tasks.shape[-1] != x.shape[-1]:
        raise ValueError(f"tasks has shape {tuple(tasks.shape)}; (..., at least one, {x.shape[-1]}) was expected")
    error = (y[..., None] - x @ tasks.mT) ** 2  # (..., examples, tasks)
    posterior = (-error.sum(-2) / (2 * noise**2)).softmax(-1)
    return (posterior * (tasks @ query[..., None])[..., 0]).sum(-1)


def prefixes(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Every beginning of a context, from none of its examples to all but the last, as contexts of equal length.

    Zeros replace all later examples. To :func:`ridge` and :func:`dmmse`, an input of zeros with the label 0 says
    nothing, so that ``ridge(*prefixes(x, y), x, noise)`` predicts every label from the examples before it.

    Args:
        x: inputs of the context, float ``(..., examples, inputs)``.
        y: labels of the context, float ``(..., examples)``.

    Returns:
        Inputs, float ``(..., examples, examples, inputs)``, and labels, float ``(..., examples, examples)``. Row k
        along the first of the two axes of examples holds the first k examples.

    Raises:
        ValueError: if shapes do not fit.
    """
    _check_prompt(x, y)
    before = torch.ones(y.shape[-1], y.shape[-1], dtype=x.dtype).tril(-1)
    return x[..., None, :, :] * before[..., None], y[..., None, :] * before


def _check_prompt(x: Tensor, y: Tensor, query: Tensor | None = None) -> None:
    if x.ndim < 2 or y.ndim < 1 or y.shape[-1] != x.shape[-2]:
        raise ValueError(f"x has shape {tuple(x.shape)} and y {tuple(y.shape)}; a label for each example was expected")
    if query is not None and (query.ndim < 1 or query.shape[-1] != x.shape[-1]):
        raise ValueError(f"query has shape {tuple(query.shape)}; (..., {x.shape[-1]}) was expected")
