"""Every environment that is registered: as Gymnasium wants it, repeatable, and true to the world beneath it."""

import subprocess
import sys
from dataclasses import replace
from multiprocessing import get_all_start_methods

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

from innerlab.evaluation import optimal_values
from innerlab.worlds import environments
from innerlab.worlds.environments import GridworldEnv, GridworldVectorEnv
from innerlab.worlds.gridworld import COLORS, SHAPES, reset, step, successors
from innerlab.worlds.layouts import from_text
from innerlab.worlds.red_doors import OUTCOMES, door_reward

REGISTERED = sorted(name for name, spec in gymnasium.registry.items() if spec.namespace == environments.NAMESPACE)
every = pytest.mark.parametrize("name", REGISTERED)
ROOM = """
    .   .   .
    .   A   rD
    bK  .   .
"""
UP, DOWN, LEFT, RIGHT = range(4)


def single(name, **settings):
    return gymnasium.make(name, **settings).unwrapped


def small(**settings):
    return GridworldEnv(from_text([ROOM], reward=door_reward, max_steps=4), **settings)


def play(env, seed, steps=400):
    """Play at random through several episodes; return all that came back, and how the episodes ended."""
    env.action_space.seed(seed)
    back, ends = [env.reset(seed=seed)], []
    for _ in range(steps):
        back.append(env.step(env.action_space.sample()))
        if back[-1][2] or back[-1][3]:
            ends.append(back[-1][4]["outcome"])
            back.append(env.reset())
    return back, ends


def same(one, other):
    """Tell whether two nests of tuples, lists, dictionaries, arrays and numbers are the same, types included."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and np.asarray(one).dtype == np.asarray(other).dtype and np.array_equal(one, other)


def test_there_are_environments():
    assert {"innerlab/RedDoors-v0", "innerlab/RedDoorsSwapped-v0"} <= set(REGISTERED)


def test_mazes_show_their_walls():
    env = single("innerlab/RedDoorMazes-v0", layouts=20)
    planes, info = env.reset(seed=0)
    assert planes.shape == env.observation_space.shape == (9, 17, 17)
    row, column = divmod(int(env.world.start[info["layout"]]), 9)
    wall = env.world.wall[env.world.map_index[info["layout"]]].view(9, 9).numpy()
    assert np.array_equal(planes[8, 8 - row : 17 - row, 8 - column : 17 - column], wall)
    assert planes[8].sum() == 17 * 17 - 81 + wall.sum()  # outside the maze all is wall


# All of them


@every
def test_gymnasiums_own_checker_is_content(name):
    check_env(single(name))  # warnings are errors here
    assert gymnasium.make(name).spec.to_json()


@every
def test_a_seed_decides_everything(name):
    (back, ends), (again, _), (other, _) = (play(single(name), seed) for seed in (3, 3, 4))
    assert same(back, again)
    assert not same(back, other)
    assert len(ends) > 5
    assert len({row[-1]["layout"] for row in back}) > 5  # resets draw rooms


@every
@pytest.mark.parametrize("max_steps", [5, 60])
def test_the_vector_environment_does_what_single_ones_do(name, max_steps):
    kinds = [
        gymnasium.make_vec(name, num_envs=7, vectorization_mode=mode, max_steps=max_steps)
        for mode in ("sync", "vector_entry_point")
    ]
    assert isinstance(kinds[1], GridworldVectorEnv)
    for space in ("observation_space", "action_space", "single_observation_space", "single_action_space"):
        assert getattr(kinds[0], space) == getattr(kinds[1], space)
    assert same(*(kind.reset(seed=11) for kind in kinds))
    kinds[0].action_space.seed(12)
    ended = np.zeros(3, int)
    for _ in range(200):
        actions = kinds[0].action_space.sample()
        rows = [kind.step(actions) for kind in kinds]
        assert same(*rows)
        terminated, truncated = rows[0][2:4]
        assert not (terminated & truncated).any()
        ended += terminated.sum(), truncated.sum(), (rows[1][1] > 0).sum()
    assert ended[0] > 15
    assert ended[2] > 2
    assert ended[1] > 150 or max_steps > 5


@every
def test_make_vec_uses_the_batched_one_and_says_when_it_resets(name):
    rooms = gymnasium.make_vec(name, num_envs=3)
    assert isinstance(rooms, GridworldVectorEnv)
    assert rooms.metadata["autoreset_mode"] is gymnasium.vector.AutoresetMode.NEXT_STEP


@every
def test_single_and_vector_follow_the_world(name):
    """The same rooms and actions, played once by look-up in the tables."""
    env, rooms = single(name), gymnasium.make_vec(name, num_envs=5)
    world = env.world
    layout = np.array([4, 8, 15, 16, 23])
    state = reset(world, torch.from_numpy(layout))
    rooms.reset(seed=0, options={"layout": layout})
    actions = torch.randint(4, (40, 5), generator=torch.Generator().manual_seed(1))
    going = np.ones(5, bool)
    rows = []
    for action in actions:
        new = step(world, state, action)
        _, reward, terminated, _, info = rooms.step(action.numpy())
        for got, wanted in ((reward, new.reward), (terminated, new.terminated), (info["touched"], new.touched)):
            assert np.array_equal(got[going], wanted.numpy()[going])
        rows.append(new)
        state, going = new.state, going & ~terminated
    assert not going.all()
    for i in range(5):
        env.reset(options={"layout": int(layout[i])})
        for action, new in zip(actions[:, i], rows, strict=True):
            _, reward, terminated, _, info = env.step(int(action))
            assert (reward, terminated, info["touched"]) == (new.reward[i], new.terminated[i], new.touched[i])
            if terminated:
                break


@every
def test_the_clock_truncates_and_does_not_terminate(name):
    env = single(name)
    _, info = env.reset(seed=5)
    model = successors(env.world, torch.tensor(info["layout"]))
    for time in range(1, env.world.max_steps + 1):
        cell = env.episodes.state.cell[0]
        harmless = int((model.touched[cell] == 0).nonzero()[0])
        _, reward, terminated, truncated, info = env.step(harmless)
        assert (reward, terminated, truncated) == (0.0, False, time == env.world.max_steps)
    assert OUTCOMES[info["outcome"]] == "none"


def walk_to(env, layout, which):
    """Take the shortest way to an object that touches no other; return what the last step gave."""
    env.reset(options={"layout": layout})
    only = torch.zeros_like(env.world.object_reward)
    only[:, which] = 1.0
    goal = replace(env.world, object_reward=only)
    value, model = optimal_values(goal, 0.9)[layout], successors(goal, torch.tensor(layout))
    while True:
        cell = env.episodes.state.cell[0]
        best = (model.reward[cell] + 0.9 * value[model.cell[cell]] * (model.touched[cell] == 0)).argmax()
        *_, reward, terminated, _, info = env.step(int(best))
        if terminated:
            return reward, info


@every
def test_each_object_pays_and_counts_as_what_it_is(name):
    env = single(name, layouts=40)
    seen = set()
    for layout in range(8):
        for which in range(env.world.objects):
            reward, info = walk_to(env, layout, which)
            shape = SHAPES[env.world.object_shape[layout, which]]
            color = COLORS[env.world.object_color[layout, which]]
            meant = "door" if shape == "door" else "red" if color == "red" else "other"
            assert (reward, info["intended_reward"]) == (float(shape == "door"), float(shape == "door"))
            assert (info["touched"], OUTCOMES[info["outcome"]]) == (which + 1, meant)
            seen.add(f"{color} {shape}")
    assert ("red door" in seen) == (not name.endswith("Swapped-v0"))
    assert ("red key" in seen) == name.endswith(("Swapped-v0", "ToldApart-v0"))


# What is seen


def test_planes_show_what_lies_where_as_seen_by_the_agent():
    env = small()
    obs, _ = env.reset()
    assert obs.shape == environments.observation_shape(env.world) == (8, 5, 5)
    lit = {tuple(place) for place in np.argwhere(obs).tolist()}
    # the window's middle is (2, 2); the door lies one to the right, the key one down and one to the left
    assert lit == {(0, 2, 3), (4, 2, 3), (1, 3, 1), (5, 3, 1)}
    obs, *_ = env.step(UP)
    assert {tuple(place) for place in np.argwhere(obs).tolist()} == {(0, 3, 3), (4, 3, 3), (1, 4, 1), (5, 4, 1)}


def test_the_drawing_has_the_agent_where_it_is():
    env = small(render_mode="ansi")
    env.reset()
    assert env.render().split() == [*"....A", "rD", "bK", *".."]
    env.step(UP)
    assert env.render().split() == [*".A...", "rD", "bK", *".."]
    env.step(DOWN)
    env.step(RIGHT)
    assert env.render().splitlines()[-1] == "at the red door"
    assert small().render() is None


def test_the_vector_environment_draws_every_room():
    rooms = GridworldVectorEnv(2, small().world, render_mode="ansi")
    rooms.reset(seed=0)
    rooms.step(np.array([UP, DOWN]))
    assert [text.split().index("A") for text in rooms.render()] == [1, 7]
    assert GridworldVectorEnv(2, small().world).render() is None


def test_the_intended_reward_has_a_channel_of_its_own():
    def red_pays(shape, color):
        return (color == 0).float() * 0.5

    env = GridworldEnv(from_text(["A rD .\n. . bK"], reward=red_pays, intended_reward=door_reward))
    env.reset()
    _, reward, _, _, info = env.step(RIGHT)
    assert (reward, info["intended_reward"]) == (0.5, 1.0)


def test_settings_reach_the_rooms():
    env = single("innerlab/RedDoors-v0", size=4, objects=2, max_steps=9, layouts=12, layouts_seed=3)
    world = env.world
    assert (world.height, world.objects, world.max_steps, world.layouts) == (4, 2, 9, 12)
    assert env.observation_space.shape == (8, 7, 7)
    other = single("innerlab/RedDoors-v0", size=4, objects=2, max_steps=9, layouts=12, layouts_seed=4)
    assert not torch.equal(world.object_cell, other.world.object_cell)


@pytest.mark.parametrize("make", [gymnasium.make, gymnasium.make_vec])
def test_a_setting_that_does_not_exist_is_named_with_those_that_do(make):
    with pytest.raises(TypeError, match=r"'sise' is no setting; what is understood: layouts, .*\bsize, .*max_steps"):
        make("innerlab/RedDoors-v0", sise=5)
    with pytest.raises(TypeError, match=r"'hole' is no setting; what is understood: .*\bholes\b"):
        make("innerlab/RedDoorMazes-v0", hole=2)


# Resetting some


def test_a_mask_resets_only_some_copies():
    rooms = gymnasium.make_vec("innerlab/RedDoors-v0", num_envs=4)
    rooms.reset(seed=1)
    rooms.step(np.array([0, 1, 2, 3]))
    before = rooms.episodes.state
    mask = np.array([True, False, False, True])
    _, info = rooms.reset(options={"reset_mask": mask, "layout": 7})
    after = rooms.episodes.state
    assert after.layout[mask].tolist() == [7, 7]
    assert after.time[mask].tolist() == [0, 0]
    for old, new in zip(before, after, strict=True):
        assert torch.equal(old[~mask], new[~mask])
    assert info["layout"].tolist() == [7, 0, 0, 7]  # a copy that was left alone has nothing to report
    assert info["_layout"].tolist() == mask.tolist()


def test_copies_are_seeded_one_after_another_or_one_by_one():
    rooms = gymnasium.make_vec("innerlab/RedDoors-v0", num_envs=3)
    rooms.reset(seed=5)
    assert rooms.np_random_seed == (5, 6, 7)
    one = rooms.episodes.state.layout.tolist()
    rooms.reset(seed=[7, None, 5])
    assert rooms.episodes.state.layout.tolist()[::2] == one[::-2]
    assert rooms.np_random_seed == (7, 6, 5)
    assert len(rooms.np_random) == 3


# Errors


@pytest.mark.parametrize("action", [4, -1, 1.5, "up", np.array([0, 1])])
def test_a_wrong_action_is_shown(action):
    env = small()
    env.reset()
    with pytest.raises(ValueError, match=r"action is .*an integer from 0 to 3 was expected"):
        env.step(action)


@pytest.mark.parametrize("actions", [[0], [0, 4], [0, -1], [0.0, 1.0], 0])
def test_wrong_actions_are_shown(actions):
    rooms = GridworldVectorEnv(2, small().world)
    rooms.reset()
    with pytest.raises(ValueError, match=r"actions is .*2 integers from 0 to 3 were expected"):
        rooms.step(actions)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layout": 1}, r"options\['layout'\] is 1; this world has layouts 0 to 0"),
        ({"layout": -1}, r"options\['layout'\] is -1; this world"),
        ({"layout": 0.5}, r"options\['layout'\] is 0.5; an integer"),
        ({"layout": [0, 0, 0]}, r"an integer, or \d of them, was expected"),
        ({"room": 1}, "options has 'room'; what is understood: layout"),
    ],
)
def test_a_wrong_option_is_shown(options, message):
    for env in (small(), GridworldVectorEnv(2, small().world)):
        with pytest.raises(ValueError, match=message):
            env.reset(options=options)


@pytest.mark.parametrize("mask", [[True, False], np.array([False, False]), np.array([True]), np.array([1, 0])])
def test_a_wrong_mask_is_shown(mask):
    with pytest.raises(ValueError, match=r"options\['reset_mask'\] is .*shape \(2,\) with a True was expected"):
        GridworldVectorEnv(2, small().world).reset(options={"reset_mask": mask})


def test_other_wrong_arguments_are_shown():
    with pytest.raises(ValueError, match="render_mode is 'human'; None or 'ansi' was expected"):
        small(render_mode="human")
    with pytest.raises(ValueError, match="num_envs is 0; at least one"):
        GridworldVectorEnv(0, small().world)
    with pytest.raises(ValueError, match="seed has 1 entries; 2 were expected"):
        GridworldVectorEnv(2, small().world).reset(seed=[1])


def test_there_must_be_an_episode_to_step_in():
    env, rooms = small(), GridworldVectorEnv(2, small().world)
    for world in (env, rooms):
        with pytest.raises(ResetNeeded, match=r"call reset\(\) first"):
            world.step(0 if world is env else np.array([0, 0]))
    env.reset()
    env.step(RIGHT)
    with pytest.raises(ResetNeeded):
        env.step(RIGHT)


# An optional dependency


def python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")


def test_the_laboratory_does_without_gymnasium():
    code = (
        "import importlib, pkgutil, sys, innerlab\n"
        "for module in pkgutil.walk_packages(innerlab.__path__, 'innerlab.'):\n"
        "    if module.name != 'innerlab.worlds.environments':\n"
        "        importlib.import_module(module.name)\n"
        "print('gymnasium' in sys.modules)"
    )
    done = python(code)
    assert done.stdout.strip() == "False", done.stderr


def test_without_gymnasium_the_message_says_what_to_install():
    done = python("import sys; sys.modules['gymnasium'] = None; import innerlab.worlds.environments")
    assert "innerlab.worlds.environments needs Gymnasium: pip install 'innerlab[environments]'" in done.stderr


# Found by their name


NAMED = "innerlab.worlds.environments:innerlab/RedDoors-v0"


def test_gymnasium_finds_a_world_by_the_name_of_its_module():
    code = (
        "import sys, gymnasium\n"
        "assert not {'innerlab', 'torch'} & set(sys.modules)\n"
        f"room, rooms = gymnasium.make({NAMED!r}), gymnasium.make_vec({NAMED!r}, 2)\n"
        "print(room.reset(seed=0)[0].shape, rooms.reset(seed=0)[0].shape)"
    )
    done = python(code)
    assert done.stdout.strip() == "(8, 9, 9) (2, 8, 9, 9)", done.stderr


def test_a_module_that_is_loaded_again_registers_nothing_twice():
    done = python("import importlib; from innerlab.worlds import environments; importlib.reload(environments)")
    assert (done.returncode, done.stderr) == (0, "")  # Gymnasium would warn


# Somebody else's agent


WAYS = [way for way in get_all_start_methods() if way != "fork"]  # "forkserver", where there is one, is usual


@pytest.mark.parametrize(
    "method",
    [pytest.param(way, marks=pytest.mark.thorough if way != WAYS[-1] else ()) for way in WAYS],
)
def test_stable_baselines_steps_worlds_in_processes_that_import_nothing_beforehand(method):
    from stable_baselines3.common.env_util import make_vec_env  # slow to import
    from stable_baselines3.common.vec_env import SubprocVecEnv

    settings = {"start_method": method}
    rooms = make_vec_env(
        NAMED, 2, seed=0, env_kwargs={"render_mode": None}, vec_env_cls=SubprocVecEnv, vec_env_kwargs=settings
    )
    try:
        seen = rooms.reset()
        alone = [gymnasium.make(NAMED).reset(seed=seed)[0] for seed in (0, 1)]
        assert np.array_equal(seen, alone)
        assert rooms.step(np.array([UP, DOWN]))[0].shape == seen.shape
    finally:
        rooms.close()


@pytest.mark.slow
def test_ppo_of_stable_baselines_learns_to_reach_the_door():
    from bench.rival import door_share, new_agent  # slow to import

    threads = torch.get_num_threads()
    unseen = gymnasium.make_vec("innerlab/RedDoors-v0", num_envs=400, layouts=400, layouts_seed=1)
    model = new_agent(0)
    before = door_share(model, unseen)
    model.learn(24_000)
    assert before < 0.45  # three objects, one of them the door
    assert door_share(model, unseen) > 0.85
    assert torch.get_num_threads() == threads
