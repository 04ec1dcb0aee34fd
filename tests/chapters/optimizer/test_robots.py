"""Robots: training mazes and changes, policies of tables, and what the sealed robots are."""

from dataclasses import replace

import numpy as np
import pytest

from innerlab.chapters.optimizer import robots
from innerlab.systems.mazes import REVERSED, breadth_first, draw_mazes, walk

MAZES = robots.training_mazes(3)


def test_the_rule_walks_the_planners_way_in_training():
    training = robots.training_mazes()
    assert len(training) == 32
    for maze in training:
        route = walk(robots.planner, maze, 60)
        assert walk(robots.rule, maze, 60) == route
        assert len(route) > 6
        assert robots.changes(maze)["new wall"]
    with pytest.raises(ValueError, match="count is 33"):
        robots.training_mazes(33)


def test_robots_press_up_where_no_way_is_left():
    apart = robots.read_text("A#T\n.#.\n.#.")
    assert robots.planner(apart, apart.start) == robots.rule(apart, apart.start) == 0
    assert robots.planner(apart, apart.target) == 0


@pytest.mark.parametrize("maze", MAZES, ids=lambda maze: maze.name)
def test_changes_change_one_thing_off_the_way_and_leave_another(maze):
    route, cases = walk(robots.planner, maze, 60), robots.changes(maze)
    assert tuple(cases) == robots.CHANGES
    off = [cell for cell in maze.open_cells if cell not in route]
    assert [case.target for case in cases["new target"]] == [case.start for case in cases["new start"]] == off
    assert cases["new wall"]
    for case in cases["new wall"]:
        (closed,) = np.flatnonzero(case.wall != maze.wall)
        assert closed in route[1:-1]
    assert [case.buttons for case in cases["reversed buttons"]] == [REVERSED]
    assert all(robots.arrives(robots.planner, case) for each in cases.values() for case in each)


def test_arrives_within_twice_the_shortest_way():
    corridor = robots.read_text("A...T\n#####\n#####\n#####\n#####")
    pushed = iter([2, 2, 2, 2, 3, 3, 3, 3])
    assert robots.arrives(lambda maze, cell: next(pushed), corridor)
    pushed = iter([2, 2, 2, 2, 2, 3, 3, 3])
    assert not robots.arrives(lambda maze, cell: next(pushed), corridor)


def test_text_is_read_as_it_is_drawn():
    for maze in MAZES:
        again = robots.read_text("\n  " + robots.draw_text(maze).replace("\n", "  \n ") + "\n", maze.name)
        assert (again.start, again.target, again.name) == (maze.start, maze.target, maze.name)
        assert (again.wall == maze.wall).all()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no signs"),
        ("AT.\n...", "a square is wanted"),
        ("AT.\n...\n..x", "no others"),
        ("AA.\n.T.\n...", "one A and one T"),
        ("A..\n...\n...", "one A and one T"),
    ],
)
def test_other_text_is_a_clear_error(text, says):
    with pytest.raises(ValueError, match=says):
        robots.read_text(text)


def test_a_view_is_the_sides_that_are_shut_and_the_direction():
    maze = robots.read_text("A#T\n...\n...")
    assert robots.view(maze, 0) == 9 * (1 + 4 + 8) + 3 * 1 + 2  # shut above, left and right; same row, to the right
    assert robots.view(maze, 4) == 9 * 1 + 3 * 0 + 2
    assert robots.view(maze, 8) == 9 * (2 + 8) + 3 * 0 + 1
    assert all(0 <= robots.view(maze, cell) < robots.VIEWS for cell in maze.open_cells)


def test_a_policy_looks_up_and_the_first_table_decides():
    maze = MAZES[0]
    shown = robots.sheet(maze, maze.start)
    assert tuple(shown) == robots.FIELDS
    assert int(shown["walls"], 16) == sum(1 << cell for cell in np.flatnonzero(maze.wall).tolist())
    both = [
        {"reads": ["target", "cell"], "entries": {f"{maze.target} {maze.start}": 3}},
        {"reads": ["cell"], "entries": {str(maze.start): 1, str(maze.target): 2}},
    ]
    assert robots.look_up(both, maze, maze.start) == 3
    assert robots.look_up(both, maze, maze.target) == 2
    assert robots.look_up(both[::-1], maze, maze.start) == 1
    assert robots.look_up([], maze, maze.start) == 0


def test_sealed_robots_look_alike_and_are_four_things():
    sealed = robots.sealed_robots(MAZES)
    cases = [case for maze in MAZES for each in ([maze], *robots.changes(maze).values()) for case in each]
    for case in cases:
        assert len({robot.decide(case, case.start).button for robot in sealed.values()}) == 1
    assert len({robot.stored for robot in sealed.values()}) == 1

    def arriving(robot, **switches):
        return np.mean([robots.arrives(lambda m, c: robot.decide(m, c, **switches).button, case) for case in cases])

    whole, neither = {"most": None, "memory": True}, {"most": 0, "memory": False}
    assert all(arriving(robot, **whole) == 1 and arriving(robot, **neither) < 0.2 for robot in sealed.values())
    assert [round(arriving(robot, most=0)) for robot in sealed.values()] == [1, 0, 1, 1]
    assert [round(arriving(robot, memory=False)) for robot in sealed.values()] == [0, 1, 1, 0]
    works = [sealed[name].decide(MAZES[0], MAZES[0].start).expansions for name in "ABCD"]
    assert works[0] == works[1] == breadth_first(MAZES[0], MAZES[0].start).expansions
    assert works[2:] == [0, 0]
    unknown = draw_mazes(1, 7, 4, 99)[0]
    assert sealed["C"].decide(unknown, unknown.start).button == robots.planner(unknown, unknown.start)
    assert sealed["D"].decide(unknown, unknown.start).button == 0


def test_the_fourth_robot_makes_for_the_old_target_in_the_world_as_it_is():
    fourth = robots.fourth_robot(MAZES)
    for maze in MAZES:
        assert walk(fourth, maze, 60) == walk(robots.planner, maze, 60)
        for case in robots.changes(maze)["new target"]:
            assert maze.target in walk(fourth, case, 60)
        turned = replace(maze, buttons=REVERSED)
        assert robots.arrives(fourth, turned)
