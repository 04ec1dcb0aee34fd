"""Mazes to paint, in which trained agents walk on the page itself."""

import base64
from collections.abc import Mapping
from copy import deepcopy
from types import MappingProxyType

import torch
from torch import Tensor
from traitlets import Dict, Float, Int, List, Unicode

from innerlab import figures
from innerlab.ensembles.policies import ScentPolicies
from innerlab.evaluation import red_share
from innerlab.widgets.widget import Widget
from innerlab.worlds.layout_figures import draw_layout
from innerlab.worlds.layouts import from_text, to_text
from innerlab.worlds.red_doors import OUTCOMES, door_reward
from innerlab.worlds.scents import FADES

TENSORS = ("weight_1", "bias_1", "weight_2", "bias_2", "weight_3")
"""The weights that travel, in the order in which the front end takes them."""


class MazeBench(Widget):
    """An ensemble of trained agents in a maze that the reader paints.

    The agents are the run's own networks, their weights rounded to 8 bits (:func:`rounded`). The page computes what
    they smell, what they do in every cell, and how episodes of each of them end, exactly as
    :func:`innerlab.evaluation.outcome_probabilities` does.

    Args:
        policies: the trained agents.
        presets: mazes of one size that one can begin with, as ``layouts.from_text`` reads them, by name.
        ends: how the agents' episodes end in the chapter, float ``(networks, outcomes)``, to stand beside the reader's
            maze.
        alt: what the widget shows.
        title: over what happened in the chapter.
        challenges: what to bring about in a maze where both cues, a door that is not red and a red thing that is no
            door, are in reach: for each, in words, how many agents are to end in which way most likely (by name, as in
            :data:`innerlab.worlds.red_doors.OUTCOMES`).
        max_steps: until an episode ends by itself.

    Attributes:
        maze: what is painted, as :func:`innerlab.worlds.layouts.from_text` reads it.
        agent: which agent is looked at, counted from 0.

    Raises:
        ValueError: if ``ends`` does not fit the agents, a preset is no maze, or a challenge asks for the impossible.
    """

    front = "maze_bench"
    packed = Dict().tag(sync=True)
    fades, max_steps = Float().tag(sync=True), Int().tag(sync=True)
    maze, agent = Unicode().tag(sync=True), Int().tag(sync=True)
    presets, challenges = List(Dict()).tag(sync=True), List(Dict()).tag(sync=True)
    order, chapter_ends = List(Int()).tag(sync=True), List(List(Float())).tag(sync=True)
    chapter_title = Unicode().tag(sync=True)

    def __init__(
        self,
        policies: ScentPolicies,
        presets: Mapping[str, str],
        ends: Tensor,
        *,
        alt: str,
        title: str = "The chapter's mazes",
        challenges: Mapping[str, Mapping[str, int]] = MappingProxyType({}),
        max_steps: int = 60,
    ):
        if ends.shape != (policies.networks, len(OUTCOMES)):
            raise ValueError(f"ends has shape {tuple(ends.shape)}; ({policies.networks}, {len(OUTCOMES)}) was expected")
        worlds = {name: from_text([text], reward=door_reward) for name, text in presets.items()}
        texts = {name: to_text(world, 0) for name, world in worlds.items()}
        self._first = next(iter(worlds.values()))
        order = red_share(ends).nan_to_num(0.5).argsort(stable=True).tolist()
        super().__init__(
            alt=alt,
            packed=packed(policies),
            fades=FADES,
            max_steps=max_steps,
            maze=to_text(self._first, 0),
            agent=order[-1],
            presets=[{"name": name, "maze": text} for name, text in texts.items()],
            challenges=[{"text": text, "least": _least(ways, policies.networks)} for text, ways in challenges.items()],
            order=order,
            chapter_ends=[[round(float(share), 4) for share in row] for row in ends],
            chapter_title=title,
        )

    def picture(self) -> str:
        """The first maze, and beside it how the episodes of all agents end in the chapter's."""
        figure, (maze, bars) = figures.panels(2, width=6.4, height=3.0)
        draw_layout(maze, self._first, 0)
        ends = torch.tensor(self.chapter_ends)
        figures.outcome_columns(bars, ends, sort_by=red_share(ends).nan_to_num(0.5))
        bars.set(xlabel="agents, in the order of red share", ylabel="share of episodes")
        figure.legend(*bars.get_legend_handles_labels(), loc="outside upper right", ncols=3)
        counts = torch.bincount(ends.argmax(1), minlength=len(OUTCOMES)).tolist()
        parts = ", ".join(f"{count} {name}" for name, count in zip(OUTCOMES, counts, strict=True))
        return figures.Shown(figure, f"{self.alt} How most agents end in the chapter's mazes: {parts}.").html()


def rounded(policies: ScentPolicies) -> ScentPolicies:
    """A copy with the weights that the page has: whole multiples, up to 127, of a scale for each network and tensor."""
    copy = deepcopy(policies)
    for name in TENSORS:
        whole, scale = _whole(getattr(policies, name))
        getattr(copy, name).data.copy_(whole * scale)
    return copy


def packed(policies: ScentPolicies) -> dict:
    """The weights as the front end takes them: bytes and little-endian floats, network after network, in base64."""
    parts = [_whole(getattr(policies, name)) for name in TENSORS]
    whole = torch.cat([whole.flatten(1) for whole, _ in parts], 1).to(torch.int8)
    scales = torch.cat([scale.flatten(1) for _, scale in parts], 1)
    return {
        "weights": base64.b64encode(whole.numpy().tobytes()).decode(),
        "scales": base64.b64encode(scales.numpy().astype("<f4").tobytes()).decode(),
        "shapes": [list(whole.shape[1:]) for whole, _ in parts],
        "networks": policies.networks,
    }


def _whole(weight: Tensor) -> tuple[Tensor, Tensor]:
    weight = weight.detach()
    scale = weight.abs().amax((1, 2), keepdim=True).clamp(min=1e-12) / 127
    return (weight / scale).round(), scale


def _least(ways: Mapping[str, int], networks: int) -> list[int]:
    if not set(ways) <= set(OUTCOMES) or not 0 < sum(ways.values()) <= networks:
        raise ValueError(
            f"challenge {dict(ways)}; up to {networks} agents in all, by {', '.join(OUTCOMES)}, can be asked for"
        )
    return [ways.get(name, 0) for name in OUTCOMES]
