"""The bench measures all that it says it does.  No test asserts how fast anything is."""

import importlib.util
import json
import math
import os
import sys

import joblib
import numpy as np
import pytest
import torch
from tiny_book import ROOT, SCRIPTS, TinyBook, cell

from bench import __main__ as bench
from bench import chapters, laboratory, lighthouse, profiles, rival, roofline
from bench.numbers import Number, cpu_seconds, in_turns, number
from innerlab.ensembles.policies import PlainPolicies
from innerlab.training import ExactGradient
from innerlab.worlds.gridworld import egocentric_objects
from innerlab.worlds.red_doors import RedDoors
from innersite.execution import Book

TINY = laboratory.Extent(
    repetitions=2,
    shortest=0.02,
    rooms=50,
    batch=64,
    vector=4,
    steps=3,
    agents=2,
    iterations=1,
    learning=ExactGradient(2),
    unseen=5,
    every=1,
    rivals=1,
    rival_steps=1,
    shares=(0.0, 1.0),
)


# The laboratory


@pytest.mark.slow
def test_the_laboratorys_numbers_are_all_there(tmp_path, capsys):
    assert bench.main(["--laboratory", "--out", str(tmp_path / "new" / "bench.json")], extent=TINY) == 0
    written = json.loads((tmp_path / "new" / "bench.json").read_text())
    printed = capsys.readouterr().out
    for name in (
        "minigrid_ratio", "minigrid_ratio_vector", "ensemble_cost_2", "loop_ratio", "iteration_over_bound",
        "decorrelation_seconds", "import_ratio",
    ):  # fmt: skip
        assert math.isfinite(written[name])
        assert written[name] > 0
        detail = written["details"][name]
        assert 0 < detail["lowest"] <= written[name] <= detail["highest"]
        assert detail["meaning"].split()[0] in printed
    assert written["seconds_2_to_95"] is None  # two steps teach nothing
    assert written["rival_ratio"] is None
    assert "not measured" in printed
    assert written["threads"] == 1
    assert written["versions"]["torch"] == torch.__version__
    assert {"date", "commit", "machine", "chapters"} <= set(written)


def test_the_time_to_learn_is_that_of_the_training_alone(monkeypatch):
    """Clocked by a clock that ticks once a reading, and by a test that takes a hundred ticks."""
    clock = iter(range(10**6))
    monkeypatch.setattr(laboratory.time, "process_time", lambda: next(clock))
    tests = []

    def test(policies, unseen):
        for _ in range(100):
            next(clock)
        tests.append(policies)
        return torch.tensor([0.9, 1.0, 0.0, 0.0]).expand(2, 3, 4) if len(tests) > 2 else torch.zeros(2, 3, 4)

    monkeypatch.setattr(laboratory, "outcome_probabilities", test)
    rooms = RedDoors().sample(5, seed=0)
    assert laboratory.seconds_to_learn(TINY, rooms, rooms) == 3  # one tick before each test, none of their own
    assert len(tests) == 3
    tests.clear()
    monkeypatch.setattr(laboratory, "outcome_probabilities", lambda policies, unseen: torch.full((2, 3, 4), 0.9))
    assert laboratory.seconds_to_learn(TINY, rooms, rooms) is None


def test_the_separate_modules_are_the_same_networks():
    rooms = RedDoors().sample(50, seed=1)
    policies = PlainPolicies(range(3), rooms)
    with torch.no_grad():
        for table in policies.parameters():
            table.add_(0.1 * torch.randn(table.shape, generator=torch.Generator().manual_seed(0)))
    obs = egocentric_objects(rooms, torch.arange(50), rooms.start)
    for which in range(3):
        separate = laboratory.Separate(policies, which)
        torch.testing.assert_close(separate(obs[None])[0], policies(obs)[which])
        trained = [table.numel() for table in separate.parameters() if table.requires_grad]
        assert sum(trained) == sum(table[0].numel() for table in policies.parameters())


def test_a_rival_is_clocked_until_it_has_learned_and_its_tests_are_not(monkeypatch):
    """By the same clock as above; the share of doors is given."""
    clock, shares = iter(range(10**6)), iter([0.5, 0.96, 0.97])
    monkeypatch.setattr(rival.time, "process_time", lambda: next(clock))

    def share(model, rooms):
        for _ in range(100):
            next(clock)
        return next(shares)

    monkeypatch.setattr(rival, "door_share", share)
    rollout = rival.COPIES * rival.SETTINGS["n_steps"]
    assert rival.seconds_to_learn(0, 5 * rollout, unseen=2, every=1) == 3  # the ticks between tests, as above
    assert next(shares) == 0.97  # it was not trained on
    monkeypatch.setattr(rival, "door_share", lambda model, rooms: 0.9)
    assert rival.seconds_to_learn(0, rollout, unseen=2, every=1) is None


def test_the_share_of_doors_is_that_of_rooms_played_once():
    class Model:
        def __init__(self, actions):
            self.actions = actions

        def predict(self, obs):
            return np.full(len(obs), self.actions.pop(0) if self.actions else 0), None

    class Rooms:
        """Pays in the second step in every other room, and again in a later episode, which does not count."""

        num_envs = 4

        def reset(self, seed, options):
            self.step_number = 0
            assert list(options["layout"]) == [0, 1, 2, 3]
            return np.zeros((4, 1)), {}

        def step(self, action):
            self.step_number += 1
            over = np.full(4, self.step_number % 2 == 0)
            return np.zeros((4, 1)), over * np.array([1.0, 0.0, 1.0, 0.0]), over, np.zeros(4, bool), {}

    assert rival.door_share(Model([]), Rooms()) == 0.5


def test_the_work_of_a_step_is_counted():
    """A product of 2 × 3 by 3 × 4, forth and back, by hand."""
    weight, seen = torch.ones(3, 4, requires_grad=True), torch.ones(2, 3)

    def step():
        ((seen @ weight) ** 2).sum().backward()

    work = roofline.work_of(step, weight.numel())
    # forth 2·2·3·4 operations, and as many back to the weight; nothing goes back to what is seen
    assert work.operations == 2 * 48
    # kept: what is seen (6 floats) and the products (8 floats), each written and read; parameters are counted apart
    assert work.traffic == 4 * (2 * (6 + 8) + roofline.PER_PARAMETER * 12)
    assert work.bound(1e9, 1e3) == work.traffic / 1e3
    assert work.bound(1.0, 1e9) == work.operations


def test_the_rates_are_of_what_they_say():
    torch.testing.assert_close(roofline.multiply()(), roofline.multiply()())
    assert roofline.copy()().numel() * 2 * 4 == roofline.MOVED


def test_run_py_passes_arguments_on(monkeypatch):
    spec = importlib.util.spec_from_file_location("run", ROOT / "run.py")
    run = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(run)
    started = []
    monkeypatch.setattr(run, "set_up", lambda: None)
    monkeypatch.setattr(run, "run", lambda command: started.append(command) or 5)
    assert run.main(["bench", "--laboratory"]) == 5
    assert started == [[run.PYTHON, "-m", "bench", "--laboratory"]]


# Pages


def test_without_lighthouse_the_scores_are_missing_and_it_is_said_how_to_get_them(tmp_path, capsys):
    assert bench.main(["--pages", "--out", str(tmp_path / "bench.json")], root=tmp_path) == 0
    said = capsys.readouterr()
    assert lighthouse.HOW_TO_INSTALL in said.err
    written = json.loads((tmp_path / "bench.json").read_text())
    scores = {name: score for name, score in written.items() if name.startswith("glossary: ")}
    assert scores == {f"glossary: {name}": None for name in lighthouse.CATEGORIES}
    assert "minigrid_ratio" not in written


# Measuring


def test_jobs_take_turns_after_a_first_time_that_does_not_count():
    order = []
    rows = in_turns(2, 0.0, lambda: order.append("a"), lambda: order.append("b"))
    assert order == ["a", "b", "a", "b", "a", "b"]
    assert [len(row) for row in rows] == [2, 2]


def test_a_short_job_is_repeated_until_the_clock_can_see_it(monkeypatch):
    ticks = iter([0, 0, 1, 1, 4])
    monkeypatch.setattr("bench.numbers.time.process_time", lambda: next(ticks))
    jobs = []
    assert cpu_seconds(lambda: jobs.append(1), 4) == 4 / 3
    assert len(jobs) == 3


def test_a_number_is_a_median_with_its_range():
    assert number("n", [3.0, 9.0, 4.0], "s", "m") == Number("n", 4.0, "s", "m", 3.0, 9.0)
    assert number("n", [], "s", "m", aim=1, ceiling=2) == Number("n", None, "s", "m", aim=1, ceiling=2)


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        (number("n", [1234.5], "s", "m", aim=1, ceiling=2000), ["1,23", "aim 1, ceiling 2,000\n"]),
        (number("n", [3.14159], "s", "m", aim=1, ceiling=2), ["3.14 s", "ceiling 2: OVER\n"]),
        (number("n", [1.0, 2.0, 4.0], "×", "m"), ["2 ×    [1 to 4]\n"]),
        (number("n", [], "s", "m", aim=1, ceiling=2), ["not measured  aim 1, ceiling 2\n"]),
    ],
)
def test_a_number_is_shown_with_its_range_and_its_budget(given, parts):
    shown = bench.line(given)
    assert all(part in shown for part in parts), shown
    assert shown.endswith("\n    m")


# The book


@pytest.mark.slow
def test_a_chapters_time_and_memory_are_found(tmp_path, monkeypatch, capsys):
    tiny = TinyBook(tmp_path)
    heavy = cell("block = bytearray(300 * 2**20)\nblock[::4096] = bytes(len(block[::4096]))")
    work = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'sum(range(40_000_000))'], check=True)"
    tiny.chapters(
        light=cell("1 + 1"),
        heavy=heavy + cell("del block"),
        later=cell("import time") + cell("time.sleep(1)") + cell("2") + cell(work),  # a kernel is busy at first
    )
    monkeypatch.setattr(bench, "UNCHANGED", {"aim": 0, "ceiling": 0})
    built = []
    monkeypatch.setattr(chapters, "build", lambda root: built.append(tiny.build().code) or 2.5)
    numbers = []
    found = bench.measure_book(tmp_path, numbers)
    assert built == [0, 0]
    assert set(found) == {"light", "heavy", "later"}
    assert all(chapter.up_to_date and chapter.cold_seconds > 0 for chapter in found.values())
    _, asleep, _, in_child = found["later"].run.cells
    assert asleep.source == "time.sleep(1)"
    assert asleep.wall_seconds >= 1
    assert asleep.cpu_seconds < asleep.wall_seconds / 2
    if sys.platform == "linux":  # elsewhere what a process has used is forgotten when it ends
        assert in_child.cpu_seconds > 0.1  # the cell itself does next to nothing
    assert found["later"].run.seconds > asleep.wall_seconds + in_child.wall_seconds
    if sys.platform != "win32":
        assert 250 * 2**20 < found["heavy"].run.peak_bytes - found["light"].run.peak_bytes < 400 * 2**20
    total, unchanged = numbers
    assert total.value == sum(chapter.cold_seconds for chapter in found.values())
    assert unchanged.value == 2.5
    printed = capsys.readouterr().out
    assert "heavy: memory" in printed
    assert "slowest cell" in printed
    assert "ceiling 0: OVER" in printed


def test_a_chapter_that_was_never_executed_has_no_time(tmp_path):
    tiny = TinyBook(tmp_path)
    tiny.chapters(light=cell("1 + 1"))
    found = chapters.measure(tmp_path, report=lambda text: None)
    assert found["light"].cold_seconds is None
    assert not found["light"].up_to_date
    shown = "\n".join(map(bench.line, bench.of_chapter("light", found["light"])))
    assert "not measured" in shown
    assert "of an earlier state" in shown


def test_a_build_is_timed_and_a_failed_one_is_told(tmp_path, monkeypatch, capsys):
    assert chapters.build(tmp_path, [sys.executable, "-c", "import time; time.sleep(0.5)"]) >= 0.5
    with pytest.raises(RuntimeError, match="the book was not built:\nline 3"):
        chapters.build(tmp_path, [sys.executable, "-c", "print('line 3'); raise SystemExit(1)"])

    def fail(root):
        raise RuntimeError("the book was not built")

    monkeypatch.setattr(chapters, "build", fail)
    monkeypatch.setattr(laboratory, "measure", lambda extent: iter(()))
    assert bench.main(["--out", str(tmp_path / "bench.json")], root=tmp_path) == 1
    assert "the book was not built" in capsys.readouterr().err
    assert not (tmp_path / "bench.json").exists()


# Profiles


@pytest.mark.slow
def test_a_profile_is_of_one_core_and_the_cold_book_is_built_aside(tmp_path, monkeypatch, capsys):
    tiny = TinyBook(tmp_path)
    cores = "import joblib, os\nwith open('cores', 'a') as file:\n    print(joblib.cpu_count(), file=file)"
    wait = cell("# a comment\n\nimport time") + cell("time.sleep(0.3)")
    tiny.chapters(counts=cell(cores), waits=wait, goes=cell("3"))
    before = os.environ.get("INNERLAB_AGENTS"), joblib.cpu_count()
    monkeypatch.setattr(profiles, "SHORTEST", 0.01)
    monkeypatch.setattr(chapters, "COMMAND", (SCRIPTS / "jupyter-book", "build", "-W", "-n", "--keep-going", tmp_path))
    assert bench.main(["--profile"], root=tmp_path) == 0
    assert (tmp_path / "book" / "cores").read_text().split() == [str(joblib.cpu_count()), "1"]
    assert (os.environ.get("INNERLAB_AGENTS"), joblib.cpu_count()) == before
    assert not (tmp_path / "_build" / "html").exists()  # nor is anything there taken or replaced
    assert not Book.from_folder(tmp_path).cache.list_cache_records()
    assert "cold_over_cells" in capsys.readouterr().out
    written = profiles.read(tmp_path)
    assert list(written["chapters"]) == ["counts", "goes", "waits"]
    walls = [chapter["wall"] for chapter in written["chapters"].values()]
    assert written["book"]["cold_over_cells"] == pytest.approx(written["book"]["cold_seconds"] / sum(walls), rel=0.05)
    waits = written["chapters"]["waits"]
    assert [of_cell["begins"] for of_cell in waits["cells"]] == ["import time", "time.sleep(0.3)"]
    assert sum(of_cell["share"] for of_cell in waits["cells"]) == pytest.approx(1, abs=0.01)
    assert waits["cells"][1]["share"] > 0.5
    assert waits["cells"][1]["wall"] >= 0.3
    assert waits["cells"][1]["in_build"] >= 0.3
    assert waits["units"] == pytest.approx(waits["cpu"] / waits["unit_seconds"], rel=0.05)
    assert waits["versions"]["torch"] == torch.__version__
    assert profiles.complaints(tmp_path) == []

    tiny.chapters(counts=cell("4"), waits=wait, comes=cell("5"))
    (tmp_path / "book" / "goes.md").unlink()
    lacks, changed, gone = profiles.complaints(tmp_path)
    assert "lacks comes" in lacks
    assert "earlier counts, 1 of whose 1 cells" in changed
    assert "still has goes" in gone
    assert bench.main(["--profile", "comes"], root=tmp_path) == 0
    again = profiles.read(tmp_path)
    assert list(again["chapters"]) == ["comes", "counts", "waits"]
    assert again["chapters"]["comes"]["in_build"] is None  # nothing was built
    for part in ("counts", "waits"):
        assert again["chapters"][part] == written["chapters"][part]
    assert again["book"] == written["book"]
    assert profiles.complaints(tmp_path) == [changed]
    assert bench.main(["--profile", "nowhere"], root=tmp_path) == 1
    assert "no chapter is called nowhere; there are comes, counts, waits" in capsys.readouterr().err


def test_a_profile_has_a_line_for_each_cell():
    content = {"chapters": {"a": {"wall": 1.5, "cells": [{"x": 1}, {"x": None, "y": "{ü"}]}}, "book": None}
    text = profiles.laid_out(content)
    assert json.loads(text) == content
    assert '        {"x": null, "y": "{ü"}' in text.splitlines()


def test_every_chapter_has_its_profile():
    """Cells may have changed since; then the bench says so, as this does."""
    chapters_now = [name for name, *_ in Book.from_folder(ROOT).notebooks()]
    written = list(profiles.read(ROOT)["chapters"])
    assert written == chapters_now, (
        "bench/profiles.json has a profile of every page with code, sorted by name; for a new one run: "
        f"python run.py bench --profile <chapter>. One-sided: {sorted(set(written) ^ set(chapters_now))}"
    )
    print(*profiles.complaints(ROOT), sep="\n")
