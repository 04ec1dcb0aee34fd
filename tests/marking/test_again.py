"""Marking again: after being killed, after a submission or a check has changed; and any part of the exercises."""

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool

import pytest
from handed_in import CHAPTER, QUICK, ROOT, notebook, put, right

from innerlab import checks
from innerlab.checks.release import exercises_in, released
from innerlab.marking import command, marks
from innerlab.marking.command import grade
from innerlab.marking.marks import Chapter, Submission, key_of, master_seed, seed_of
from innerlab.marking.pages import for_person
from innerlab.marking.submissions import Answer

pytestmark = pytest.mark.confined
POINTS = exercises_in(released(ROOT / "solutions" / f"{CHAPTER}.md"))


def subsets(count, seed):
    draw = random.Random(seed)
    return {f"student-{n}": [name for name in QUICK if draw.random() < 0.5] for n in range(count)}


@pytest.fixture(scope="module")
def some(tmp_path_factory):
    """Submissions with any of the exercises answered rightly, and the results of one run."""
    folder = tmp_path_factory.mktemp("some")
    answered = subsets(4, seed=5)
    for student, names in answered.items():
        put(folder / "submitted", student, json.dumps(notebook(**right(*names))).encode())
    return folder, answered, grade(ROOT, folder / "submitted", folder / "out")


def test_any_part_of_the_exercises_gives_the_sum_of_exactly_their_points(some):
    folder, answered, results = some
    assert len({tuple(names) for names in answered.values()}) == len(answered) == 4
    assert {result.student: result.points for result in results} == {
        student: sum(POINTS[name] for name in names) for student, names in answered.items()
    }
    with (folder / "out" / "gradebook.csv").open(newline="") as file:
        rows = {row["student"]: float(row["total"]) for row in csv.DictReader(file)}
    assert rows == {result.student: result.points for result in results}


def test_killed_at_any_moment_and_started_again_it_gives_the_same_grades(some, tmp_path, pytestconfig):
    folder, _, _ = some
    out = tmp_path / "out"
    out.mkdir()
    (out / "seed.json").write_bytes((folder / "out" / "seed.json").read_bytes())
    command = [sys.executable, str(ROOT / "run.py"), "grade", str(folder / "submitted"), "--out", str(out)]
    draw = random.Random(7)
    for _ in range(3 if pytestconfig.option.thorough else 1):
        process = subprocess.Popen(
            command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 600
        while not list(out.glob("marks/*/*.json")) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(draw.uniform(0, 2))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    grade(ROOT, folder / "submitted", out)
    for name in ("grades.csv", "gradebook.csv", "canvas.csv", "summary.html"):
        assert (out / name).read_bytes() == (folder / "out" / name).read_bytes(), name


def test_only_what_changed_is_marked_again(some, tmp_path):
    folder, _, before = some
    submitted, out, student = tmp_path / "submitted", tmp_path / "out", "student-0"
    shutil.copytree(folder / "submitted", submitted)
    shutil.copytree(folder / "out", out)
    times = {one: one.stat().st_mtime_ns for one in out.glob("marks/*/*.json")}
    assert len(times) == len(before)
    (submitted / student / CHAPTER / f"{CHAPTER}.ipynb").write_text(json.dumps(notebook(**right(*QUICK))))
    results = grade(ROOT, submitted, out)
    changed = [one.stem for one in out.glob("marks/*/*.json") if one.stat().st_mtime_ns != times[one]]
    assert changed == [student]
    assert {r.student: r.points for r in results}[student] == sum(POINTS[name] for name in QUICK)
    assert [r for r in results if r.student != student] == [r for r in before if r.student != student]


def test_what_marks_depend_on_is_in_their_key(tmp_path):
    chapter = Chapter.read(ROOT, CHAPTER)
    submission = Submission("ada", CHAPTER, tmp_path)
    key = key_of(submission, b"1", chapter, 3)
    assert key == key_of(submission, b"1", Chapter.read(ROOT, CHAPTER), 3)
    others = {
        key_of(submission, b"2", chapter, 3),
        key_of(submission, b"1", chapter, 4),
        key_of(Submission("bob", CHAPTER, tmp_path), b"1", chapter, 3),
        key_of(submission, marks.Unreadable("is empty"), chapter, 3),
        key_of(submission, b"1", Chapter(CHAPTER, chapter.notebook, chapter.points, "another"), 3),
    }
    assert len(others - {key}) == 5


def test_a_check_that_is_mended_changes_the_version(tmp_path, monkeypatch):
    before = Chapter.read(ROOT, CHAPTER).version
    package = tmp_path / "innerlab"
    shutil.copytree(ROOT / "innerlab", package)
    monkeypatch.setattr(marks, "LABORATORY", package)
    assert Chapter.read(ROOT, CHAPTER).version == before
    with (package / "chapters" / CHAPTER / "checks.py").open("a") as file:
        file.write("\n# mended\n")
    assert Chapter.read(ROOT, CHAPTER).version != before


def test_the_seed_is_kept_first_and_never_drawn_again(tmp_path):
    first = master_seed(tmp_path)
    assert master_seed(tmp_path) == first
    assert json.loads((tmp_path / "seed.json").read_text()) == {"seed": first}
    assert seed_of(first, CHAPTER, "lean") == seed_of(first, CHAPTER, "lean") != seed_of(first, CHAPTER, "climb")
    (tmp_path / "seed.json").write_text("{}")
    with pytest.raises(ValueError, match="holds no seed"):
        master_seed(tmp_path)


def test_a_check_that_fails_gives_no_points_and_calls_for_a_person(monkeypatch, tmp_path):
    asked = checks.exercise(f"{CHAPTER}/labels")
    for judge, said in (
        (lambda case, value: 1 / 0, "ZeroDivisionError"),
        (lambda case, value: endless(), "no verdict"),
    ):
        broken = type(asked)(asked.name, asked.returns, judge)
        monkeypatch.setattr(marks.checks, "exercise", lambda name, broken=broken: broken)
        monkeypatch.setattr(marks, "JUDGING_SECONDS", 1)
        chapter = Chapter.read(ROOT, CHAPTER)
        data = json.dumps(notebook(**right("labels"))).encode()
        value = {"dict": {str(n): "sound" for n in range(1, 9)}}

        class Process:
            def ask(self, request, value=value):
                return [{"value": value, "changed": []}]

        result = marks.marked(Submission("ada", CHAPTER, tmp_path), data, "", chapter, 3, Process())
        mark = next(one for one in result.marks if one.exercise == "labels")
        assert (mark.status, mark.points) == (marks.CHECK_FAILED, None)
        assert said in mark.reason
        assert result.points == 0


def endless():
    while True:
        time.sleep(0.01)


def test_whoever_ends_a_worker_is_found_and_the_others_are_marked(tmp_path, monkeypatch):
    """Side by side, a worker ends; alone, only the one that ends it is left without marks."""
    folder = tmp_path / "submitted"
    for student in ("mallory", "oscar"):
        put(folder, student, json.dumps(notebook(**right("labels"))).encode())
    whole = command._side_by_side

    def breaks(task, todo, workers):
        if any(submission.student == "mallory" for submission in todo):
            raise BrokenProcessPool
        return whole(task, todo, workers)

    monkeypatch.setattr(command, "_side_by_side", breaks)
    results = {result.student: result for result in grade(ROOT, folder, tmp_path / "out")}
    assert [results[name].points for name in ("mallory", "oscar")] == [0, POINTS["labels"]]
    assert {mark.status for mark in results["mallory"].marks} == {marks.CHECK_FAILED}
    assert all("was ended" in mark.reason for mark in results["mallory"].marks)
    assert any(who == "mallory" for who, *_ in for_person(list(results.values())))


def test_only_the_cells_that_an_answer_needs_are_run_with_it():
    above = (
        "import numpy as np\nunused = 3",
        "from math import pi as half",
        "def helper(x):\n    return half * np.abs(x)",
        "%matplotlib inline\nshown = helper(2)",
        "this is no Python",
        "for turn in range(3):\n    rooms = [turn]",
    )
    assert marks.needed_cells(Answer("def f(x):\n    return helper(x)", above)) == above[:3]
    assert marks.needed_cells(Answer("f = rooms", above)) == above[5:]
    assert marks.needed_cells(Answer("f = 3", above)) == ()
    assert marks.needed_cells(Answer("no Python either", above)) == ()
