"""The agent store: what is in it is what its code would train, whatever happened to the files."""

import ast
import functools
import os
import pickle
import subprocess
import sys
import time
import warnings
from collections import namedtuple
from pathlib import Path

import jupytext
import pytest
import torch

from innerlab import store
from innerlab.ensembles.policies import PlainPolicies
from innerlab.imports import imported_files
from innerlab.store import Recipe, stored
from innerlab.systems.red_doors import recipes
from innerlab.training import ExactGradient, train_exactly
from innerlab.worlds.red_doors import RedDoors

ROOT = Path(__file__).parents[1]
ROOMS = RedDoors().sample(20, seed=1)
trainings = []


def untrained():
    return PlainPolicies([3, 4], ROOMS, hidden=4)


def train(policies):
    trainings.append("one")
    return train_exactly(policies, ROOMS, ExactGradient(2, layouts=2)).policies


TINY = Recipe(untrained, train)


def train_slowly(policies):
    with open(os.environ["TRAININGS"], "a") as file:
        file.write("one\n")
    time.sleep(1)  # whoever asks meanwhile finds nothing yet
    return train(policies)


SLOW = Recipe(untrained, train_slowly)


@pytest.fixture
def tiny(tmp_path):
    """Ask for the tiny ensemble, in a store of its own; say how often it was trained."""
    trainings.clear()
    return lambda **settings: (stored("tiny/two", TINY, **{"folder": tmp_path} | settings), len(trainings))


def kept(folder):
    """The names of all files of a store, but for the empty ones by which processes wait for one another."""
    return sorted(file.name for file in folder.rglob("*.*") if file.suffix != ".lock" or file.stat().st_size)


def same(one, other):
    pairs = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    return one.seeds == other.seeds and all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


# Storing


def test_agents_are_trained_once_and_come_back_the_same(tiny, tmp_path):
    (first, once), (again, still) = tiny(), tiny()
    assert (once, still) == (1, 1)
    assert type(again) is PlainPolicies
    assert same(first, again)
    assert same(first, train(untrained()))
    assert not same(first, untrained())
    assert kept(tmp_path) == ["two.pt"]  # nothing half-made is left


def test_what_is_handed_out_is_the_callers_own(tiny):
    first, _ = tiny()
    with torch.no_grad():
        first.weight_2.zero_()
    assert not same(first, tiny()[0])


def test_the_environment_names_the_place(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("INNERLAB_AGENTS", str(tmp_path / "elsewhere"))
    assert tiny(folder=None)[1] == 1
    assert (tmp_path / "elsewhere" / "tiny" / "two.pt").is_file()
    assert tiny()[1] == 2  # an argument comes first


def test_the_place_is_in_the_checkout_or_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.delenv("INNERLAB_AGENTS", raising=False)
    assert store.store() == ROOT / "_build" / "agents"
    monkeypatch.setattr(store, "LABORATORY", tmp_path / "innerlab")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert store.store() == tmp_path / ".cache" / "innerlab" / "agents"


# Files that are not what they should be


def test_another_key_is_trained_again_without_a_word(tiny, monkeypatch):
    assert tiny()[1] == 1
    monkeypatch.setattr(torch, "__version__", "9.9")
    assert tiny()[1] == 2
    assert tiny()[1] == 2


class Harmful:
    def __reduce__(self):
        return (os.mkdir, (Harmful.folder,))


def harmful(path):
    Harmful.folder = str(path.parent / "harm")
    path.write_bytes(pickle.dumps(Harmful(), protocol=2))  # the protocol of torch itself


def of_other_shapes(path):
    content = torch.load(path, weights_only=True)
    content["weights"]["weight_2"] = torch.zeros(1)
    torch.save(content, path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"not a file of torch"),
        lambda path: path.write_bytes(path.read_bytes()[:500]),
        lambda path: torch.save({"weights": {}}, path),
        lambda path: torch.save([1, 2], path),
        of_other_shapes,
        harmful,
    ],
    ids=["empty", "text", "cut", "no key", "no dictionary", "shapes", "harmful"],
)
def test_a_broken_file_is_made_again_with_a_warning(tiny, tmp_path, damage):
    first, _ = tiny()
    damage(tmp_path / "tiny" / "two.pt")
    with pytest.warns(UserWarning, match=r"two\.pt could not be read \(.+\); the agents are trained again") as caught:
        again, count = tiny()
    assert caught[0].filename == __file__  # it points at who asked
    assert count == 2
    assert same(first, again)
    assert tiny()[1] == 2
    assert not (tmp_path / "tiny" / "harm").exists()


def test_a_folder_that_cannot_be_written_costs_a_warning_only(tiny, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.warns(UserWarning, match="could not be stored .*INNERLAB_AGENTS can name another folder"):
        found, _ = tiny(folder=tmp_path / "file")
    assert same(found, train(untrained()))


def test_writing_that_fails_leaves_what_is_there(tiny, tmp_path, monkeypatch):
    first, _ = tiny()

    def fail(content, file):
        file.write(b"half")
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(torch, "save", fail)
        patched.setattr(torch, "__version__", "9.9")  # so that there is something to write
        with pytest.warns(UserWarning, match="no space left"):
            tiny()
    assert kept(tmp_path) == ["two.pt"]
    found, count = tiny()
    assert same(found, first)
    assert count == 2


RACE = """
import sys
sys.path.insert(0, sys.argv[2])
import test_store as t
print("ready", flush=True)
sys.stdin.readline()  # until the other is there too
assert t.same(t.stored("tiny/slow", t.SLOW, folder=sys.argv[1]), t.train(t.untrained()))
for _ in range(6):
    assert t.same(t.stored("tiny/two", t.TINY, folder=sys.argv[1]), t.stored("tiny/two", t.TINY, folder=sys.argv[1]))
    (t.Path(sys.argv[1]) / "tiny" / "two.pt").unlink(missing_ok=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows does not remove a file that another process reads")
def test_two_processes_at_once(tmp_path, tiny, monkeypatch):
    monkeypatch.setenv("TRAININGS", str(tmp_path / "trainings"))
    command = [sys.executable, "-W", "error", "-c", RACE, str(tmp_path), str(Path(__file__).parent)]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    both = [subprocess.Popen(command, **pipes, encoding="utf-8") for _ in range(2)]
    assert [process.stdout.readline() for process in both] == ["ready\n", "ready\n"]
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate()[1] for process in both] == ["", ""]
    assert (tmp_path / "trainings").read_text() == "one\n"  # the second waited, and read
    assert same(tiny()[0], train(untrained()))
    assert kept(tmp_path) == ["slow.pt", "two.pt"]


# Keys

PACKAGE = {
    "innerlab/__init__.py": "",
    "innerlab/base.py": "X = 1\n",
    "innerlab/alone.py": "",
    "innerlab/worlds/__init__.py": "import torch\nfrom innerlab.worlds.grid import G\n",
    "innerlab/worlds/grid.py": "from ..base import X\nG = X\n",
    "innerlab/late.py": "",
    "recipe.py": "import innerlab.worlds\n\ndef make():\n    from innerlab import late\n",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    for name, text in PACKAGE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(store, "LABORATORY", tmp_path / "innerlab")
    return tmp_path


def test_imports_are_followed(package):
    found = imported_files([(package / "recipe.py").read_text()], package)
    assert {file.relative_to(package).as_posix() for file in found} == set(PACKAGE) - {
        "innerlab/alone.py",
        "recipe.py",
    }


def key_of(package, name="tiny"):
    variables = {}
    file = package / "recipe.py"
    exec(compile(file.read_text(), str(file), "exec").replace(co_filename=str(file)), {"__name__": "x"}, variables)
    return store.key(name, Recipe(variables["make"], variables["make"]))


@pytest.mark.parametrize("name", sorted(PACKAGE))
def test_the_key_changes_with_what_is_imported_and_with_nothing_else(package, name, monkeypatch):
    monkeypatch.setattr(store.inspect, "getsourcefile", lambda function: function.__code__.co_filename)
    monkeypatch.setitem(sys.modules, "innerlab.worlds", store)  # the file's own import is not at issue here
    before = key_of(package)
    text = (package / name).read_text()
    (package / name).write_text(text + "# more\n")
    assert (key_of(package) == before) == (name == "innerlab/alone.py")
    (package / name).write_bytes(text.replace("\n", "\r\n").encode())
    assert key_of(package) == before


def test_the_key_changes_with_name_torch_and_python(monkeypatch):
    keys = [store.key("a", TINY), store.key("b", TINY)]
    with monkeypatch.context() as patched:
        patched.setattr(torch, "__version__", "9.9")
        keys.append(store.key("a", TINY))
    version = namedtuple("Version", "major minor micro releaselevel serial")
    monkeypatch.setattr(sys, "version_info", version(3, 99, 0, "final", 0))
    keys.append(store.key("a", TINY))
    assert len(set(keys)) == 4


def test_the_key_of_a_real_recipe_covers_the_trainer_and_not_the_figures():
    files = {file.name for file in imported_files([Path(recipes.__file__).read_text("utf8")], ROOT)}
    assert {"training.py", "policies.py", "gridworld.py", "red_doors.py", "seeds.py"} <= files
    assert not {"figures.py", "claims.py", "environments.py"} & files


# Errors


@pytest.mark.parametrize("name", ["", "../up", "/absolute", "Red", "a//b", "a\\b", "a/"])
def test_a_wrong_name_is_shown(name, tmp_path):
    with pytest.raises(ValueError, match=r"words of a-z, 0-9, '_' and '-', joined by '/', were expected"):
        stored(name, TINY, folder=tmp_path)


def test_an_unknown_name_lists_the_known_ones(tmp_path):
    with pytest.raises(ValueError, match=r"name is 'red_doors/none'; .*one of detection/suite, .*red_doors/plain, "):
        stored("red_doors/none", folder=tmp_path)


@pytest.mark.parametrize("function", [PlainPolicies.__init__.__call__, eval("lambda policies: policies")])
def test_a_function_without_a_file_is_shown(function, tmp_path):
    with pytest.raises(ValueError, match=r"train of the recipe for 'tiny' is <.*written in a \.py file"):
        stored("tiny", Recipe(untrained, function), folder=tmp_path)


# The recipes


@pytest.fixture
def recorded(monkeypatch):
    """Let nothing be trained; return what would have been."""
    asked = []

    def record(policies, world, settings, *rest, **more):
        asked.append((policies, world, settings))
        return type("Run", (), {"policies": policies})

    monkeypatch.setattr(recipes, "train_exactly", record)
    return asked


KEPT = {"training_rooms", "mixed_rooms", "seeds", "followed", "plain", "salient", "detectors", "runs"}
KEPT |= {"met", "in_mazes", "smellers", "maze_runs"}


@functools.cache
def said_by_chapter():
    """Run only those statements of the chapter that make and train the named ensembles; return what was trained."""
    asked, variables = [], {}

    def record(policies, world, settings, *rest, **more):
        asked.append((policies, world, settings))
        return type("Run", (), {"policies": policies})

    cells = jupytext.read(ROOT / "book" / "pseudo_alignment.md").cells
    for cell in (cell for cell in cells if cell.cell_type == "code"):
        for statement in ast.parse(cell.source).body:
            names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
            target = getattr(statement, "targets", [None])[0]
            assigned = getattr(getattr(target, "value", target), "id", None)
            makes_shuffled = assigned == "runs" and "shuffled_rooms" in names
            if makes_shuffled:
                variables["shuffled_rooms"] = None
            imports = isinstance(statement, ast.ImportFrom) and statement.module.startswith("innerlab.")
            defines = isinstance(statement, ast.FunctionDef) and statement.name in (
                "train",
                "how_they_end",
                "choices_in_mazes",
            )
            repeats = isinstance(statement, ast.For) and {"maze_runs", "train_exactly"} <= names
            if imports or defines or repeats or assigned in KEPT:
                exec(compile(ast.Module([statement], []), "chapter", "exec"), variables)
                variables["train_exactly"] = record
    return asked


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_a_recipe_is_what_the_chapter_trains(name, recorded):
    in_chapter = [(world, settings, policies) for policies, world, settings in said_by_chapter() if world is not None]
    recipes.RECIPES[name].train(recipes.RECIPES[name].untrained())
    ((policies, world, settings),) = recorded
    assert any(
        type(policies) is type(other)
        and getattr(policies, "color_gain", None) == getattr(other, "color_gain", None)
        and same(policies, other)
        and settings == other_settings
        and all(torch.equal(a, b) for a, b in zip(tables(world), tables(other_world), strict=True))
        for other_world, other_settings, other in in_chapter
    )


def tables(world):
    return [table for table in vars(world).values() if isinstance(table, torch.Tensor)]


def test_a_named_recipe_is_stored_like_any_other(tmp_path, recorded):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = stored("red_doors/salient", folder=tmp_path)
    assert found.networks == 64
    assert found.color_gain == 1.5
    assert len(recorded) == 1
    assert same(stored("red_doors/salient", folder=tmp_path), found)
    assert len(recorded) == 1
