"""In a course's folder, points go into nbgrader's gradebook, and what persons say there comes back."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from handed_in import CHAPTER, QUICK, ROOT, notebook, put, right
from nbgrader.api import Gradebook

from innerlab.checks import course
from innerlab.checks.release import exercises_in, released
from innerlab.marking.command import grade
from innerlab.marking.marks import BY_PERSON, MARKED_BY_PERSON

pytestmark = [pytest.mark.slow, pytest.mark.confined]
POINTS = exercises_in(released(ROOT / "solutions" / f"{CHAPTER}.md"))
WRITTEN = "They go for whatever is red."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A course with three submissions, one of them late and one unreadable, marked once."""
    folder, book = tmp_path_factory.mktemp("course"), tmp_path_factory.mktemp("book")
    (book / "solutions").mkdir()
    shutil.copy(ROOT / "solutions" / f"{CHAPTER}.md", book / "solutions")  # a course of all chapters takes its time
    assert course.write_course(book, folder) == [CHAPTER]
    with (folder / "nbgrader_config.py").open("a") as file:
        exchange = tmp_path_factory.mktemp("exchange")
        exchange.chmod(0o777)
        file.write(f'\nc.LateSubmissionPlugin.penalty_method = "zero"\nc.Exchange.root = {str(exchange)!r}\n')
    with Gradebook(f"sqlite:///{folder}/gradebook.db") as gradebook:
        gradebook.update_or_create_assignment(CHAPTER, duedate="2026-10-01 12:00:00 UTC")
    submitted = folder / "submitted"
    put(submitted, "ada", json.dumps(notebook(**right(*QUICK), explain=WRITTEN)).encode())
    put(submitted, "late", json.dumps(notebook(**right("labels"))).encode())
    put(submitted, "cut", b"{")
    for student, day in (("ada", 1), ("late", 2), ("cut", 1)):
        (submitted / student / CHAPTER / "submission_secret.txt").write_text(f"secret of {student}")
        (submitted / student / CHAPTER / "timestamp.txt").write_text(f"2026-10-0{day} 11:00:00 UTC")
    grade(ROOT, submitted, folder)
    return folder


def in_gradebook(folder, student):
    with Gradebook(f"sqlite:///{folder}/gradebook.db") as gradebook:
        own = gradebook.find_submission_notebook(CHAPTER, CHAPTER, student)
        grades = {one.name.removeprefix("check-"): (one.auto_score, one.needs_manual_grade) for one in own.grades}
        return grades, own.score, own.late_submission_penalty


def test_points_are_in_the_gradebook_and_written_answers_wait_for_a_person(folder):
    grades, score, penalty = in_gradebook(folder, "ada")
    quick = {name: (POINTS[name], False) for name in QUICK}
    rest = {name: (0, False) for name in POINTS if name not in QUICK and name != "explain"}
    assert grades == quick | rest | {"explain": (None, True)}
    assert (score, penalty) == (sum(POINTS[name] for name in QUICK), None)
    assert in_gradebook(folder, "cut")[1] == 0


def test_late_work_loses_what_the_courses_own_rule_takes(folder):
    assert in_gradebook(folder, "late")[1:] == (POINTS["labels"], POINTS["labels"])
    with (folder / "gradebook.csv").open(newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert rows["late"]["total"] == "0"
    assert "taken off for being late" in (folder / "feedback" / "late" / CHAPTER / f"{CHAPTER}.html").read_text()


def test_what_nbgrader_exports_is_what_we_write(folder):
    course.run_nbgrader(folder, "export")
    with (folder / "exported.csv").open(newline="") as file:
        theirs = {row["student_id"]: row for row in csv.DictReader(file) if row["assignment"] == CHAPTER}
    assert float(theirs["ada"]["raw_score"]) == sum(POINTS[name] for name in QUICK)
    assert float(theirs["late"]["score"]) == 0


def test_nbgrader_releases_our_pages(folder):
    course.run_nbgrader(folder, "release_assignment", CHAPTER)
    course.run_nbgrader(folder, "release_feedback", CHAPTER)
    (root,) = [
        line.split("'")[1] for line in (folder / "nbgrader_config.py").read_text().splitlines() if "root" in line
    ]
    released = {path.read_text() for path in Path(root).rglob("*.html")}
    pages = folder / "feedback"
    assert released == {(pages / name / CHAPTER / f"{CHAPTER}.html").read_text() for name in ("ada", "late", "cut")}


def test_formgrader_finds_the_notebooks(folder):
    for student in ("ada", "late"):
        path = folder / "autograded" / student / CHAPTER / f"{CHAPTER}.ipynb"
        cells = {cell["id"]: cell for cell in json.loads(path.read_text())["cells"]}
        assert set(POINTS) <= {name.removeprefix("check-") for name in cells}
    own = json.loads((folder / "autograded" / "ada" / CHAPTER / f"{CHAPTER}.ipynb").read_text())
    assert WRITTEN in json.dumps(own)


def test_what_a_person_says_stays_and_comes_into_every_table(folder):
    with Gradebook(f"sqlite:///{folder}/gradebook.db") as gradebook:
        for name, points, said in (("explain", 2.5, "Name the control."), ("check-lean", 1.0, "")):
            gradebook.find_grade(name, CHAPTER, CHAPTER, "ada").manual_score = points
            if said:
                gradebook.find_comment("explain", CHAPTER, CHAPTER, "ada").manual_comment = said
        gradebook.db.commit()
    for _ in range(2):
        results = grade(ROOT, folder / "submitted", folder)
        (ada,) = (result for result in results if result.student == "ada")
        marks = {mark.exercise: mark for mark in ada.marks}
        assert (marks["explain"].points, marks["explain"].status) == (2.5, MARKED_BY_PERSON)
        assert marks["explain"].reason == "Name the control."
        assert marks["lean"].points == 1.0
        assert ada.points == sum(POINTS[name] for name in QUICK) - POINTS["lean"] + 1.0 + 2.5
        assert in_gradebook(folder, "ada")[1] == ada.points
    with (folder / "gradebook.csv").open(newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert rows["ada"]["total"] == f"{ada.points:g}"
    assert rows["ada"][BY_PERSON] == ""
    page = (folder / "feedback" / "ada" / CHAPTER / f"{CHAPTER}.html").read_text()
    assert "Name the control." in page


def test_a_chapter_that_is_no_assignment_is_an_error(folder, tmp_path):
    shutil.copy(folder / "gradebook.db", tmp_path)
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as gradebook:
        gradebook.remove_assignment(CHAPTER)
    (tmp_path / "nbgrader_config.py").write_text("")
    put(tmp_path / "submitted", "bob", json.dumps(notebook()).encode())
    with pytest.raises(ValueError, match="no assignment of this course"):
        grade(ROOT, tmp_path / "submitted", tmp_path)
