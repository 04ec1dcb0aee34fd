"""Figures follow the page, speak to a screen reader, and stay apart from each other."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from innerlab import figures
from innerlab.systems.maze_figures import draw_maze
from innerlab.systems.mazes import draw_mazes
from innerlab.worlds.layout_figures import draw_layout
from innerlab.worlds.mazes import RedDoorMazes
from innerlab.worlds.red_doors import RedDoors

ALT = "A line that rises from zero to one, as a check of what is shown."


def line(color=figures.BLUE, height=1.0):
    figure, axes = figures.panels()
    axes.plot([0, 1], [0, height], color=color)
    axes.set(xlabel="a", ylabel="b")
    return figure


def test_a_figure_is_labelled_svg_in_the_ink_of_its_page():
    html = figures.Shown(line(), 'Says "more" & <less> than it might, in at least eight words.').html()
    svg = ElementTree.fromstring(html)[0]
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == 'Says "more" & <less> than it might, in at least eight words.'
    assert "currentColor" in html
    assert figures.INK not in html
    assert figures.BLUE in html
    assert not re.search(r"DejaVu|Creator|\d\.\d{3}", html)


def test_ids_of_two_figures_do_not_meet_and_references_resolve():
    pages = [figures.Shown(line(height=h), ALT).html() for h in (1.0, 2.0)]
    ids = [set(re.findall(r'\bid="([^"]+)"', page)) for page in pages]
    assert ids[0]
    assert not ids[0] & ids[1]
    for page, own in zip(pages, ids, strict=True):
        referred = set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', page))
        assert referred
        assert {a or b for a, b in referred} <= own


def test_the_same_figure_gives_the_same_bytes():
    assert figures.Shown(line(), ALT).html() == figures.Shown(line(), ALT).html()


@pytest.mark.parametrize("alt", ["", "a figure", "plot of x against y"])
def test_a_figure_without_words_is_refused(alt):
    with pytest.raises(ValueError, match="say what the figure shows"):
        figures.Shown(line(), alt)


def luminance(color):
    channels = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("color", [figures.BLUE, figures.RED, figures.GREEN, figures.OCHRE, figures.GRAY])
def test_colors_stand_out_on_light_and_dark_pages(color):
    for page in ("#ffffff", "#14181e"):
        light, dark = sorted((luminance(color), luminance(page)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) > 3


def test_every_seed_is_a_dot_and_every_hollow_one_a_ring():
    values, hollow = np.linspace(0, 1, 64), np.arange(64) < 10
    figure = figures.seed_dots([figures.SeedGroup("all", values, figures.RED, hollow, (0.4, 0.6))], "share")
    full, rings = figure.axes[0].collections
    assert (len(full.get_offsets()), len(rings.get_offsets())) == (54, 10)
    places = np.concatenate([full.get_offsets(), rings.get_offsets()])
    assert len(np.unique(places.round(6), axis=0)) == 64  # none hides another
    for value, x in zip(np.sort(values), np.sort(places[:, 0]), strict=True):
        assert abs(value - x) <= 0.051


def test_columns_stand_in_order_and_hold_the_outcomes():
    outcomes = np.array([[0.1, 0.6, 0.3, 0.0], [0.5, 0.5, 0.0, 0.0]])
    _, axes = figures.panels()
    figures.outcome_columns(axes, outcomes, sort_by=[0.9, 0.1])
    doors = [bar.get_height() for bar in axes.containers[0]]
    assert doors == pytest.approx([0.5, 0.6])
    with pytest.raises(ValueError, match="do not sum to one"):
        figures.outcome_columns(axes, outcomes * 2, sort_by=[0, 1])


def test_values_out_of_range_and_curves_of_a_wrong_shape_are_refused():
    with pytest.raises(ValueError, match=r"run from 0\.0 to 1\.5"):
        figures.seed_dots([figures.SeedGroup("x", [0.0, 1.5], figures.RED)], "share")
    _, axes = figures.panels()
    with pytest.raises(ValueError, match=r"curves has shape \(2,\)"):
        figures.seed_curves(axes, [0, 1], [0.1, 0.2], color=figures.RED, label="x")


def test_a_room_is_drawn_with_every_object_named():
    world = RedDoors(swapped_share=1.0).sample(1, 0)
    _, axes = figures.panels()
    draw_layout(axes, world, 0)
    words = {text.get_text() for text in axes.texts}
    assert {"blue\ndoor", "red\nkey"} <= words
    assert len(words) == 3


def test_a_maze_is_drawn_without_names():
    world = RedDoorMazes().sample(1, 0)
    _, axes = figures.panels()
    draw_layout(axes, world, 0)
    assert not axes.texts
    filled = [patch for patch in axes.patches if patch.get_facecolor() == to_rgba(figures.GRAY)]
    assert len(filled) == int(world.wall[0].sum())


def test_a_way_through_a_maze_is_drawn_with_its_numbers():
    maze = draw_mazes(1, size=5, holes=1, seed=0)[0]
    _, axes = figures.panels()
    draw_maze(axes, maze, numbers={0: 7}, marked=[24], route=[0, 2])
    assert [text.get_text() for text in axes.texts] == ["7"]
    filled = [patch for patch in axes.patches if patch.get_facecolor() == to_rgba(figures.GRAY)]
    assert len(filled) == int(maze.wall.sum())
    way, *marks = sorted(axes.lines, key=lambda line: -len(line.get_xdata()))
    assert way.get_xydata().tolist() == [[0.5, 0.5], [2.5, 0.5]]
    assert sorted(str(mark.get_marker()) for mark in marks) == ["*", "X", "^"]
