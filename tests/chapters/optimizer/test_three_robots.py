"""The three robots without a browser: the page's walks against the chapter's own, and what travels."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from nodejs import node
from pagerandom import PageRandom
from pages import cells_of

from innerlab.chapters.optimizer.three_robots import ROBOTS, ThreeRobots, text
from innerlab.systems.mazes import AS_LABELED, REVERSED, breadth_first, draw_mazes, first_moves, walk

ALT = "A maze to change, and the robots that walk in it."
UNSEEN = 1000


@pytest.fixture(scope="module")
def chapter():
    """The robots as the book has them, and three of its mazes, the last of them unknown to the tables."""
    names = cells_of("optimizer", "drawn = ", "table = {}", "domain = ", "def stale_planner")
    unseen = replace(draw_mazes(1, size=7, holes=4, seed=12)[0], name=UNSEEN)
    names["as_it_was"][UNSEEN] = unseen
    names["shown"] = {"one": names["training"][0], "another": names["training"][1], "unseen": unseen}
    return names


@pytest.fixture(scope="module")
def widget(chapter):
    return ThreeRobots(chapter["shown"], chapter["table"], chapter["domain"], chapter["answers"], alt=ALT)


def on_the_page(widget, changed):
    """How all robots walk in mazes with a preset and a number of steps each, by the page's own code."""
    mazes = [
        {"maze": text(maze), "reversed": maze.buttons == REVERSED, "preset": preset, "steps": steps}
        for maze, preset, steps in changed
    ]
    done = node(
        "tests/chapters/optimizer/front/walks.mjs",
        input=json.dumps({"mazes": widget.state()["mazes"], "changed": mazes}),
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def in_the_chapter(chapter, name, maze, steps):
    """The way of one of the chapter's robots, how often it pressed at random, and how many cells it expanded."""
    random, strayed = PageRandom(1), []

    def stray(*_):
        strayed.append(True)
        return int(4 * random.one())

    robot = chapter[{"table": "table_robot"}.get(name, name.replace(" ", "_"))]
    robot = type(robot)(robot.__code__, dict(chapter, stray=stray))
    cells = walk(robot, maze, steps)
    believed = {"planner": maze}
    if name == "stale planner":
        believed[name] = replace(chapter["as_it_was"][maze.name], target=maze.target)
    searched = [breadth_first(believed[name], cell).expansions for cell in cells[:-1]] if name in believed else []
    return {
        "cells": cells,
        "arrived": cells[-1] == maze.target,
        "expansions": sum(searched),
        "strayed": len(strayed),
    }


def ways_to(maze):
    return len(breadth_first(maze, maze.start).buttons)


def changes_of(maze, draw):
    """A copy with up to two new walls, one wall less, another start or target and reversed buttons, or some of that."""
    wall = maze.wall.copy()
    for cell in draw.choice(np.flatnonzero(~wall), size=draw.integers(3), replace=False):
        wall[cell] = cell not in (maze.start, maze.target)
    if draw.random() < 0.2:
        wall[draw.choice(np.flatnonzero(maze.wall))] = False
    free = [cell for cell in np.flatnonzero(~wall).tolist() if cell not in (maze.start, maze.target)]
    start, target = (int(cell) for cell in draw.choice(free, size=2, replace=False))
    return replace(
        maze,
        wall=wall,
        start=start if draw.random() < 0.3 else maze.start,
        target=target if draw.random() < 0.3 else maze.target,
        buttons=REVERSED if draw.random() < 0.3 else AS_LABELED,
    )


def test_page_and_chapter_press_the_same_buttons_in_a_thousand_mazes(chapter, widget):
    draw, changed = np.random.default_rng(1), []
    for preset, maze in enumerate(chapter["shown"].values()):
        variants = [known for known in chapter["domain"] if known.name == maze.name]  # all that the full table knows
        variants += [changes_of(maze, draw) for _ in range(400 - len(variants))]
        for variant in variants:
            changed.append((variant, preset, 2 * ways_to(variant)))
    changed = [one for one in changed if one[2]]
    assert len(changed) > 1000
    arrived, unmapped = dict.fromkeys(ROBOTS, 0), 0
    for (maze, _, steps), page in zip(changed, on_the_page(widget, changed), strict=True):
        assert tuple(page) == ROBOTS
        for name in ROBOTS:
            try:
                own = in_the_chapter(chapter, name, maze, steps)
            except (ValueError, IndexError):  # the chapter's stale planner has no map of what was a wall
                assert name == "stale planner"
                assert (chapter["as_it_was"][maze.name].wall & ~maze.wall).any()
                unmapped += 1
                continue
            assert page[name] == own, (name, text(maze), maze.buttons)
            arrived[name] += own["arrived"]
    assert arrived["planner"] == len(changed)
    assert unmapped < 0.1 * len(changed)
    assert all(0.05 * len(changed) < arrived[name] < 0.95 * len(changed) for name in ROBOTS if name != "planner"), (
        arrived
    )


def test_every_entry_of_the_full_table_travels(chapter, widget):
    for preset, maze in enumerate(list(chapter["shown"].values())[:2]):
        for which, known in enumerate(chapter["domain"]):
            if known.name != maze.name or which % 5:
                continue
            tasks = [
                (replace(known, start=start, target=target), preset, 1)
                for start in known.open_cells
                for target in known.open_cells
                if start != target and chapter["answers"][which, target, start] >= 0
            ]
            for (task, _, _), page in zip(tasks, on_the_page(widget, tasks), strict=True):
                button = int(chapter["answers"][which, task.target, task.start])
                assert page["full table"]["cells"] == [task.start, task.next_cell[task.start][button]]
                assert page["full table"]["strayed"] == 0


def test_where_a_wall_of_the_map_is_gone_the_stale_planner_still_walks(chapter, widget):
    maze = chapter["shown"]["one"]
    for cell in np.flatnonzero(maze.wall).tolist():
        wall = maze.wall.copy()
        wall[cell] = False
        for moved in (replace(maze, wall=wall, start=cell), replace(maze, wall=wall, target=cell)):
            if steps := 2 * ways_to(moved):
                walked = on_the_page(widget, [(moved, 0, steps)])[0]["stale planner"]
                assert len(walked["cells"]) == steps + 1 or walked["arrived"]


def test_robots_of_the_chapter_can_be_told_apart_in_each_way(chapter, widget):
    maze, found = chapter["training"][0], set()
    free = [cell for cell in maze.open_cells if cell not in (maze.start, maze.target)]
    changed = [replace(maze, target=cell) for cell in free]
    for closed in [{cell} for cell in free] + [{one, other} for one in free[::3] for other in free]:
        wall = maze.wall.copy()
        wall[list(closed)] = True
        changed.append(replace(maze, wall=wall))
    changed = [(one, 0, 2 * ways_to(one)) for one in changed if ways_to(one)]
    for walks in on_the_page(widget, changed):
        found.add(tuple(walks[name]["arrived"] for name in ROBOTS))
    for arrive, fail in (
        ({"planner"}, {"table"}),
        ({"full table"}, {"rule"}),
        ({"full table"}, {"stale planner"}),
        ({"stale planner"}, {"full table"}),
        ({"planner"}, set(ROBOTS) - {"planner"}),
    ):
        met = [dict(zip(ROBOTS, ends, strict=True)) for ends in found]
        assert any(all(ends[a] for a in arrive) and not any(ends[f] for f in fail) for ends in met), (arrive, fail)


def test_what_travels_is_small_and_the_same_twice(chapter, widget):
    again = ThreeRobots(chapter["shown"], chapter["table"], chapter["domain"], chapter["answers"], alt=ALT)
    assert widget.html() == again.html()
    assert len(json.dumps(widget.state())) < 30_000
    unseen = widget.state()["mazes"][2]
    assert (unseen["table"], unseen["variants"], unseen["answers"]) == ({}, [], "")
    assert widget.maze == widget.state()["mazes"][0]["maze"]
    assert "star the target" in widget.picture()


def small(**changes):
    maze = draw_mazes(1, size=5, holes=1, seed=1)[0]
    options = {"mazes": {"a": maze}, "table": {}, "domain": [maze], "answers": first_moves_of(maze), "alt": ALT}
    return ThreeRobots(**(options | changes))


def first_moves_of(maze):
    return first_moves(torch.tensor([maze.next_cell]))


def test_challenges_name_who_arrives_and_who_fails():
    state = small(challenges={"Do it.": {"planner": True, "table": False}}, kept={"table": "3 entries"}).state()
    assert state["challenges"] == [{"text": "Do it.", "arrive": ["planner"], "fail": ["table"]}]
    assert state["kept"] == {"table": "3 entries"}


def test_three_robots_say_what_is_wrong():
    maze = draw_mazes(1, size=5, holes=1, seed=1)[0]
    opened = maze.wall.copy()
    opened[np.flatnonzero(maze.wall)[0]] = False
    for changes, message in (
        ({"domain": []}, r"answers has shape \(1, 25, 25\); \(0, cells, cells\)"),
        ({"kept": {"fourth": "a"}}, "robot is 'fourth'; one of table, rule"),
        ({"challenges": {"Do it.": {"fly": True}}}, "robot is 'fly'"),
        ({"domain": [replace(maze, wall=opened)]}, "without a wall"),
    ):
        with pytest.raises(ValueError, match=message):
            small(**changes)
