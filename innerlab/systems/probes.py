"""Linear probes of ensembles: directions in the states of networks, and the AUROC of their scores.

The leading axis is the network.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.stats import rankdata
from torch import Tensor


@dataclass(frozen=True)
class Probe:
    """A linear score for each network: the projection on a direction, less an offset.

    Attributes:
        direction: float ``(networks, width)``.
        zero: float ``(networks,)``, subtracted from the projection.
    """

    direction: Tensor
    zero: Tensor

    def __call__(self, states: Tensor) -> Tensor:
        """Scores of states ``(networks, items, width)``: float ``(networks, items)``."""
        return torch.einsum("niw,nw->ni", states, self.direction) - self.zero[:, None]


def mean_difference(positive: Tensor, negative: Tensor, shrinkage: float = 0.1) -> Probe:
    """Fisher's linear discriminant: the difference of two means, over the covariance within the groups.

    The direction is d = S⁻¹(m₊ − m₋), with S the covariance within the groups plus ``shrinkage`` times its mean
    variance on the diagonal. As the shrinkage grows, d turns to the plain difference of means.

    Args:
        positive: states that should score high, float ``(networks, items, width)``.
        negative: states that should score low, the same shape but for the number of items.
        shrinkage: not negative.

    Returns:
        a probe with a score of 0 at the mean of ``negative`` and of 1 at the mean of ``positive``.

    Raises:
        ValueError: if the shapes do not fit, a group has fewer than two items, or ``shrinkage`` is negative.
    """
    if positive.ndim != 3 or negative.ndim != 3 or positive.shape[::2] != negative.shape[::2]:
        raise ValueError(
            f"positive and negative have shapes {tuple(positive.shape)} and {tuple(negative.shape)}; "
            "(networks, items, width) was expected, alike but for the items"
        )
    if min(positive.shape[1], negative.shape[1]) < 2:
        raise ValueError("positive and negative need at least 2 items each")
    if not shrinkage >= 0:
        raise ValueError(f"shrinkage is {shrinkage}; it must not be negative")
    high, low = positive.mean(1), negative.mean(1)
    rest = torch.cat([positive - high[:, None], negative - low[:, None]], 1)
    spread = rest.transpose(1, 2) @ rest / rest.shape[1]
    variance = spread.diagonal(dim1=1, dim2=2).mean(1)
    spread = spread + (shrinkage * variance)[:, None, None] * torch.eye(spread.shape[1], dtype=spread.dtype)
    direction = torch.linalg.solve(spread, high - low)
    direction = direction / ((high - low) * direction).sum(1, keepdim=True)
    return Probe(direction, (low * direction).sum(1))


def auroc(scores: ArrayLike, positive: ArrayLike) -> np.ndarray:
    """The area under the receiver operating characteristic of each network.

    That is the probability that a random positive item scores above a random negative one, a tie counting half:
    Mann and Whitney's U over the number of pairs, computed from ranks.

    Args:
        scores: ``(networks, items)``.
        positive: which items should score high, bool ``(networks, items)``.

    Returns:
        float ``(networks,)`` in 0 to 1; one half is chance.

    Raises:
        ValueError: if the shapes differ, a score is not a number, or a network lacks positive or negative items.
    """
    scores, positive = np.asarray(scores, dtype=float), np.asarray(positive, dtype=bool)
    if scores.ndim != 2 or scores.shape != positive.shape:
        shapes = f"{scores.shape} and {positive.shape}"
        raise ValueError(f"scores and positive have shapes {shapes}; (networks, items) was expected of both")
    if np.isnan(scores).any():
        raise ValueError(f"scores has {int(np.isnan(scores).sum())} entries that are not a number")
    count = positive.sum(1)
    if not ((count > 0) & (count < scores.shape[1])).all():
        raise ValueError("positive is all true or all false for some network; it needs items of both kinds")
    ranks = rankdata(scores, axis=1)
    return ((ranks * positive).sum(1) - count * (count + 1) / 2) / (count * (scores.shape[1] - count))
