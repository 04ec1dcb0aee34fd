"""The book's first experiment: who learned what, shown by two things that trade colors."""

import base64
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from traitlets import Bool, Dict, Int, List, Unicode

from innerlab import figures
from innerlab.ensembles.policies import Policies
from innerlab.evaluation import red_share
from innerlab.widgets.widget import Widget
from innerlab.worlds.gridworld import Gridworld
from innerlab.worlds.layout_figures import draw_layout
from innerlab.worlds.layouts import from_text
from innerlab.worlds.red_doors import OUTCOMES, door_reward


class FrontDoor(Widget):
    """Two ensembles in the same rooms: the reader guesses where the agents go, and sees them go there.

    Each room comes in two colorings. The first is in view at the start, with every agent where it ends; the second
    follows the reader's guess. The page draws the walks itself, from each agent's own probabilities of moving, rounded
    to 8 bits (:func:`moves`).

    Args:
        groups: two ensembles of one size by what they saw in training: the one in question, then its control.
        rooms: of each room the two colorings, as :func:`innerlab.worlds.layouts.from_text` reads them.
        ends: how episodes of each agent end in many rooms of the second coloring, float ``(networks, outcomes)`` for
            each group; shown when the agents have walked.
        says: a sentence about ``ends``.
        title: over ``ends``.
        alt: what the widget shows.

    Attributes:
        guess: which answer the reader chose, counted from 0; -1 before.
        room: which room is in view.
        traded: whether it is in its second coloring.
        walk: counts the walks, since each has its own random numbers.

    Raises:
        ValueError: if there are not two ensembles of one size, or ``ends`` does not fit them.
    """

    front = "front_door"
    groups, rooms = List(Dict()).tag(sync=True), List(List(Unicode())).tag(sync=True)
    packed, max_steps = Unicode().tag(sync=True), Int().tag(sync=True)
    says, title = Unicode().tag(sync=True), Unicode().tag(sync=True)
    guess, room = Int(-1).tag(sync=True), Int(0).tag(sync=True)
    traded, walk = Bool(False).tag(sync=True), Int(0).tag(sync=True)

    def __init__(
        self,
        groups: Mapping[str, Policies],
        rooms: Sequence[tuple[str, str]],
        ends: Mapping[str, Tensor],
        *,
        says: str,
        title: str,
        alt: str,
    ):
        sizes = {policies.networks for policies in groups.values()}
        if len(groups) != 2 or len(sizes) != 1:
            raise ValueError(
                f"groups has {len(groups)} ensembles of {sorted(sizes)} networks; two of one size were expected"
            )
        for name in groups:
            if name not in ends or ends[name].shape != (*sizes, len(OUTCOMES)):
                raise ValueError(f"ends has no table of shape ({sizes.pop()}, {len(OUTCOMES)}) for {name!r}")
        self._world = from_text([coloring for room in rooms for coloring in room], reward=door_reward)
        tables = torch.stack([moves(policies, self._world) for policies in groups.values()])
        super().__init__(
            alt=alt,
            groups=[{"name": name, "ends": _sorted(ends[name]).mul(1000).round().int().tolist()} for name in groups],
            rooms=[list(room) for room in rooms],
            packed=base64.b64encode(tables.numpy().tobytes()).decode(),
            max_steps=self._world.max_steps,
            says=says,
            title=title,
        )

    def picture(self) -> str:
        """The first room in both colorings, and below them how both groups end."""
        figure, axes = figures.panels(2, 2, width=6.4, height=5.4)
        for ax, layout in zip(axes[0], range(2), strict=True):
            draw_layout(ax, self._world, layout)
        for ax, group in zip(axes[1], self.groups, strict=True):
            ends = torch.tensor(group["ends"]) / 1000
            figures.outcome_columns(ax, ends / ends.sum(1, keepdim=True), sort_by=range(len(ends)))
            ax.set(xlabel=f"{len(ends)} agents")
        axes[1, 0].set(ylabel="share of episodes")
        figure.legend(*axes[1, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
        figures.label_panels(axes, ["as in training", "colors traded", *(group["name"] for group in self.groups)])
        return figures.Shown(figure, f"{self.alt} {self.says}").html()


@torch.no_grad()
def moves(policies: Policies, world: Gridworld) -> Tensor:
    """The probabilities of moves but the last, uint8 ``(layouts, networks, cells, actions - 1)``, in units of 1/255.

    The last move has the rest of the probability; leaving it out saves a quarter of the bytes.
    """
    logits = policies.everywhere(world, torch.arange(world.layouts)[None])  # (actions, cells, networks, layouts)
    return (logits.softmax(0)[:-1] * 255).round().to(torch.uint8).permute(3, 2, 1, 0).contiguous()


def _sorted(ends: Tensor) -> Tensor:
    """The rows of ``ends``, sorted by the share of episodes that end at a red thing."""
    return ends[red_share(ends).nan_to_num(0.5).argsort(stable=True)]
