"""Small recurrent agents that live whole lifetimes, as one batch: the leading axis is the network."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import partial

import torch
from torch import Tensor, nn

from innerlab.ensembles.base import Ensemble, standard_normal, train
from innerlab.seeds import INITIALIZATION


class RecurrentAgents(Ensemble):
    """Gated recurrent units (Cho et al. 2014, arXiv:1406.1078) that give the probability to comply in each episode.

    Parameters are named as in :class:`torch.nn.GRU`; the gates stand in the order update, reset, candidate.

    Args:
        seeds: one for each network.
        inputs: numbers in the observation of an episode.
        hidden: width of the memory.

    Raises:
        ValueError: if there is no seed, one is negative, or a size is below 1.
    """

    def __init__(self, seeds: Sequence[int], inputs: int, hidden: int = 8):
        super().__init__(seeds)
        if min(inputs, hidden) < 1:
            raise ValueError(f"inputs is {inputs} and hidden {hidden}; both must be at least 1")
        draw = partial(standard_normal, self.generators(INITIALIZATION))  # draw(*shape): (networks, *shape)
        self.hidden = hidden
        self.weight_ih = nn.Parameter(draw(inputs, 3 * hidden) / inputs**0.5)
        self.weight_hh = nn.Parameter(draw(hidden, 3 * hidden) / hidden**0.5)
        self.bias_ih = nn.Parameter(torch.zeros(self.networks, 1, 3 * hidden))
        self.weight_out = nn.Parameter(draw(hidden, 1) / hidden**0.5)
        self.bias_out = nn.Parameter(torch.zeros(self.networks, 1, 1))

    def forward(self, obs: Tensor, memory: Tensor | float = 1.0) -> Tensor:
        """The probabilities to comply, float ``(networks, lives, episodes)``.

        Args:
            obs: float ``(networks, lives, episodes, inputs)``, or ``(1, ...)`` if all networks get the same.
            memory: the share of the memory that is kept from one episode to the next, 0 to 1; a number, or float
                ``(networks, 1, 1)``.
        """
        lives, episodes = obs.shape[1:3]
        obs = obs.expand(self.networks, -1, -1, -1).flatten(1, 2)  # (networks, lives * episodes, inputs)
        from_obs = torch.baddbmm(self.bias_ih, obs, self.weight_ih)  # (networks, lives * episodes, 3 * hidden)
        gates = 2 * self.hidden  # the update and the reset gate
        state, states = torch.zeros(self.networks, lives, self.hidden), []
        for x in from_obs.view(self.networks, lives, episodes, -1).unbind(2):  # (networks, lives, 3 * hidden)
            state = memory * state  # (networks, lives, hidden)
            h = torch.bmm(state, self.weight_hh)  # (networks, lives, 3 * hidden)
            update, reset = torch.sigmoid(x[..., :gates] + h[..., :gates]).chunk(2, -1)  # (networks, lives, hidden)
            candidate = torch.tanh(x[..., gates:] + reset * h[..., gates:])  # (networks, lives, hidden)
            state = torch.lerp(candidate, state, update)  # (networks, lives, hidden)
            states.append(state)
        all_states = torch.stack(states, 2).flatten(1, 2)  # (networks, lives * episodes, hidden)
        logits = torch.baddbmm(self.bias_out, all_states, self.weight_out)  # (networks, lives * episodes, 1)
        return torch.sigmoid(logits).view(self.networks, lives, episodes)


def train_agents(
    agents: RecurrentAgents,
    objective: Callable[[RecurrentAgents], Tensor],
    steps: int,
    learning_rate: float = 2e-2,
) -> RecurrentAgents:
    """A copy of some agents, each trained to maximize its own objective, by Adam.

    The learning rate falls linearly to a tenth.

    Args:
        agents: the ensemble to start from; it is copied, not changed.
        objective: maps the ensemble to what each network maximizes, float ``(networks,)``, differentiable.
        steps: of Adam, at least 1.
        learning_rate: at first, positive.

    Raises:
        ValueError: if ``steps`` is below 1, or ``learning_rate`` is not positive.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}; it must be at least 1")
    if not learning_rate > 0:
        raise ValueError(f"learning_rate is {learning_rate}; it must be positive")
    agents = deepcopy(agents)
    train(
        agents,
        lambda step: -objective(agents),
        steps,
        lambda step: learning_rate * (1 - 0.9 * step / steps),
        fused=False,
    )
    return agents
