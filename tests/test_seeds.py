"""One number shifts every draw of chapters and laboratory; without it, a seed is what the library gets."""

import ast
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_book import ROOT

from innerlab.ensembles.policies import PlainPolicies
from innerlab.parallel import spread
from innerlab.seeds import (
    DATA,
    INITIALIZATION,
    SHIFT,
    current_shift,
    numpy_generator,
    shifted,
    torch_generator,
    with_shift,
)
from innerlab.statistics import bootstrap_interval
from innerlab.store import Recipe, stored
from innerlab.worlds.red_doors import RedDoors
from innersite.execution import Book
from innersite.keys import as_python

SEEDING = {"manual_seed", "default_rng", "SeedSequence", "RandomState", "set_seed"}
# Cases of checks are fixed, wherever they are judged.
FREE = ("innerlab/seeds.py", "innerlab/checks/", "innerlab/chapters/*/checks.py")


def first(generator) -> float:
    return float(torch.rand((), generator=generator))


def test_without_a_shift_a_seed_is_the_librarys_own(monkeypatch):
    monkeypatch.delenv(SHIFT, raising=False)
    assert current_shift() == 0
    assert first(torch_generator(7)) == first(torch.Generator().manual_seed(7))
    assert numpy_generator(7).random() == np.random.default_rng(7).random()
    assert shifted(7) == 7


def test_every_shift_stream_and_seed_draws_its_own_numbers():
    drawn = []
    for shift in (0, 1, 2):
        with with_shift(shift):
            drawn += [
                first(torch_generator(seed, stream)) for seed in range(5) for stream in (None, INITIALIZATION, DATA)
            ]
            drawn += [numpy_generator(seed).random() for seed in range(5)]
    assert len(set(drawn)) == len(drawn) == 3 * 5 * 4


def test_the_environment_sets_it_and_a_block_goes_before(monkeypatch):
    monkeypatch.setenv(SHIFT, "3")
    outside = first(torch_generator(1))
    with with_shift(3):
        assert first(torch_generator(1)) == outside
    with with_shift(0):
        assert shifted(1) == 1
        with with_shift(5):
            assert current_shift() == 5
        assert current_shift() == 0
    assert current_shift() == 3


@pytest.mark.parametrize("text", ["-1", "1.5", "one", "²"])
def test_what_is_no_shift_is_refused(monkeypatch, text):
    monkeypatch.setenv(SHIFT, text)
    with pytest.raises(ValueError, match=f"{SHIFT} is '{text}'"):
        torch_generator(1)


def test_negative_numbers_are_refused():
    for call in (shifted, torch_generator, numpy_generator):
        with pytest.raises(ValueError, match="seed is -1"):
            call(-1)
    with pytest.raises(ValueError, match="shift is -2"), with_shift(-2):
        pass


def test_the_laboratory_follows_networks_rooms_and_resamples():
    def everything():
        rooms = RedDoors().sample(20, seed=1)
        weights = next(iter(PlainPolicies([0], rooms).parameters()))
        return rooms.start, weights.detach(), torch.tensor(bootstrap_interval(np.arange(20.0), np.mean, seed=1))

    plain = everything()
    with with_shift(1):
        moved, again = everything(), everything()
    for before, after, same in zip(plain, moved, again, strict=True):
        assert not torch.equal(before, after)
        assert torch.equal(after, same)


def test_processes_that_share_the_work_draw_on_the_same_shift():
    with with_shift(4):
        here = [first(torch_generator(seed)) for seed in range(4)]
        assert spread(lambda seed: first(torch_generator(seed)), [(seed,) for seed in range(4)]) == here


def untrained():
    return PlainPolicies([3], RedDoors().sample(5, seed=1), hidden=4)


def test_stored_agents_do_not_move(tmp_path):
    recipe = Recipe(untrained, lambda policies: policies)
    with with_shift(6):
        moved = stored("seeds/one", recipe, folder=tmp_path)
    assert all(map(torch.equal, moved.parameters(), untrained().parameters()))


def unshifted(tree: ast.AST) -> list[int]:
    """Return the lines on which a generator is seeded past `innerlab.seeds`."""

    def is_shifted(value: ast.expr) -> bool:
        return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "shifted"

    found = []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        given = list(call.args) if name in SEEDING else []
        given += [keyword.value for keyword in call.keywords if keyword.arg == "random_state" or name in SEEDING]
        if (name in SEEDING and not given) or not all(map(is_shifted, given)):
            found.append(call.lineno)
    return found


def test_chapters_and_laboratory_draw_only_by_way_of_the_seeds():
    found = {}
    for path in sorted((ROOT / "innerlab").rglob("*.py")):
        name = path.relative_to(ROOT)
        if not any(name.match(free) or name.is_relative_to(free) for free in FREE):
            found[name.as_posix()] = unshifted(ast.parse(path.read_text("utf8")))
    for name, _, notebook in Book.from_folder(ROOT).notebooks():
        for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
            found.setdefault(f"book/{name}.md", []).extend(unshifted(ast.parse(as_python(cell.source))))
    assert len(found) > 60
    seeded = {name: lines for name, lines in found.items() if lines}
    assert not seeded, f"take torch_generator, numpy_generator or shifted of innerlab.seeds here: {seeded}"


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("g = torch.Generator().manual_seed(3)", [1]),
        ("torch.manual_seed(shifted(3))", []),
        ("g = np.random.default_rng(seed)", [1]),
        ("g = default_rng()", [1]),
        ("fit(random_state=0)", [1]),
        ("fit(random_state=shifted(0))", []),
        ("g = torch_generator(3)", []),
    ],
)
def test_bare_seeds_are_seen(code, lines):
    assert unshifted(ast.parse(code)) == lines


def test_the_files_that_are_free_are_there():
    for free in FREE:
        assert list(Path(ROOT).glob(free.rstrip("/"))), free
