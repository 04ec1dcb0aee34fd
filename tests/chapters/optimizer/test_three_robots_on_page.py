"""The robots on a page: in every maze and in every changed one they do what Python's do."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from widget_pages import SCHEMES, attributes, cells_of, tab_to

from innerlab.chapters.optimizer.three_robots import ThreeRobots
from innerlab.systems.mazes import AS_LABELED, REVERSED, breadth_first, draw_mazes, first_moves, walk

pytestmark = pytest.mark.xdist_group("site")

ERRANDS = draw_mazes(3, size=7, holes=4, seed=4)


def planner(maze, cell):
    return breadth_first(maze, cell).buttons[0]


def made():
    """Robots with tables of two mazes, and a third maze."""
    known = ERRANDS[:2]
    table = {(maze.name, cell): planner(maze, cell) for maze in known for cell in walk(planner, maze, 60)[:-1]}
    domain = [replace(maze, buttons=buttons) for maze in known for buttons in (AS_LABELED, REVERSED)]
    robots = ThreeRobots(
        {"first": ERRANDS[0], "second": ERRANDS[1], "unseen": ERRANDS[2]},
        table,
        domain,
        first_moves(torch.tensor([maze.next_cell for maze in domain])),
        alt="A maze of seven by seven cells to change, and five robots that walk in it.",
        kept={"table": f"{len(table)} entries"},
        challenges={"The table fails.": {"table": False, "planner": True}, "All fail.": {"planner": False}},
    )
    return {"robots": robots}


def ends_here(box):
    """What the page says of every robot: whether it arrives, and what it expanded."""
    cards = box.locator(".il-card")
    return {
        robot: ("arrives" in text, int(re.search(r"(\d+) cells? expanded", text)[1]))
        for robot, text in zip(attributes(cards, "aria-label"), cards.all_inner_texts(), strict=True)
    }


def planners_end(maze):
    cells = walk(planner, maze, 60)
    return True, sum(breadth_first(maze, cell).expansions for cell in cells[:-1])


@SCHEMES
def test_robots_walk_in_every_maze_with_both_kinds_of_buttons(look_at, scheme):
    reader = look_at("three_robots", scheme=scheme)
    box = reader.page.locator(".il-robots")
    for which, maze in enumerate(ERRANDS):
        box.get_by_role("combobox").select_option(str(which))
        for label, buttons in (("as labeled", AS_LABELED), ("reversed", REVERSED)):
            box.get_by_label(label, exact=True).check()
            ends = ends_here(box)
            assert ends["planner"] == planners_end(replace(maze, buttons=buttons))
            assert ends["table"][1] == ends["rule"][1] == ends["full table"][1] == 0
            assert ends["full table"][0] or which == 2
            if buttons == AS_LABELED:
                assert ends["stale planner"] == ends["planner"]
                assert ends["table"][0] or which == 2
            else:
                assert not ends["stale planner"][0]
                assert ends["stale planner"][1] > 0
    assert "Arrive within twice that: " in box.get_by_role("status").inner_text()
    assert reader.complaints == []


def test_robots_maze_takes_walls_targets_and_starts(look_at):
    box = look_at("three_robots").page.locator(".il-robots")
    maze = ERRANDS[0]
    cell = next(c for c in maze.open_cells if c not in (maze.start, maze.target))

    def press(at):
        box.get_by_role("gridcell").nth(at).click()

    for what in ("wall", "floor"):
        box.get_by_label(what, exact=True).check()
        press(cell)
        assert cells_of(box)[cell] == what
    press(maze.start)
    assert "keep their cells" in box.get_by_role("status").inner_text()
    box.get_by_label("target", exact=True).check()
    press(cell)
    assert [cells_of(box)[at] for at in (cell, maze.target)] == ["target", "floor"]
    box.get_by_label("start", exact=True).check()
    press(maze.target)
    assert [cells_of(box)[at] for at in (maze.target, maze.start)] == ["start", "floor"]
    assert ends_here(box)["planner"] == planners_end(replace(maze, start=maze.target, target=cell))
    press(int(np.flatnonzero(maze.wall)[0]))
    assert "There is a wall" in box.get_by_role("status").inner_text()
    box.get_by_role("button", name="As it was").click()
    assert cells_of(box)[maze.start] == "start"
    assert ends_here(box)["planner"] == planners_end(maze)


def test_robots_are_told_apart_by_keyboard_alone_and_another_maze_is_no_answer(look_at):
    page = look_at("three_robots").page
    box = page.locator(".il-robots")
    box.get_by_role("combobox").select_option("2")
    assert "✓" not in box.locator(".il-challenges").inner_text()  # the table fails there, but nothing was changed
    box.get_by_role("combobox").select_option("0")
    maze = ERRANDS[0]
    way = walk(planner, maze, 60)
    closed = next(c for c in way[1:-1] if breadth_first(with_wall(maze, c), maze.start).buttons)
    tab_to(page, ".il-robots [role=gridcell]", 200)
    at = page.evaluate("Number(document.activeElement.dataset.cell)")
    for key, steps in (("ArrowDown", closed // 7 - at // 7), ("ArrowRight", closed % 7 - at % 7)):
        for _ in range(abs(steps)):
            page.keyboard.press(key if steps > 0 else {"ArrowDown": "ArrowUp", "ArrowRight": "ArrowLeft"}[key])
    page.keyboard.press("Space")
    assert cells_of(box)[closed] == "wall"
    assert ends_here(box)["planner"] == planners_end(with_wall(maze, closed))
    assert not ends_here(box)["table"][0]
    assert "✓The table fails. Done." in box.locator(".il-challenges").inner_text()
    assert "Done: The table fails." in box.get_by_role("status").inner_text()
    assert "○All fail." in box.locator(".il-challenges").inner_text()


def with_wall(maze, cell):
    wall = maze.wall.copy()
    wall[cell] = True
    return replace(maze, wall=wall)


def test_robots_stay_where_no_way_leads(look_at):
    box = look_at("three_robots").page.locator(".il-robots")
    maze = ERRANDS[0]
    for there in set(maze.next_cell[maze.target]) - {maze.target}:
        box.get_by_role("gridcell").nth(there).click()
    assert box.get_by_role("status").inner_text() == "No way leads to the target."
    assert box.get_by_text("no way leads there").count() == 5
    assert "✓" not in box.locator(".il-challenges").inner_text()
