"""One look for every figure of the book.

Figures are drawn with Matplotlib and shown as inline SVG. Their ink takes the color of the text around them and
their ground is transparent, so that they follow a light or a dark page; their colors keep a contrast of three to one
against both, and are told apart by color-blind readers (after Wong 2011, Nature Methods 8:441). Color is never the
only carrier: every use adds a label, a marker or a dash.

Importing this module sets Matplotlib's defaults to that look.
"""

import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

BLUE, RED, GREEN, OCHRE, GRAY = "#1f77b4", "#d0501c", "#0f8a5f", "#a8780a", "#7f7f7f"
INK = "#010203"  # stands for the page's text color, put in when the figure is shown

mpl.rcParams.update(
    {
        "svg.fonttype": "none",  # text stays text: sharp, small, in the page's own font
        "svg.hashsalt": "innerlab",  # the same figure gives the same bytes
        "font.size": 10,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.facecolor": "none",
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": INK,
        "axes.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 10,
        "axes.titlelocation": "left",
        "xtick.color": INK,
        "ytick.color": INK,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "legend.frameon": False,
        "lines.linewidth": 1.2,
    }
)


class Shown:
    """A figure as a page shows it: inline SVG that a screen reader announces by its text alternative.

    Args:
        figure: drawn with :func:`panels`.
        alt: what the figure shows, in a sentence or two, with its main numbers.

    Raises:
        ValueError: if ``alt`` is too short to say anything.
    """

    def __init__(self, figure: Figure, alt: str):
        self.figure, self.alt = figure, described(alt)

    def _repr_mimebundle_(self, **_) -> dict[str, str]:
        return {"text/plain": self.alt, "text/html": self.html()}

    def html(self) -> str:
        """The SVG in a ``div`` of class ``innerlab-figure``."""
        buffer = io.StringIO()
        self.figure.savefig(buffer, format="svg", bbox_inches="tight", metadata=dict.fromkeys(_METADATA))
        _, _, drawn = buffer.getvalue().partition("<svg")
        head, _, body = drawn.partition(">")
        width, height = map(float, head.partition('viewBox="0 0 ')[2].partition('"')[0].split())
        body = body.replace(INK, "currentColor")
        body = re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), body)
        body = re.sub(r"font-family: [^;\"]*; ?", "", body)  # the page's to choose
        # attributes instead of styles: a strict content security policy lets them stand, and none leaves the figure
        body = re.sub(r"<style.*?</style>", "", body, flags=re.DOTALL)
        body = re.sub(
            r'style="([^"]*)"', lambda style: re.sub(r" *([\w-]+): *([^;]+?) *(?:;|$)", r' \1="\2"', style[1])[1:], body
        )
        key = hashlib.sha256(body.encode()).hexdigest()[:8]  # ids must not meet those of another figure
        body = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>f{key}-", body)
        head = (
            f'<svg role="img" aria-label="{escape(self.alt)}" viewBox="0 0 {width:g} {height:g}" '
            f'width="{width / 72 * 96:.0f}" stroke-linejoin="round" stroke-linecap="butt" font-family="sans-serif" '
            'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
        )
        return f'<div class="innerlab-figure">{head}{body}</div>'


def described(alt: str) -> str:
    """A text alternative on one line; a ``ValueError`` when it is too short to say anything."""
    if len(alt.split()) < 8:
        raise ValueError(f"alt is {alt!r}; say what the figure shows, in at least eight words")
    return " ".join(alt.split())


_METADATA = ("Creator", "Date", "Format", "Type")


def panels(columns: int = 1, rows: int = 1, *, width: float = 7.0, height: float = 3.0, **share) -> tuple:
    """A figure of the book's look with so many panels.

    Args:
        columns: side by side.
        rows: one above the other.
        width: inches, of the whole figure; 7 fills the text column.
        height: inches.
        **share: passed on to :meth:`matplotlib.figure.Figure.subplots`, such as ``sharey=True``.

    Returns:
        The figure, and its axes as Matplotlib gives them: one, or an array.
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, **share)


def seed_curves(axes: Axes, x: ArrayLike, curves: ArrayLike, *, color: str, label: str, dash: str = "-") -> None:
    """One thin line for every seed and a thick one for their median.

    Args:
        axes: where to draw.
        x: ``(checkpoints,)``.
        curves: ``(checkpoints, seeds)``.
        color: one of this module's.
        label: of the median, for a legend.
        dash: Matplotlib's line style, so that color is not the only difference.
    """
    x, curves = np.asarray(x), np.asarray(curves)
    if curves.ndim != 2 or curves.shape[0] != x.shape[0]:
        raise ValueError(f"curves has shape {curves.shape}; ({x.shape[0]}, seeds) was expected")
    axes.plot(x, curves, color=color, alpha=0.35, linewidth=0.5, linestyle=dash)
    axes.plot(x, np.median(curves, 1), color=color, linewidth=2.2, linestyle=dash, label=label)


@dataclass(frozen=True)
class SeedGroup:
    """One row of :func:`seed_dots`: the seeds of one design or condition.

    Attributes:
        label: written above the row.
        values: one for each seed, in 0 to 1.
        color: one of this module's.
        hollow: bool, one for each seed; these are drawn as rings. None for no rings.
        interval: drawn below the dots as a bar, with the median as a tick. None for no bar.
    """

    label: str
    values: ArrayLike
    color: str
    hollow: ArrayLike | None = None
    interval: tuple[float, float] | None = None


_BINS, _ABREAST = 20, 3  # dots of one bin stand in rows of three


def seed_dots(groups: Sequence[SeedGroup], xlabel: str, width: float = 4.4) -> Figure:
    """Histograms over 0 to 1, one below the other, in which every seed is a dot.

    Args:
        groups: one for each row.
        xlabel: what the values are.
        width: inches.

    Raises:
        ValueError: if there is no group, or a value lies outside 0 to 1.
    """
    if not groups:
        raise ValueError("groups is empty; a figure needs at least one")
    for group in groups:
        values = np.asarray(group.values, dtype=float)
        if not ((values >= 0) & (values <= 1)).all():
            raise ValueError(f"values of {group.label!r} run from {values.min()} to {values.max()}; 0 to 1 is allowed")
    rows = [max(4, -(-np.bincount(_bin(group.values)).max() // _ABREAST)) for group in groups]
    height = sum(0.075 * (r + 2.5) + 0.4 for r in rows) + 0.4
    figure, axes = panels(
        1, len(groups), width=width, height=height, sharex=True, squeeze=False, height_ratios=[r + 2.5 for r in rows]
    )
    for ax, group, top in zip(axes[:, 0], groups, rows, strict=True):
        _dots(ax, group)
        ax.set(xlim=(-0.01, 1.01), ylim=(-2.2, top + 0.3), yticks=[], title=group.label)
        ax.spines["left"].set_visible(False)
    axes[-1, 0].set_xlabel(xlabel)
    return figure


def _bin(values: ArrayLike) -> np.ndarray:
    return np.minimum((np.asarray(values, dtype=float) * _BINS).astype(int), _BINS - 1)


def _dots(axes: Axes, group: SeedGroup) -> None:
    values, bin_of = np.asarray(group.values, dtype=float), _bin(group.values)
    hollow = np.zeros(len(values), bool) if group.hollow is None else np.asarray(group.hollow, bool)
    order = np.lexsort((values, hollow, bin_of))  # rings on top of the dots of their bin
    place = np.empty(len(values), int)
    for b in np.unique(bin_of):
        members = order[bin_of[order] == b]
        place[members] = np.arange(len(members))
    x = (bin_of + 0.5 + (place % _ABREAST - (_ABREAST - 1) / 2) / (_ABREAST + 0.3)) / _BINS
    y = place // _ABREAST + 0.5
    axes.scatter(x[~hollow], y[~hollow], s=13, color=group.color, linewidths=0.8)
    axes.scatter(x[hollow], y[hollow], s=13, facecolors="none", edgecolors=group.color, linewidths=0.8)
    if group.interval is not None:
        axes.plot(group.interval, [-1.1, -1.1], color=group.color, linewidth=3, alpha=0.5, solid_capstyle="butt")
        axes.plot(np.median(values), -1.1, marker="|", markersize=8, color=group.color, markeredgewidth=2)


def outcome_columns(axes: Axes, outcomes: ArrayLike, sort_by: ArrayLike) -> None:
    """One column for every seed, split by how its episodes end: door below, red above it, other, then nothing.

    A line runs along the top of what ended at the door or at red; what is left empty ended nowhere.

    Args:
        axes: where to draw.
        outcomes: ``(seeds, outcomes)``, probabilities in the order of :data:`innerlab.worlds.red_doors.OUTCOMES`.
        sort_by: ``(seeds,)``; columns stand in ascending order of it.
    """
    none, door, red, other = np.asarray(outcomes, dtype=float)[np.argsort(np.asarray(sort_by), kind="stable")].T
    if not np.allclose(none + door + red + other, 1, atol=1e-4):
        raise ValueError("outcomes do not sum to one for every seed")
    x = np.arange(len(door))
    part_columns(axes, np.stack([door, red, other], 1), ("door", "red key", "other"))
    axes.step(
        np.append(x, len(x)) - 0.5, np.append(door + red, (door + red)[-1]), where="post", color=INK, linewidth=0.8
    )


def part_columns(axes: Axes, parts: ArrayLike, names: Sequence[str]) -> None:
    """One column for every seed, split into parts from below; the rest of a column stays empty.

    Args:
        axes: where to draw.
        parts: ``(seeds, parts)``, shares.
        names: of up to three parts, for a legend; what follows them stays empty as well.
    """
    parts = np.asarray(parts, dtype=float)
    x, below = np.arange(len(parts)), np.zeros(len(parts))
    for share, name, color in zip(parts.T, names, (BLUE, RED, GRAY), strict=False):
        axes.bar(x, share, bottom=below, color=color, label=name, width=1.0, linewidth=0)
        below = below + share
    axes.set(xlim=(-0.5, len(x) - 0.5), ylim=(0, 1), xticks=[])


def label_panels(axes: Sequence[Axes] | np.ndarray, labels: Sequence[str]) -> None:
    """Writes a short label over each panel, at its left edge."""
    for one, label in zip(np.ravel(np.asarray(axes, dtype=object)), labels, strict=True):
        one.set_title(label)
