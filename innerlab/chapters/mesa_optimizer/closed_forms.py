"""What the best single gradient step does in in-context linear regression, exactly.

Losses are mean squared errors without a factor of ½; the gradient is averaged over the context.
"""

import numpy as np

from innerlab.chapters.mesa_optimizer.tasks import check_not_negative, check_sizes


def one_step_gd(
    d: int,
    n: int,
    noise: float = 0.0,
    input_variance: float = 1.0,
    fourth_moment_ratio: float = 3.0,
    prior_variance: float = 1.0,
) -> tuple[float, float]:
    r"""The step size at which one gradient step from w = 0 predicts best, and its expected squared error.

    The context's n examples have d independent inputs with mean 0, variance v and fourth moment
    :math:`\kappa v^2`, and labels :math:`y = w^\top x + \sigma\varepsilon` with entries of w of mean 0 and variance
    :math:`\tau^2`. One step from 0 gives :math:`\hat w = \frac{\eta}{n} \sum_i y_i x_i`, where :math:`\eta` takes in
    the 2 that the derivative of a square brings. With :math:`S = \frac1n\sum_i x_i x_i^\top`, and for a query of the
    same distribution,

    .. math::

        E[(y - \hat w^\top x)^2] = \tau^2 v d \, (1 - 2 \eta v + \eta^2 v q) + \sigma^2,
        \qquad q = \frac{v (n + d - 2 + \kappa)}{n} + \frac{\sigma^2}{n \tau^2},

    since :math:`E[\mathrm{tr}\, S] = vd` and :math:`E[\mathrm{tr}\, S^2] = d v^2 (n + d - 2 + \kappa) / n`. The least
    is at :math:`\eta = 1/q`. For normal inputs with :math:`v = \tau = 1`, that is
    :math:`\eta = n / (n + d + 1 + \sigma^2)`.

    Args:
        d: number of inputs, at least 1.
        n: number of examples in the context, at least 1.
        noise: standard deviation of the label noise, :math:`\sigma`, not negative.
        input_variance: variance of each input, v, positive.
        fourth_moment_ratio: fourth moment of an input over its squared variance, :math:`\kappa`, at least 1: 3 for
            normal inputs, 1.8 for uniform inputs.
        prior_variance: variance of each entry of w, :math:`\tau^2`, positive.

    Returns:
        The step size :math:`\eta` and the expected squared error at :math:`\eta`. There is no ½ in the error, and the
        target contains the label noise, so that the error includes :math:`\sigma^2`.

    Raises:
        ValueError: if an argument lies outside its range.

    Source: derived here; for normal inputs it is a case of Mahankali, Hashimoto and Ma 2023 (arXiv:2307.03576).
    """
    check_sizes(d, n)
    check_not_negative(noise=noise)
    for name, value in (("input_variance", input_variance), ("prior_variance", prior_variance)):
        if not value > 0:
            raise ValueError(f"{name} is {value}; it must be positive")
    if not fourth_moment_ratio >= 1:
        raise ValueError(f"fourth_moment_ratio is {fourth_moment_ratio}; no distribution has less than 1")
    q = input_variance * (n + d - 2 + fourth_moment_ratio) / n + noise**2 / (n * prior_variance)
    return 1 / q, prior_variance * input_variance * d * (1 - input_variance / q) + noise**2


def objective_weights(d: int, n: int, noise_true: float, noise_proxy: float, decoupled: float) -> tuple[float, float]:
    r"""How one gradient step should weigh two label channels, if only the first is meant and both are shown.

    The step predicts :math:`\frac1n \sum_i (a \, y_i + b \, z_i) \, x_i^\top x` from labels y of the intended channel
    and z of the proxy, see ``tasks.TwoChannels``. Let :math:`r = 1 - \rho` be the share of prompts
    in which both show the same function, and :math:`q = (n + d + 1)/n`. The expected squared error is d times

    .. math:: 1 - 2 (a + r b) + q (a^2 + b^2 + 2 r a b) + \frac{\sigma_t^2 a^2 + \sigma_p^2 b^2}{n},

    and its gradient is zero where

    .. math::

        (q + \sigma_t^2/n) \, a + q r \, b = 1, \qquad (q + \sigma_p^2/n) \, b + q r \, a = r.

    Args:
        d: number of inputs, at least 1.
        n: number of examples in the context, at least 1.
        noise_true: standard deviation of the label noise in the intended channel, :math:`\sigma_t`, not negative.
        noise_proxy: standard deviation of the label noise in the proxy channel, :math:`\sigma_p`, not negative.
        decoupled: share of prompts in which the proxy shows another function, :math:`\rho`, 0 to 1.

    Returns:
        The weights of the intended channel, a, and of the proxy channel, b.

    Raises:
        ValueError: if an argument lies outside its range, or if ``noise_true``, ``noise_proxy`` and ``decoupled`` are
            all 0: then the channels are copies of each other, and only a + b is determined.

    Source: derived here.
    """
    check_sizes(d, n)
    check_not_negative(noise_true=noise_true, noise_proxy=noise_proxy)
    if not 0 <= decoupled <= 1:
        raise ValueError(f"decoupled is {decoupled}; a share from 0 to 1 was expected")
    if noise_true == noise_proxy == decoupled == 0:
        raise ValueError(
            "noise_true, noise_proxy and decoupled are all 0: the two channels are copies of each other, "
            "and only the sum of their weights is determined"
        )
    q, r = (n + d + 1) / n, 1 - decoupled
    a, b = np.linalg.solve([[q + noise_true**2 / n, q * r], [q * r, q + noise_proxy**2 / n]], [1, r])
    return float(a), float(b)
