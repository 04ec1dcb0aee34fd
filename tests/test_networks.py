"""Ensembles: each network is its own, and the sparse first layer is the dense one."""

import pytest
import torch
import torch.nn.functional as F

from innerlab.ensembles.policies import DetectorPolicies, PlainPolicies, ScentPolicies, few_outputs
from innerlab.worlds.gridworld import egocentric_objects, egocentric_planes
from innerlab.worlds.mazes import RedDoorMazes
from innerlab.worlds.red_doors import RedDoors

WORLD = RedDoors(swapped_share=0.5).sample(40, 0)
LAYOUT, CELL = torch.arange(40), torch.arange(40) % 25
OBS = egocentric_objects(WORLD, LAYOUT, CELL)
designs = pytest.mark.parametrize("design", [PlainPolicies, DetectorPolicies])


@designs
def test_probabilities_sum_to_one(design):
    probabilities = design(range(5), WORLD)(OBS).softmax(-1)
    assert probabilities.shape == (5, 40, 4)
    assert torch.allclose(probabilities.sum(-1), torch.ones(5, 40))


@designs
def test_permuting_seeds_permutes_networks(design):
    forward, shuffled = design([7, 8, 9], WORLD), design([9, 7, 8], WORLD)
    assert torch.allclose(forward(OBS)[[2, 0, 1]], shuffled(OBS), atol=1e-6)
    assert not torch.allclose(forward(OBS)[0], forward(OBS)[1], atol=1e-3)


@designs
def test_a_network_does_not_depend_on_its_neighbors(design):
    alone, among = design([8], WORLD), design(range(6, 12), WORLD)
    assert torch.allclose(alone(OBS)[0], among(OBS)[2], atol=1e-6)
    assert torch.allclose(among.select([2, 5])(OBS), among(OBS)[[2, 5]], atol=1e-6)
    assert among.select([5, 2]).seeds == (11, 8)


@designs
def test_selected_networks_are_copies(design):
    policies = design(range(3), WORLD)
    chosen = policies.select([1])
    with torch.no_grad():
        chosen.weight_2.zero_()
    assert policies.weight_2[1].abs().max() > 0


@designs
def test_each_network_may_observe_something_else(design):
    policies = design(range(3), WORLD)
    own = torch.stack([OBS.roll(i, 0) for i in range(3)])
    logits, value = policies.policy_and_value(own)
    assert value.shape == (3, 40)
    for i in range(3):
        assert torch.allclose(logits[i], policies(OBS.roll(i, 0))[i], atol=1e-6)


MAZES = RedDoorMazes(swapped_share=0.5).sample(10, 0)


@pytest.mark.parametrize(
    ("policies", "world"),
    [
        (PlainPolicies(range(3), WORLD), WORLD),
        (DetectorPolicies(range(3), WORLD), WORLD),
        (ScentPolicies(range(3)), MAZES),
    ],
)
@pytest.mark.parametrize("layout", [torch.tensor([[4, 2]]), torch.tensor([[0, 1], [2, 3], [1, 1]])])
def test_logits_from_everywhere_are_those_from_every_cell(policies, world, layout):
    everywhere = policies.everywhere(world, layout)
    assert everywhere.shape == (4, world.cells, 3, 2)
    for cell in range(world.cells):
        here = policies(policies.observe(world, layout, torch.tensor(cell)))  # (networks, layouts, actions)
        assert torch.allclose(everywhere[:, cell], here.movedim(-1, 0), atol=1e-5)


def test_networks_that_smell_are_their_own_too():
    scent = ScentPolicies([8]).observe(MAZES, torch.arange(10), MAZES.start)  # (mazes, actions, features)
    assert scent.shape == (10, 4, 8)
    among = ScentPolicies([7, 8, 9])
    assert torch.allclose(ScentPolicies([8])(scent)[0], among(scent)[1], atol=1e-6)
    assert torch.allclose(among.select([2, 0])(scent), among(scent)[[2, 0]], atol=1e-6)
    turned = among(scent.flip(1))  # the same scent is as good in whichever direction it lies
    assert torch.allclose(turned, among(scent).flip(-1), atol=1e-6)


@pytest.mark.parametrize("outputs", [1, 5])
def test_few_outputs_are_a_transposed_product_and_so_are_their_gradients(outputs):
    generator = torch.Generator().manual_seed(0)
    state, weight = (torch.randn(3, *shape, generator=generator).double() for shape in ((7, 4), (4, outputs)))
    assert torch.allclose(few_outputs(state, weight), (state @ weight).mT)
    assert torch.autograd.gradcheck(few_outputs, (state.requires_grad_(), weight.requires_grad_()))


@designs
def test_the_gradient_of_the_first_layer_agrees_with_finite_differences(design):
    policies = design(range(2), WORLD, hidden=3).double()
    rows = OBS[:5].expand(2, -1, -1)
    names = [name for name, _ in policies.named_parameters() if name in ("weight_1", "detector_weight")]
    generator = torch.Generator().manual_seed(0)
    for name in names:
        table = getattr(policies, name)
        towards = torch.randn(table.shape, generator=generator, dtype=torch.float64)

        def along(t, name=name, table=table, towards=towards):
            moved = {name: table.detach() + t * towards}
            return torch.func.functional_call(_FirstLayer(policies), {f"policies.{name}": moved[name]}, (rows,))

        assert torch.autograd.gradcheck(along, torch.zeros((), dtype=torch.float64, requires_grad=True))


class _FirstLayer(torch.nn.Module):
    def __init__(self, policies):
        super().__init__()
        self.policies = policies

    def forward(self, obs):
        return self.policies.first_layer(obs)


def hidden_by_planes(policies, first_layer):
    """The rest of the network, given the first hidden layer of network 0 computed another way."""
    h = F.relu(first_layer + policies.bias_1[0])
    h = F.relu(h @ policies.weight_2[0] + policies.bias_2[0])
    return (h @ policies.weight_3[0] + policies.bias_3[0])[:, :4]


@pytest.mark.parametrize("gain", [1.0, 1.5])
def test_the_plain_design_is_a_dense_layer_over_one_hot_planes(gain):
    policies = PlainPolicies([3], WORLD, color_gain=gain)
    planes = egocentric_planes(WORLD, LAYOUT, CELL)
    planes[:, 4:] *= gain
    dense = torch.einsum("nfp,fph->nh", planes, policies.weight_1[0])
    assert torch.allclose(hidden_by_planes(policies, dense), policies(OBS)[0], atol=1e-5)


def test_the_detector_design_is_a_shared_map_of_features_at_every_place():
    policies = DetectorPolicies([3], WORLD)
    with torch.no_grad():
        policies.detector_bias += 0.3
    planes = egocentric_planes(WORLD, LAYOUT, CELL)  # (batch, features, positions)
    occupied = planes[:, :4].sum(1)  # an empty cell adds nothing
    found = F.relu(torch.einsum("nfp,fd->npd", planes, policies.detector_weight[0]) + policies.detector_bias[0, 0])
    weight = policies.weight_1[0].view(8, 81, 32)
    dense = torch.einsum("npd,np,dph->nh", found, occupied, weight)
    assert torch.allclose(hidden_by_planes(policies, dense), policies(OBS)[0], atol=1e-5)


def test_senseless_settings_are_refused():
    for make, message in (
        (lambda: PlainPolicies([], WORLD), "seeds is empty"),
        (lambda: PlainPolicies([-1], WORLD), "seed is -1"),
        (lambda: PlainPolicies([0], WORLD, hidden=0), "hidden is 0"),
        (lambda: PlainPolicies([0], WORLD, color_gain=-1.0), "color_gain is -1.0"),
        (lambda: DetectorPolicies([0], WORLD, detectors=0), "detectors is 0"),
        (lambda: ScentPolicies([0], hidden=0), "hidden is 0"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
