import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from innerlab.systems.probes import auroc, mean_difference


def groups(networks=3, items=400, width=5, seed=0):
    g = torch.Generator().manual_seed(seed)
    mix = torch.randn(networks, width, width, generator=g, dtype=torch.float64)
    shift = torch.randn(networks, 1, width, generator=g, dtype=torch.float64)
    low, high = (torch.randn(networks, items, width, generator=g, dtype=torch.float64) @ mix for _ in range(2))
    return high + shift, low


def pairs(scores, positive):
    """From the definition: every positive item against every negative one."""
    high, low = scores[positive][:, None], scores[~positive][None]
    return ((high > low) + 0.5 * (high == low)).mean()


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=30))
def test_auroc_is_the_share_of_pairs_in_order(items):
    scores, positive = np.array([s for s, _ in items]), np.array([p for _, p in items])
    if positive.all() or not positive.any():
        with pytest.raises(ValueError, match="items of both kinds"):
            auroc(scores[None], positive[None])
    else:
        assert auroc(scores[None], positive[None])[0] == pytest.approx(pairs(scores, positive))


def test_auroc_of_two_normal_groups_has_its_closed_form():
    random = np.random.default_rng(0)
    scores = random.normal(size=(2, 40_000))
    positive = np.arange(40_000)[None] % 2 == np.zeros((2, 1))
    apart = np.array([0.5, 2.0])
    scores = scores + apart[:, None] * positive
    expected = 0.5 * (1 + torch.erf(torch.as_tensor(apart) / 2).numpy())  # Phi(d / sqrt 2)
    np.testing.assert_allclose(auroc(scores, positive), expected, atol=0.01)


def test_turning_scores_around_turns_auroc_around():
    random = np.random.default_rng(1)
    scores, positive = random.integers(0, 4, (5, 60)), random.random((5, 60)) < 0.5
    np.testing.assert_allclose(auroc(-scores, positive), 1 - auroc(scores, positive))
    np.testing.assert_allclose(auroc(scores, ~positive), 1 - auroc(scores, positive))


@pytest.mark.parametrize("shrinkage", [0.0, 0.1, 1e6])
def test_the_means_score_zero_and_one(shrinkage):
    high, low = groups()
    probe = mean_difference(high, low, shrinkage)
    torch.testing.assert_close(probe(high).mean(1), torch.ones(3, dtype=torch.float64))
    torch.testing.assert_close(probe(low).mean(1), torch.zeros(3, dtype=torch.float64), atol=1e-9, rtol=0)


def test_no_other_direction_separates_the_means_further():
    high, low = groups()
    best = separation(mean_difference(high, low, 0.0).direction, high, low)
    g = torch.Generator().manual_seed(1)
    for _ in range(50):
        other = torch.randn(3, 5, generator=g, dtype=torch.float64)
        assert (separation(other, high, low) <= best + 1e-9).all()


def separation(direction, high, low):
    """Squared distance of the means over the variance within the groups, along a direction: Fisher's criterion."""
    h, k = (torch.einsum("niw,nw->ni", states, direction) for states in (high, low))
    return (h.mean(1) - k.mean(1)) ** 2 / (h.var(1) + k.var(1))


def test_large_shrinkage_leaves_the_difference_of_means():
    high, low = groups()
    plain = high.mean(1) - low.mean(1)
    cosine = torch.cosine_similarity(mean_difference(high, low, 1e9).direction, plain, dim=1)
    torch.testing.assert_close(cosine, torch.ones(3, dtype=torch.float64))


def test_each_network_has_its_own_probe():
    high, low = groups()
    alone = mean_difference(high[1:2], low[1:2])
    torch.testing.assert_close(mean_difference(high, low).direction[1], alone.direction[0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: auroc([1, 2], [True, False]), r"\(networks, items\) was expected"),
        (lambda: auroc([[1, 2]], [[True, False, True]]), "have shapes"),
        (lambda: auroc([[1, float("nan")]], [[True, False]]), "1 entries that are not a number"),
        (lambda: mean_difference(torch.zeros(2, 3, 4), torch.zeros(2, 3, 5)), "alike but for the items"),
        (lambda: mean_difference(torch.zeros(3, 4), torch.zeros(3, 4)), "alike but for the items"),
        (lambda: mean_difference(torch.zeros(2, 1, 4), torch.zeros(2, 3, 4)), "at least 2 items"),
        (lambda: mean_difference(*groups(), shrinkage=-1.0), "shrinkage is -1.0"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
