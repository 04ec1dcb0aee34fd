"""Small recurrent agents that live whole lifetimes, as one batch: the leading axis is the network."""

from collections.abc import Callable, Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn

from innerlab.seeds import INITIALIZATION, generator


class RecurrentAgents(nn.Module):
    """Gated recurrent units (Cho et al. 2014, arXiv:1406.1078) that say in each episode how likely they comply.

    Args:
        seeds: one for each network.
        inputs: how many numbers an agent sees in an episode.
        hidden: width of its memory.

    Raises:
        ValueError: if there is no seed, one is negative, or a size is below 1.
    """

    def __init__(self, seeds: Sequence[int], inputs: int, hidden: int = 8):
        super().__init__()
        if len(seeds) == 0:
            raise ValueError("seeds is empty; give one for each network")
        if min(inputs, hidden) < 1:
            raise ValueError(f"inputs is {inputs} and hidden {hidden}; both must be at least 1")
        generators = [generator(seed, INITIALIZATION) for seed in seeds]

        def drawn(rows: int, columns: int) -> nn.Parameter:
            return nn.Parameter(torch.stack([torch.randn(rows, columns, generator=g) for g in generators]) / rows**0.5)

        self.seeds, self.hidden = tuple(seeds), hidden
        self.weight_input = drawn(inputs, 3 * hidden)  # update gate, reset gate, candidate
        self.weight_hidden = drawn(hidden, 3 * hidden)
        self.bias = nn.Parameter(torch.zeros(len(seeds), 1, 3 * hidden))
        self.weight_out = drawn(hidden, 1)
        self.bias_out = nn.Parameter(torch.zeros(len(seeds), 1, 1))

    def forward(self, seen: Tensor, memory: Tensor | float = 1.0) -> Tensor:
        """How likely each agent complies, ``(networks, lives, episodes)``.

        Args:
            seen: what it sees, ``(networks, lives, episodes, inputs)``; a leading 1 if all networks see the same.
            memory: what is kept of the memory from one episode to the next, 1 for all and 0 for nothing; a number, or
                one for each network, ``(networks, 1, 1)``.
        """
        networks, (lives, episodes), gates = len(self.seeds), seen.shape[1:3], 2 * self.hidden
        inward = torch.baddbmm(self.bias, seen.expand(networks, -1, -1, -1).flatten(1, 2), self.weight_input)
        state, states = torch.zeros(networks, lives, self.hidden), []
        for x in inward.view(networks, lives, episodes, -1).unbind(2):
            state = memory * state
            back = torch.bmm(state, self.weight_hidden)
            update, reset = torch.sigmoid(x[..., :gates] + back[..., :gates]).chunk(2, -1)
            candidate = torch.tanh(x[..., gates:] + reset * back[..., gates:])
            state = torch.lerp(candidate, state, update)
            states.append(state)
        logits = torch.baddbmm(self.bias_out, torch.stack(states, 2).flatten(1, 2), self.weight_out)
        return torch.sigmoid(logits).view(networks, lives, episodes)

    def copies(self, times: int) -> "RecurrentAgents":
        """A new ensemble in which all agents come once, then all once more, and so on; weights are not shared."""
        more = deepcopy(self)
        more.seeds = self.seeds * times
        for name, weight in self.named_parameters():
            setattr(more, name, nn.Parameter(weight.detach().repeat(times, 1, 1)))
        return more


def climb(
    agents: RecurrentAgents, worth: Callable[[RecurrentAgents], Tensor], steps: int, rate: float = 2e-2
) -> RecurrentAgents:
    """A trained copy of some agents: each goes up the gradient of its own worth, by Adam.

    The learning rate falls linearly to a tenth.

    Args:
        agents: left as they are.
        worth: what each network is trained to raise, ``(networks,)``, differentiable.
        steps: of Adam, at least 1.
        rate: of learning, positive.

    Raises:
        ValueError: if the steps or the rate make no sense.
    """
    if steps < 1 or not rate > 0:
        raise ValueError(f"steps is {steps} and rate {rate}; at least one step and a positive rate were expected")
    agents = deepcopy(agents)
    adam = torch.optim.Adam(agents.parameters(), lr=rate)
    for step in range(steps):
        adam.param_groups[0]["lr"] = rate * (1 - 0.9 * step / steps)
        adam.zero_grad()
        (-worth(agents).sum()).backward()
        adam.step()
    return agents
