"""Planners against brute force and against each other, and the mazes they plan in."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from innerlab.systems.mazes import REVERSED, Maze, breadth_first, draw_mazes, first_moves, value_iteration, walk

MAZES = draw_mazes(12, size=5, holes=1, seed=0)

mazes = st.builds(
    lambda maze, ends, buttons: replace(maze, start=ends[0], target=ends[1], buttons=tuple(buttons)),
    st.sampled_from(MAZES),
    st.sampled_from([(0, 24), (24, 0), (12, 4), (4, 20), (2, 2)]),  # junctions are open in every maze
    st.permutations(range(4)),
)


def planner(maze, cell):
    return breadth_first(maze, cell).buttons[0]


def first_of_all_ways(maze):
    """The first, in order, of the shortest sequences of buttons that end on the target, by trying them all."""
    for length in range(9):
        for buttons in product(range(4), repeat=length):
            cell = maze.start
            for button in buttons:
                cell = maze.next_cell[cell][button]
            if cell == maze.target:
                return list(buttons)
    return None


@settings(deadline=None, max_examples=25)
@given(mazes)
def test_breadth_first_finds_what_trying_everything_finds(maze):
    found, tried = breadth_first(maze, maze.start).buttons, first_of_all_ways(maze)
    assert found == tried if tried is not None else len(found) > 8


@given(mazes)
def test_both_planners_and_the_table_agree(maze):
    swept = value_iteration(maze)
    table = first_moves(torch.tensor(maze.next_cell)[None])[0, maze.target]
    for cell in maze.open_cells:
        way = breadth_first(maze, cell).buttons
        assert swept.value[cell] == pytest.approx(0.95 ** len(way))
        if way:
            assert way[0] == swept.button[cell] == table[cell]
        else:
            assert cell == maze.target
            assert table[cell] == -1


@given(mazes)
def test_counts_are_what_they_say(maze):
    plan = breadth_first(maze, maze.start)
    assert plan.seen[0] == maze.start
    assert len(set(plan.seen)) == len(plan.seen)
    assert plan.expansions <= len(plan.seen) <= len(maze.open_cells)
    swept = value_iteration(maze)
    farthest = max(len(breadth_first(maze, cell).buttons) for cell in maze.open_cells)
    assert swept.sweeps == farthest + 1  # one sweep a step, and one to see that nothing changes
    assert swept.backups == swept.sweeps * len(maze.open_cells)


@given(mazes)
def test_a_search_cut_short_is_no_search_made_worse(maze):
    """With enough expansions it finds the same way, with fewer none; it never takes more than allowed."""
    full = breadth_first(maze, maze.start)
    for most in range(full.expansions + 2):
        plan = breadth_first(maze, maze.start, most)
        assert plan.expansions == min(most, full.expansions)
        assert plan.buttons == (full.buttons if most >= full.expansions else [])


def test_a_walk_with_a_planner_is_the_plan():
    for maze in MAZES:
        route = walk(planner, maze, 40)
        assert route[0] == maze.start
        assert route[-1] == maze.target
        assert len(route) == len(breadth_first(maze, maze.start).buttons) + 1
        assert walk(lambda *_: 0, maze, 3)[1:] == [maze.next_cell[c][0] for c in walk(lambda *_: 0, maze, 3)[:-1]]


def test_walled_off_means_no_way_for_anyone():
    wall = np.zeros(9, bool)
    wall[[3, 4, 5]] = True
    maze = Maze(0, 3, wall, 0, 8)
    assert breadth_first(maze, 0) == ([], 3, [0, 1, 2])
    assert value_iteration(maze).value[:3].tolist() == [0, 0, 0]
    assert first_moves(torch.tensor(maze.next_cell)[None])[0, 8, :3].tolist() == [-1, -1, -1]
    assert walk(lambda *_: 3, maze, 5) == [0, 1, 2, 2, 2, 2]


def test_reversed_buttons_go_back():
    maze = MAZES[0]
    other = replace(maze, buttons=REVERSED)
    for cell in maze.open_cells:
        assert [other.next_cell[cell][b] for b in (1, 0, 3, 2)] == maze.next_cell[cell]


def test_the_same_seed_draws_the_same_mazes():
    for one, other in zip(MAZES, draw_mazes(12, size=5, holes=1, seed=0), strict=True):
        assert (one.wall == other.wall).all()
        assert (one.name, one.start, one.target) == (other.name, other.start, other.target)


OPEN = np.zeros(9, bool)
WALLED = np.eye(1, 9, 4, dtype=bool)[0]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Maze(0, 4, OPEN, 0, 8), r"wall has shape \(9,\); \(16,\)"),
        (lambda: Maze(0, 3, WALLED, 4, 8), "start is 4"),
        (lambda: Maze(0, 3, OPEN, 0, 9), "target is 9"),
        (lambda: Maze(0, 3, OPEN, 0, 8, (0, 0, 1, 2)), "buttons is"),
        (lambda: walk(planner, MAZES[0], -1), "steps is -1"),
        (lambda: breadth_first(MAZES[0], 25), "cell is 25"),
        (lambda: breadth_first(MAZES[0], 0, -1), "most is -1"),
        (lambda: value_iteration(MAZES[0], 1.0), "discount is 1.0"),
        (lambda: first_moves(torch.zeros(25, 4, dtype=torch.long)), "next_cell has shape"),
        (lambda: draw_mazes(0, 5, 1, 0), "layouts is 0"),
    ],
)
def test_senseless_arguments_are_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make()
