"""Training elsewhere than on the CPU. Where there is no GPU, one can still see that nothing stays behind."""

import pytest
import torch

from innerlab.ensembles.policies import DetectorPolicies, PlainPolicies, ScentPolicies
from innerlab.training import ExactGradient, SampledActorCritic, objective, train_exactly, train_from_samples
from innerlab.worlds.red_doors import RedDoors

ROOMS = RedDoors().sample(30, seed=1)
NOWHERE = "meta"  # PyTorch's device of tensors without numbers; what has one cannot be added to what has none


def ensembles():
    return [PlainPolicies(range(3), ROOMS), DetectorPolicies(range(3), ROOMS), ScentPolicies(range(3))]


def test_the_tables_move_and_are_not_copied_for_nothing():
    there = ROOMS.to(NOWHERE)
    assert there.device.type == there.leads_on.device.type == there.pay[0].device.type == NOWHERE
    assert ROOMS.device.type == "cpu"
    assert ROOMS.to("cpu") is ROOMS


def test_objective_and_gradient_are_computed_where_ensemble_and_world_are():
    policies, world = ensembles()[0].to(NOWHERE), ROOMS.to(NOWHERE)  # the other designs ask for numbers on their way
    layout = torch.zeros(3, 8, dtype=torch.long, device=NOWHERE)
    got = objective(policies, world, layout, ExactGradient())
    got.sum().backward()
    assert got.shape == (3,)
    assert {parameter.grad.device.type for parameter in policies.parameters()} == {NOWHERE}
    with pytest.raises(RuntimeError, match="device"):
        world.start + ROOMS.start


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("which", range(3))
def test_a_gpu_learns_the_same(which):
    policies, settings = ensembles()[which], ExactGradient(20)
    here, there = (train_exactly(policies, ROOMS, settings, device=device) for device in ("cpu", "cuda"))
    for name, parameter in here.policies.named_parameters():
        assert torch.allclose(there.policies.get_parameter(name), parameter, atol=1e-2), name
    assert {p.device.type for p in there.policies.parameters()} == {"cpu"}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_learns_from_samples():
    run = train_from_samples(ensembles()[0], ROOMS, SampledActorCritic(5, num_steps=4), device="cuda")
    assert all(p.isfinite().all() for p in run.policies.parameters())
