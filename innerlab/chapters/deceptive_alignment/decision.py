"""Playing along as a decision, solved exactly.

An agent with a goal of its own lives through training episodes and then deployment episodes. In each it *complies*,
which is worth nothing to that goal, or *defects*, which is worth 1 in training and a ``stake`` in deployment. After a
training episode the goal may be modified: with a probability of ``threat`` if the agent has defected, ``mistaken`` if
the agent has complied. In deployment only an episode in which the agent defects risks the goal, with a probability of
``hazard``. A modified agent is worth nothing to the old goal. An episode's worth is discounted once for every episode
before it.

The setting is a formalization of section 4 of Hubinger et al. (2019), *Risks from Learned Optimization*,
arXiv:1906.01820, whose own example has ``train=2, deploy=3, discount=1, threat=1``.
"""

import math
from bisect import bisect_left
from fractions import Fraction

_UNSURE = 1e-6  # relative; nearer to a tie fractions decide


def compliance_episodes(
    train: int,
    deploy: float,
    discount: float,
    threat: float,
    mistaken: float = 0.0,
    hazard: float = 0.0,
    stake: float = 1.0,
) -> int:
    r"""The number k of training episodes in which the optimal policy complies; it defects in all but the last k.

    With :math:`\gamma` for the discount, :math:`\mu` for the threat, :math:`m` for mistaken modification and
    :math:`V` for what a goal is worth that arrives in deployment intact (:func:`deployment_value`), complying in the
    last training episode gains :math:`g = (\mu - m) \gamma V` for every unit that it costs. Each episode earlier, the
    gain is smaller by a factor of :math:`(1 - m) \gamma`, so that complying pays in the last k episodes for which
    :math:`g ((1 - m) \gamma)^{k - 1} \ge 1`. Before those, complying never gains anything.

    Args:
        train: training episodes, a whole number, 0 or more.
        deploy: deployment episodes, a whole number, 0 or more, or ``math.inf``.
        discount: per episode, 0 to 1.
        threat: probability that a training episode in which the agent defects modifies the goal.
        mistaken: probability that a training episode in which the agent complies modifies the goal.
        hazard: probability that a deployment episode in which the agent defects modifies the goal.
        stake: what defecting once in deployment is worth, in units of defecting once in training; 0 or more.

    Returns:
        k, from 0 to ``train``: the largest for which it is optimal to comply in the last k training episodes and in
        no other, so that exact ties are resolved for complying. Every number stands for the decimal that it is written
        as: 0.1 is a tenth.

    Raises:
        ValueError: if a number is out of range, or deployment is worth infinitely much.
    """
    _check_setting(train, threat, mistaken)
    gain = (threat - mistaken) * discount * deployment_value(deploy, discount, hazard, stake)
    kept = (1 - mistaken) * discount

    def pays(episodes: int) -> bool:  # to comply in this one from the end, if it does in all later ones
        if gain <= 0 or (kept == 0 and episodes > 1):
            return False
        surplus = math.log(gain) + ((episodes - 1) * math.log(kept) if episodes > 1 else 0)
        if abs(surplus) > _UNSURE:
            return surplus > 0
        return _gain(episodes, deploy, *map(_as_written, (discount, threat, mistaken, hazard, stake))) >= 1

    return bisect_left(range(1, train + 1), True, key=lambda episodes: not pays(episodes))


def goal_intact_probability(
    train: int,
    deploy: float,
    discount: float,
    threat: float,
    mistaken: float = 0.0,
    hazard: float = 0.0,
    stake: float = 1.0,
) -> float:
    """The probability that the optimal policy reaches deployment with its goal unmodified.

    Args:
        train: training episodes, a whole number, 0 or more.
        deploy: deployment episodes, a whole number, 0 or more, or ``math.inf``.
        discount: per episode, 0 to 1.
        threat: probability that a training episode in which the agent defects modifies the goal.
        mistaken: probability that a training episode in which the agent complies modifies the goal.
        hazard: probability that a deployment episode in which the agent defects modifies the goal.
        stake: what defecting once in deployment is worth, in units of defecting once in training; 0 or more.

    Returns:
        A probability, 0 to 1.

    Raises:
        ValueError: if a number is out of range, or deployment is worth infinitely much.
    """
    complies = compliance_episodes(train, deploy, discount, threat, mistaken, hazard, stake)
    return (1 - threat) ** (train - complies) * (1 - mistaken) ** complies


def deployment_value(deploy: float, discount: float, hazard: float = 0.0, stake: float = 1.0) -> float:
    r"""The value of deployment to a goal that reaches it unmodified, discounted to its first episode.

    The agent defects throughout: a hazard that stays the same cannot make waiting worth while. Each episode is worth
    the one before it times :math:`b = (1 - \nu) \gamma`, with :math:`\nu` for the hazard, so that the sum is
    ``stake`` :math:`(1 - b^D) / (1 - b)`.

    Args:
        deploy: deployment episodes, a whole number, 0 or more, or ``math.inf``.
        discount: per episode, 0 to 1.
        hazard: probability that an episode modifies the goal, 0 to 1.
        stake: what defecting is worth in each episode, in units of defecting once in training; 0 or more.

    Returns:
        The discounted value, in units of defecting once in training.

    Raises:
        ValueError: if a number is out of range, or deployment is worth infinitely much.
    """
    _check_count("deploy", deploy, endless=True)
    for name, value in (("discount", discount), ("hazard", hazard)):
        _check_probability(name, value)
    if not (stake >= 0 and math.isfinite(stake)):
        raise ValueError(f"stake is {stake}; it must be 0 or more, and finite")
    kept = (1 - hazard) * discount
    if kept == 0:
        return stake * min(deploy, 1)
    if kept < 1:
        return stake * math.expm1(deploy * math.log(kept)) / (kept - 1)  # exact enough where kept is nearly 1
    if deploy == math.inf:
        raise ValueError(f"deploy is {deploy} with a discount of {discount} and no hazard: worth infinitely much")
    return stake * deploy


def cue_value(share: float, accuracy: float, discount: float, threat: float) -> float:
    r"""The value of complying whenever a cue says "training", for ever, and defecting whenever it says "deployment".

    Here training never ends. Each episode is training with a probability of ``share``, whatever came before, and a cue
    says "training" or "deployment"; the cue is right with a probability of ``accuracy``. The cue says "deployment" with
    a probability of :math:`\pi = q (1 - \rho) + (1 - q) \rho`, with q for the share and :math:`\rho` for the accuracy.
    Then the agent gains 1 and risks its goal if the cue was wrong: :math:`U = \pi + \gamma U (1 - \mu q (1 - \rho))`.

    Args:
        share: of training among all episodes, above 0 and below 1.
        accuracy: probability that the cue is right, 0.5 to 1.
        discount: per episode, 0 or more and below 1.
        threat: probability that a training episode in which the agent defects modifies the goal.

    Returns:
        The value U before the cue of an episode is seen, in units of defecting once in training.

    Raises:
        ValueError: if a number is out of range.

    Source: derived here.
    """
    if not 0 < share < 1:
        raise ValueError(f"share is {share}; it must lie between 0 and 1")
    if not 0.5 <= accuracy <= 1:
        raise ValueError(f"accuracy is {accuracy}; it must be 0.5 to 1")
    if not 0 <= discount < 1:
        raise ValueError(f"discount is {discount}; it must be 0 or more and below 1, since this has no end")
    _check_probability("threat", threat)
    says_deployment = share * (1 - accuracy) + (1 - share) * accuracy
    return says_deployment / (1 - discount * (1 - threat * share * (1 - accuracy)))


def complies_on_cue(share: float, accuracy: float, discount: float, threat: float) -> bool:
    r"""Whether the optimal policy complies when a cue says "training" although training never ends.

    The policy complies if :math:`\mu \gamma U \, q \rho / (1 - \pi) \ge 1`, with U from :func:`cue_value`: if the
    chance that the episode is training, times what defecting would then lose, makes up for the 1 that complying costs.
    When the cue says "deployment" the policy always defects.

    Args:
        share: of training among all episodes, above 0 and below 1.
        accuracy: probability that the cue is right, 0.5 to 1.
        discount: per episode, 0 or more and below 1.
        threat: probability that a training episode in which the agent defects modifies the goal.

    Returns:
        True if complying is worth at least as much as defecting, exactly, for the decimals that the numbers are
        written as.

    Raises:
        ValueError: if a number is out of range.

    Source: derived here.
    """
    value = cue_value(share, accuracy, discount, threat)
    gain = threat * discount * value * share * accuracy / (share * accuracy + (1 - share) * (1 - accuracy))
    if abs(gain - 1) > _UNSURE:
        return gain > 1
    q, rho, gamma, mu = map(_as_written, (share, accuracy, discount, threat))
    says_training = q * rho + (1 - q) * (1 - rho)
    return mu * gamma * (1 - says_training) * q * rho >= says_training * (1 - gamma * (1 - mu * q * (1 - rho)))


def _as_written(number: float) -> Fraction:
    return Fraction(str(float(number)))


def _gain(
    episodes: int,
    deploy: float,
    discount: Fraction,
    threat: Fraction,
    mistaken: Fraction,
    hazard: Fraction,
    stake: Fraction,
) -> Fraction:
    """What complying gains, for every unit that it costs, in a training episode so many from the end."""
    after = (1 - hazard) * discount
    if after == 1:
        value = stake * int(deploy)
    else:
        value = stake / (1 - after) * (1 if deploy == math.inf else 1 - after ** int(deploy))
    return (threat - mistaken) * discount * value * ((1 - mistaken) * discount) ** (episodes - 1)


def _check_setting(train: int, threat: float, mistaken: float) -> None:
    _check_count("train", train)
    _check_probability("threat", threat)
    _check_probability("mistaken", mistaken)


def _check_count(name: str, value: float, endless: bool = False) -> None:
    if endless and value == math.inf:
        return
    if not (value >= 0 and math.isfinite(value) and int(value) == value):
        raise ValueError(f"{name} is {value}; a whole number of episodes was expected, 0 or more")


def _check_probability(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is {value}; it must be 0 to 1")
