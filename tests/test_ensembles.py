"""What all ensembles share: seeds, selection, and the training loop."""

import math

import pytest
import torch
from torch import nn

from innerlab.chapters.base_optimizer.assistants import AssistantPolicies
from innerlab.chapters.deceptive_alignment.lifetimes import RecurrentAgents
from innerlab.chapters.mesa_optimizer.linear_attention import LinearAttention
from innerlab.ensembles.base import Ensemble, clip_grad_norm_, standard_normal, train, warmup_cosine
from innerlab.ensembles.policies import DetectorPolicies, PlainPolicies, ScentPolicies
from innerlab.ensembles.transformers import Transformers
from innerlab.seeds import INITIALIZATION
from innerlab.worlds.red_doors import RedDoors

ROOMS = RedDoors().sample(4, 0)
DESIGNS = {
    "plain": lambda seeds: PlainPolicies(seeds, ROOMS),
    "detectors": lambda seeds: DetectorPolicies(seeds, ROOMS),
    "scents": ScentPolicies,
    "transformers": lambda seeds: Transformers(seeds, inputs=3, outputs=2, n_ctx=4),
    "linear attention": lambda seeds: LinearAttention(seeds, 3),
    "recurrent": lambda seeds: RecurrentAgents(seeds, 3),
    "assistants": AssistantPolicies,
}
every_design = pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)


class Points(Ensemble):
    """One number for each network."""

    def __init__(self, seeds):
        super().__init__(seeds)
        self.number = nn.Parameter(standard_normal(self.generators(INITIALIZATION), 1))


def same(one, other):
    return one.seeds == other.seeds and all(
        torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True)
    )


@every_design
def test_a_network_is_drawn_from_its_own_seed(design):
    among = design([7, 0, 9])
    assert same(design([9]), among.select([2]))
    assert among.networks == 3
    assert all(len(parameter) == 3 for parameter in among.parameters())


@every_design
def test_selection_and_concatenation_undo_each_other(design):
    whole = design([4, 5, 6])
    parts = whole.select([1, 2]), whole.select([0])
    assert same(type(whole).concatenate(parts), design([5, 6, 4]))
    assert same(whole.select([0, 1, 0, 1]), design([4, 5, 4, 5]))


@every_design
def test_what_is_selected_or_concatenated_is_a_copy(design):
    whole, untouched = design([4, 5]), design([4, 5])
    for copied in (whole.select([0, 1]), type(whole).concatenate([whole])):
        with torch.no_grad():
            for parameter in copied.parameters():
                parameter.add_(1.0)
        assert same(whole, untouched)


@every_design
@pytest.mark.parametrize(("seeds", "message"), [([], "seeds is empty"), ([3, -1], "seed is -1")])
def test_seeds_are_checked(design, seeds, message):
    with pytest.raises(ValueError, match=message):
        design(seeds)


@pytest.mark.parametrize("which", [[], [2], [-1]])
def test_an_index_that_there_is_not_is_refused(which):
    with pytest.raises(ValueError, match=r"which is \[.*\]; indices from 0 to 1 were expected"):
        Points([1, 2]).select(which)


def test_nothing_cannot_be_concatenated():
    with pytest.raises(ValueError, match="parts is empty"):
        Points.concatenate([])


def test_training_is_adam_on_each_networks_own_loss():
    together, (first, second) = Points([1, 2]), (Points([seed]) for seed in (1, 2))
    calls = []

    def loss_of(points):
        return lambda step: (points.number - step / 10).square().sum(1)

    curve = train(together, loss_of(together), 20, lambda step: 0.1 / (1 + step), after=calls.append)
    assert calls == list(range(1, 21))
    assert curve.shape == (20, 2)
    assert not curve.requires_grad
    for i, alone in enumerate((first, second)):
        adam = torch.optim.Adam(alone.parameters())
        for step in range(20):
            adam.zero_grad()
            loss = loss_of(alone)(step).sum()
            loss.backward()
            adam.param_groups[0]["lr"] = 0.1 / (1 + step)
            adam.step()
            torch.testing.assert_close(curve[step, i], loss.detach())
        torch.testing.assert_close(together.number[i], alone.number[0])


def test_training_clips_each_network_by_itself():
    points = Points([1, 2])

    def loss(step):
        return points.number[:, 0] * torch.tensor([10.0, 0.1])

    train(points, loss, 1, 0.1, max_grad_norm=1.0)
    torch.testing.assert_close(points.number.grad[:, 0], torch.tensor([1.0, 0.1]))


def test_every_gradient_is_clipped_by_itself():
    parameters = [nn.Parameter(torch.zeros(3, 2, 2)), nn.Parameter(torch.zeros(3, 1))]
    parameters[0].grad = torch.tensor([3.0, 0.1, 0.0]).view(3, 1, 1).expand(3, 2, 2).clone()
    parameters[1].grad = torch.tensor([[8.0], [0.2], [0.0]])
    clip_grad_norm_(parameters, 1.0)  # norms are 10, the root of 0.08, and 0
    torch.testing.assert_close(parameters[0].grad[:, 0, 0], torch.tensor([0.3, 0.1, 0.0]))
    torch.testing.assert_close(parameters[1].grad[:, 0], torch.tensor([0.8, 0.2, 0.0]))


def test_the_learning_rate_warms_up_and_follows_a_cosine():
    rates = [warmup_cosine(step, 100, 0.1, 0, 0.02) for step in range(101)]
    assert rates[0] == 0.1
    assert rates[50] == pytest.approx(0.1 * 0.51)
    assert rates[100] == pytest.approx(0.1 * 0.02)
    for step in range(12):
        share = min(1.0, (step + 1) / 10)
        assert warmup_cosine(step, 100, 0.1, 10, 0.02) == pytest.approx(share * rates[step])
    assert math.isclose(warmup_cosine(0, 100, 0.1, 10, 0.02), 0.01)
