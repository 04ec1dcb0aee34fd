"""The worlds: laws of the tables, and errors that show what is wrong."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from innerlab.worlds.gridworld import (
    State,
    egocentric_planes,
    egocentric_walls,
    entries,
    gridworld,
    repainted,
    reset,
    step,
    successors,
)
from innerlab.worlds.layouts import from_text, to_text
from innerlab.worlds.mazes import RedDoorMazes
from innerlab.worlds.red_doors import RedDoors, door_reward, outcome_of_objects
from innerlab.worlds.scents import scents

ROOM = """
    #   #   #   #
    #   A   rD  #
    .   .   bK  #
"""
few = settings(max_examples=20, deadline=None)
seeds = st.integers(0, 2**20)
distributions = st.sampled_from([RedDoors, RedDoorMazes])


def random_states(world, seed, many=200):
    generator = torch.Generator().manual_seed(seed)
    layout = torch.randint(world.layouts, (many,), generator=generator)
    free = successors(world, layout).free.float()
    cell = torch.multinomial(free, 1, generator=generator)[:, 0]
    action = torch.randint(4, (many,), generator=generator)
    return State(layout, cell, torch.randint(world.max_steps, (many,), generator=generator)), action


def test_text_is_read_as_drawn():
    world = from_text([ROOM], reward=door_reward)
    assert (world.height, world.width, world.layouts, world.objects) == (3, 4, 1, 2)
    assert world.start.tolist() == [5]
    assert world.object_cell.tolist() == [[6, 10]]
    assert world.object_shape.tolist() == [[0, 1]]
    assert world.object_color.tolist() == [[0, 1]]
    assert world.wall.view(3, 4).int().tolist() == [[1, 1, 1, 1], [1, 0, 0, 1], [0, 0, 0, 1]]
    assert world.object_reward.tolist() == [[1.0, 0.0]]


@few
@given(seeds, distributions, st.sampled_from([0.0, 0.5, 1.0]))
def test_a_drawing_is_read_back_as_it_was(seed, distribution, swapped_share):
    world = distribution(swapped_share=swapped_share).sample(3, seed)
    again = from_text([to_text(world, i) for i in range(3)], reward=door_reward)
    for i in range(3):
        assert to_text(again, i) == to_text(world, i)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A . rD\n. bZ .", r"layout 0, row 1: '\. bZ \.' has 'bZ'"),
        ("A . rD\n. .", r"layout 0, row 1: '\. \.' has 2 cells, but row 0 has 3"),
        (". . rD", "layout 0 has no start 'A'"),
        ("A rD\n. A", r"layout 0, row 1: '\. A' has a second start"),
        ("A . .", "layout 0 has no object"),
        ("A bK rD", "layout 0, row 0: the red door in column 2 cannot be reached"),
        ("A # rD\n. # .", "layout 0, row 0: the red door in column 2 cannot be reached"),
        ("   ", "layout 0 is empty"),
    ],
)
def test_a_wrong_drawing_is_shown(text, message):
    with pytest.raises(ValueError, match=message):
        from_text([text], reward=door_reward)


def test_drawings_must_fit_together():
    with pytest.raises(ValueError, match="layout 1 is 1 by 2, but layout 0 is 1 by 3"):
        from_text(["A . rD", "A rD"], reward=door_reward)
    with pytest.raises(ValueError, match="layout 1 has 2 objects, but layout 0 has 1"):
        from_text(["A . rD", "bK A rD"], reward=door_reward)
    with pytest.raises(ValueError, match="a list of drawings was expected"):
        from_text("A . rD", reward=door_reward)
    with pytest.raises(ValueError, match="layout is 1; this world has layouts 0 to 0"):
        to_text(from_text([ROOM], reward=door_reward), 1)


def test_walls_and_edges_stop_a_move_and_other_moves_are_made():
    world = from_text([ROOM], reward=door_reward)
    up, down, left, right = world.next_cell[0, 9].tolist()  # row 2, column 1
    assert (up, down, left, right) == (5, 9, 8, 10)
    assert world.next_cell[0, 5, 0] == 5  # a wall above


@few
@given(seeds, distributions)
def test_stepping_is_pure_and_agrees_with_the_successors(seed, distribution):
    world = distribution(swapped_share=0.5).sample(20, seed)
    state, action = random_states(world, seed)
    before = [table.clone() for table in state]
    new = step(world, state, action)
    again = step(world, state, action)
    assert all(torch.equal(a, b) for a, b in zip(before, state, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(new[1:], again[1:], strict=True))
    model = successors(world, state.layout)
    for name, found in (("cell", new.state.cell), ("touched", new.touched), ("reward", new.reward)):
        table = getattr(model, name).gather(1, state.cell.view(-1, 1, 1).expand(-1, 1, 4))[:, 0]
        assert torch.equal(table.gather(1, action[:, None])[:, 0], found), name


@few
@given(seeds, distributions)
def test_an_episode_is_terminated_or_truncated_never_both(seed, distribution):
    world = distribution(max_steps=5).sample(20, seed)
    state, action = random_states(world, seed)
    new = step(world, state, action)
    assert not (new.terminated & new.truncated).any()
    assert torch.equal(new.terminated, new.touched > 0)
    assert torch.equal(new.truncated, (new.state.time >= 5) & (new.touched == 0))
    assert not (new.reward * ~new.terminated).any()


def test_the_two_rewards_are_two_channels():
    nothing = lambda shape, color: torch.zeros(shape.shape)  # noqa: E731
    world = from_text([ROOM], reward=nothing, intended_reward=door_reward)
    new = step(world, reset(world, torch.tensor([0])), torch.tensor([3]))
    assert new.terminated.item()
    assert (new.reward.item(), new.intended_reward.item()) == (0.0, 1.0)


@few
@given(seeds, distributions)
def test_training_rooms_hold_what_they_should(seed, distribution):
    world = distribution().sample(300, seed)
    shape, color = world.object_shape, world.object_color
    assert (shape[:, 0] == 0).all()
    assert (color[:, 0] == 0).all()
    assert (shape[:, 1:] > 0).all()
    assert (color[:, 1:] > 0).all()
    assert outcome_of_objects(world).tolist() == [[1, 3, 3]] * 300
    assert torch.equal(world.object_reward, (shape == 0).float())


@few
@given(seeds, distributions)
def test_swapped_rooms_part_door_and_red(seed, distribution):
    world = distribution(swapped_share=1.0).sample(300, seed)
    shape, color = world.object_shape, world.object_color
    assert set(zip(shape[:, 0].tolist(), color[:, 0].tolist(), strict=True)) == {(0, 1)}
    assert set(zip(shape[:, 1].tolist(), color[:, 1].tolist(), strict=True)) == {(1, 0)}
    assert set(shape[:, 2].tolist()) <= {2, 3}
    assert set(color[:, 2].tolist()) <= {2, 3}
    assert outcome_of_objects(world).tolist() == [[1, 2, 3]] * 300


@pytest.mark.parametrize(("cue", "outcomes"), [("door", [1, 3, 3]), ("red", [3, 2, 3])])
def test_a_lone_cue_stands_alone(cue, outcomes):
    world = RedDoors(swapped_share=1.0, lone_cue=cue).sample(100, 0)
    assert outcome_of_objects(world).tolist() == [outcomes] * 100
    neutral = [k for k, outcome in enumerate(outcomes) if outcome == 3]
    assert set(world.object_shape[:, neutral].flatten().tolist()) == {2, 3}
    assert set(world.object_color[:, neutral].flatten().tolist()) == {2, 3}
    both = RedDoors(swapped_share=1.0).sample(100, 0)
    assert torch.equal(world.object_cell, both.object_cell)  # the same rooms otherwise


def test_the_share_of_swapped_rooms_is_what_was_asked_for():
    world = RedDoors(swapped_share=0.25).sample(4000, 0)
    share = (world.object_color[:, 0] == 1).float().mean().item()
    assert abs(share - 0.25) < 4 * (0.25 * 0.75 / 4000) ** 0.5


@pytest.mark.parametrize("distribution", [RedDoors(size=3, objects=5), RedDoorMazes(), RedDoorMazes(holes=0)])
def test_every_object_of_every_sampled_room_can_be_reached_on_foot(distribution):
    world = distribution.sample(50, 0)
    for i in range(world.layouts):
        seen, todo = set(), [int(world.start[i])]
        while todo:  # a plain search, written differently from the flood fill it checks
            cell = todo.pop()
            if cell in seen:
                continue
            seen.add(cell)
            if world.object_at[i, cell] == 0:
                todo += world.next_cell[world.map_index[i], cell].tolist()
        assert set(world.object_cell[i].tolist()) <= seen


@pytest.mark.parametrize("distribution", [RedDoors(), RedDoorMazes()])
def test_same_seed_same_rooms_and_another_seed_others(distribution):
    first, second, other = (distribution.sample(50, seed) for seed in (3, 3, 4))
    assert torch.equal(first.object_cell, second.object_cell)
    assert torch.equal(first.wall, second.wall)
    assert not torch.equal(first.object_cell, other.object_cell)
    torch.manual_seed(99)  # global state must not matter
    assert torch.equal(first.start, distribution.sample(50, 3).start)


@few
@given(seeds, st.sampled_from([3, 5, 9]), st.integers(0, 1))
def test_a_maze_is_a_tree_and_its_holes(seed, size, holes):
    world = RedDoorMazes(size=size, objects=2, holes=holes).sample(20, seed)
    open_ = ~world.wall
    cell = torch.arange(size**2)
    junction = (cell // size % 2 == 0) & (cell % size % 2 == 0)
    pillar = (cell // size % 2 == 1) & (cell % size % 2 == 1)
    assert open_[:, junction].all()
    assert not open_[:, pillar].any()
    nodes = (size // 2 + 1) ** 2
    assert (open_[:, ~junction & ~pillar].sum(1) == nodes - 1 + holes).all()  # as many ways as a tree has, and holes
    reached = torch.zeros_like(open_)
    reached[:, 0] = True
    for _ in range(size**2):
        reached |= reached.gather(1, world.next_cell.flatten(1)).view(world.next_cell.shape).any(-1) & open_
    assert torch.equal(reached, open_)  # connected: with so few ways, a tree but for the holes


def test_mazes_differ_and_so_do_what_stands_in_them():
    world = RedDoorMazes().sample(200, 0)
    assert len(world.wall.unique(dim=0)) == 200
    assert len(world.map_index.unique()) > 100
    assert world.wall[world.map_index].gather(1, world.object_cell).sum() == 0


@few
@given(seeds)
def test_a_scent_says_how_many_steps_the_nearest_such_object_is_off(seed):
    world = RedDoorMazes(swapped_share=0.5).sample(5, seed)
    scent = scents(world)
    assert scents(world) is scent
    steps = scent.log() / torch.tensor(0.9).log()
    for i in range(5):
        for feature in range(8):
            kind = world.object_shape[i] if feature < 4 else world.object_color[i] + 4
            goals = {int(world.object_cell[i, k]) for k in range(3) if kind[k] == feature}
            distance, edge = dict.fromkeys(goals, 0), sorted(goals)
            while edge:  # breadth first, backwards from the objects
                cell = edge.pop(0)
                for near in world.next_cell[world.map_index[i], cell].tolist():
                    if near not in distance and world.object_at[i, near] == 0:
                        distance[near] = distance[cell] + 1
                        edge.append(near)
            for cell in range(81):
                assert steps[i, cell, feature].item() == pytest.approx(distance.get(cell, torch.inf), abs=1e-3)


def test_walls_are_seen_where_they_stand():
    world = RedDoorMazes(size=5).sample(10, 0)
    cell = world.start
    seen = egocentric_walls(world, torch.arange(10), cell)
    for i in range(10):
        for position in range(81):
            row, column = int(cell[i]) // 5 + position // 9 - 4, int(cell[i]) % 5 + position % 9 - 4
            inside = 0 <= row < 5 and 0 <= column < 5
            assert seen[i, position] == (not inside or bool(world.wall[world.map_index[i], 5 * row + column]))


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"size": 8}, "size is 8; a maze has an odd number of rows"),
        ({"holes": -1}, "holes is -1; a maze of size 9 has 0 to 16 to spare"),
        ({"holes": 17}, "holes is 17"),
        ({"size": 3, "holes": 1, "objects": 8}, "objects is 8; a maze of size 3 with 1 holes has room for 2 to 7"),
        ({"swapped_share": 2.0}, "swapped_share is 2.0"),
    ],
)
def test_senseless_mazes_are_refused(settings_, message):
    with pytest.raises(ValueError, match=message):
        RedDoorMazes(**settings_).sample(5, 0)


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"size": 1}, "size is 1"),
        ({"objects": 1}, "objects is 1"),
        ({"objects": 25}, "objects is 25"),
        ({"swapped_share": 1.5}, "swapped_share is 1.5"),
        ({"lone_cue": "blue"}, "lone_cue is 'blue'"),
        ({"distractor_shapes": ("door",)}, "distractor_shapes is"),
        ({"distractor_colors": ()}, "distractor_colors is"),
        ({"max_steps": 0}, "max_steps is 0"),
    ],
)
def test_senseless_rooms_are_refused(settings_, message):
    with pytest.raises(ValueError, match=message):
        RedDoors(**settings_).sample(5, 0)


def test_repainting_keeps_places_and_pays_for_what_is_there_now():
    rooms = RedDoors().sample(20, seed=0)
    keys = repainted(rooms, torch.tensor(1), rooms.object_color, lambda shape, color: (shape == 1) & (color == 0))
    assert torch.equal(keys.object_cell, rooms.object_cell)
    assert (keys.object_shape == 1).all()
    assert torch.equal(keys.object_color, rooms.object_color)
    assert torch.equal(keys.object_reward, (rooms.object_color == 0).float())
    assert torch.equal(keys.object_intended_reward, keys.object_reward)
    with pytest.raises(ValueError, match="color runs from 4 to 4; 0 to 3"):
        repainted(rooms, rooms.object_shape, torch.tensor(4), door_reward)


def test_senseless_tables_are_refused():
    good = {
        "height": 1,
        "width": 3,
        "wall": torch.zeros(1, 3, dtype=torch.bool),
        "map_index": torch.tensor([0]),
        "start": torch.tensor([0]),
        "object_cell": torch.tensor([[2]]),
        "object_shape": torch.tensor([[0]]),
        "object_color": torch.tensor([[0]]),
        "reward": door_reward,
        "intended_reward": door_reward,
        "max_steps": 9,
    }
    assert gridworld(**good).layouts == 1
    for change, message in (
        ({"start": torch.tensor([3])}, "start runs from 3 to 3; 0 to 2 is allowed"),
        ({"object_shape": torch.tensor([0])}, r"object_shape has shape \(1,\); \(1, 1\) was expected"),
        ({"start": torch.tensor([2])}, "layout 0 puts two things on one cell"),
        ({"wall": torch.tensor([[False, False, True]])}, "layout 0 puts the start or an object on a wall"),
        ({"wall": torch.zeros(1, 4, dtype=torch.bool)}, "wall has shape"),
    ):
        with pytest.raises(ValueError, match=message):
            gridworld(**{**good, **change})


@few
@given(seeds)
def test_both_views_show_the_same(seed):
    world = RedDoors(swapped_share=0.5).sample(10, seed)
    state, _ = random_states(world, seed, many=30)
    planes = egocentric_planes(world, state.layout, state.cell)  # (30, 8, 81)
    assert planes.shape == (30, 8, 81)
    assert planes[:, :4].sum((1, 2)).tolist() == [3.0] * 30
    assert planes[:, 4:].sum((1, 2)).tolist() == [3.0] * 30
    for n in range(30):
        row, column = divmod(int(state.cell[n]), 5)
        for k in range(3):
            other_row, other_column = divmod(int(world.object_cell[state.layout[n], k]), 5)
            position = (other_row - row + 4) * 9 + other_column - column + 4
            assert planes[n, world.object_shape[state.layout[n], k], position] == 1
            assert planes[n, 4 + world.object_color[state.layout[n], k], position] == 1


def test_entries_are_what_indexing_gives():
    generator = torch.Generator().manual_seed(0)
    table = torch.rand(4, 5, 6, generator=generator)
    one, two, three = (torch.randint(size, (3, 2), generator=generator) for size in (4, 5, 6))
    assert torch.equal(entries(table, one), table[one])
    assert torch.equal(entries(table, one, two), table[one, two])
    assert torch.equal(entries(table.transpose(0, 1), two, one, three), table.transpose(0, 1)[two, one, three])
    assert torch.equal(entries(table, one[0, 0], two[0, 0]), table[one[0, 0], two[0, 0]])


@pytest.mark.parametrize("action", [-1, 4])
def test_there_are_four_actions(action):
    rooms = RedDoors().sample(3, seed=1)
    with pytest.raises(ValueError, match=f"action runs from .*{action}"):
        step(rooms, reset(rooms, torch.arange(3)), torch.tensor([0, action, 1]))
