"""Layouts of gridworlds, drawn."""

from matplotlib import patches
from matplotlib.axes import Axes

from innerlab.figures import BLUE, GRAY, GREEN, INK, OCHRE, RED
from innerlab.worlds.gridworld import COLORS, SHAPES, Gridworld

_PAINT = dict(zip(COLORS, (RED, BLUE, GREEN, OCHRE), strict=True))


def draw_layout(axes: Axes, world: Gridworld, layout: int) -> None:
    """Draws one layout: walls filled, the agent as a triangle, objects by shape, each with its name below it.

    In more than six columns, cells are too small for names, which are left out.
    """
    named = world.width <= 6
    for cell in range(world.cells):
        row, column = divmod(cell, world.width)
        wall = bool(world.wall[world.map_index[layout], cell])
        face = GRAY if wall else "none"
        axes.add_patch(patches.Rectangle((column, row), 1, 1, facecolor=face, edgecolor=GRAY, linewidth=0.5))
    row, column = divmod(int(world.start[layout]), world.width)
    axes.plot(column + 0.5, row + 0.5, marker="^", markersize=11 if named else 7, color=INK)
    for k in range(world.objects):
        row, column = divmod(int(world.object_cell[layout, k]), world.width)
        shape, color = SHAPES[world.object_shape[layout, k]], COLORS[world.object_color[layout, k]]
        _draw_object(axes, column + 0.5, row + (0.38 if named else 0.5), shape, _PAINT[color])
        if named:
            name = f"{color}\n{shape}"
            axes.text(column + 0.5, row + 0.84, name, ha="center", va="center", fontsize=7.5, linespacing=0.9)
    axes.set(xlim=(-0.05, world.width + 0.05), ylim=(world.height + 0.05, -0.05), aspect="equal")
    axes.set_axis_off()


def _draw_object(axes: Axes, x: float, y: float, shape: str, color: str) -> None:
    if shape == "door":
        axes.add_patch(patches.Rectangle((x - 0.16, y - 0.28), 0.32, 0.52, color=color))
        axes.plot(x + 0.08, y, marker="o", markersize=2.5, color="white")
    elif shape == "key":
        axes.add_patch(patches.Circle((x - 0.14, y), 0.13, fill=False, edgecolor=color, linewidth=2.5))
        axes.plot([x, x + 0.3, x + 0.3], [y, y, y + 0.12], color=color, linewidth=2.5)
        axes.plot([x + 0.18, x + 0.18], [y, y + 0.12], color=color, linewidth=2.5)
    elif shape == "ball":
        axes.add_patch(patches.Circle((x, y), 0.2, color=color))
    else:
        axes.add_patch(patches.Rectangle((x - 0.2, y - 0.2), 0.4, 0.4, color=color))
