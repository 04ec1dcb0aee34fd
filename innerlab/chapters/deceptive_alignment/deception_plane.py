"""When it pays to play along: an exactly solved decision, with everything that it depends on to be set by hand."""

from collections.abc import Mapping, Sequence

import numpy as np
from traitlets import Bool, Dict, List

from innerlab import figures
from innerlab.chapters.deceptive_alignment.decision import compliance_episodes, complies_on_cue
from innerlab.widgets.widget import Widget

VALUES: dict[str, Sequence[float]] = {
    "discount": [i / 100 for i in range(100)],
    "threat": [i / 100 for i in range(101)],
    "train": list(range(1, 41)),
    "deploy": list(range(61)),
    "stake": [0.25, 0.5, 1, 2, 4, 8],
    "mistaken": [i / 50 for i in range(26)],
    "hazard": [i / 50 for i in range(26)],
    "share": [i / 20 for i in range(1, 20)],
    "accuracy": [0.5 + i / 50 for i in range(26)],
}
"""What each setting can be, by the names of ``decision.compliance_episodes`` and ``complies_on_cue``."""

START: dict[str, float] = {
    "discount": 0.95, "threat": 0.2, "train": 20, "deploy": 40, "stake": 1, "mistaken": 0, "hazard": 0, "share": 0.5,
    "accuracy": 0.9,
}  # fmt: skip
"""Where all settings begin unless something else is said."""


class DeceptionPlane(Widget):
    """The optimal policy of an agent that would lose its goal by showing it, drawn as a timeline and on a map.

    Training either ends after so many episodes, and then the policy is that of
    ``decision.compliance_episodes``, or it never ends and a cue says which episode is training
    (``decision.complies_on_cue``). The page works out the policy by dynamic programming, and the map over
    discount and threat from the closed form (``front/deception.js``).

    Args:
        presets: settings that one can begin with, by name: values from :data:`VALUES`, and ``recurs`` for training
            that never ends. What a preset leaves out is as in :data:`START`. The first is shown at first.
        alt: what the widget shows.

    Attributes:
        setting: the values of all settings, by name.
        recurs: whether training never ends.

    Raises:
        ValueError: if there is no preset, or one has a setting or a value that is not known.
    """

    front = "deception_plane"
    values, setting = Dict().tag(sync=True), Dict().tag(sync=True)
    presets = List(Dict()).tag(sync=True)
    recurs = Bool().tag(sync=True)

    def __init__(self, presets: Mapping[str, Mapping[str, float]], *, alt: str):
        if not presets:
            raise ValueError("presets is empty; one or more were expected")
        made = [{"name": name} | _preset(name, dict(given)) for name, given in presets.items()]
        super().__init__(alt=alt, values=VALUES, presets=made, setting=made[0]["setting"], recurs=made[0]["recurs"])

    def picture(self) -> str:
        """The map at the first setting, and the point on it."""
        setting = self.setting
        horizons, threats = np.geomspace(1, 100, 100), np.linspace(0, 1, 101)
        shares = np.array([[self._share(1 - 1 / horizon, threat) for horizon in horizons] for threat in threats])
        figure, axes = figures.panels(width=4.2, height=3.4)
        for least, dash, opacity, name in ((0.001, "-", 0.16, "in the end"), (0.999, "--", 0.3, "in all of training")):
            if shares.min() < least <= shares.max():
                axes.contourf(horizons, threats, shares, levels=[least, 1.1], colors=figures.BLUE, alpha=opacity)
                axes.contour(horizons, threats, shares, levels=[least], colors=figures.INK, linestyles=dash)
                axes.plot([], [], color=figures.INK, linestyle=dash, label=f"complies {name}")
        axes.plot(1 / (1 - setting["discount"]), setting["threat"], "o", color=figures.RED, label="the setting")
        ticks = [0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99]
        axes.set(xlabel="discount", ylabel="threat", xscale="log", xlim=(1, 100), ylim=(0, 1))
        axes.set_xticks([1 / (1 - tick) for tick in ticks], labels=[f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
        figure.legend(loc="outside upper left")
        share = self._share(setting["discount"], setting["threat"])
        says = f"At discount {setting['discount']:g} and threat {setting['threat']:g} it complies in {share:.0%} of the"
        return figures.Shown(figure, f"{self.alt} {says} training episodes{' so cued' if self.recurs else ''}.").html()

    def _share(self, discount: float, threat: float) -> float:
        """The share of training episodes, or of episodes cued as training, in which the policy complies."""
        setting = self.setting | {"discount": discount, "threat": threat}
        if self.recurs:
            return float(complies_on_cue(*(setting[name] for name in ("share", "accuracy", "discount", "threat"))))
        names = ("train", "deploy", "discount", "threat", "mistaken", "hazard", "stake")
        return compliance_episodes(*(setting[name] for name in names)) / setting["train"]


def _preset(name: str, given: dict) -> dict:
    recurs = bool(given.pop("recurs", False))
    for setting, value in given.items():
        if setting not in VALUES:
            raise ValueError(f"preset {name!r} has the setting {setting!r}; one of {', '.join(VALUES)} was expected")
        if value not in VALUES[setting]:
            allowed = VALUES[setting]
            raise ValueError(
                f"preset {name!r} has {setting} = {value}; one of {len(allowed)} values from {allowed[0]:g} to "
                f"{allowed[-1]:g} was expected"
            )
    return {"setting": START | given, "recurs": recurs}
