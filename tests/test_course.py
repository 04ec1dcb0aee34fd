"""A course folder for nbgrader: it releases the exercise, and gives points to answers and to nothing else."""

import os
import shutil
import sqlite3
import subprocess
import sys

import nbformat
import pytest
from tiny_book import ROOT, SCRIPTS

from innerlab.checks import course, release
from innerlab.checks.records import PLACE

CHAPTER = "deceptive_alignment"  # nothing in it takes long, and one answer is marked by a person
CHAPTERS = [CHAPTER, "learned_learners"]
pytestmark = pytest.mark.slow


def nbgrader(folder, *arguments):
    """Run one of nbgrader's commands in the course folder, as a teacher would."""
    store = os.environ.get("INNERLAB_AGENTS", str(ROOT / "_build" / "agents"))
    path = str(SCRIPTS) + os.pathsep + os.environ.get("PATH", "")
    environment = os.environ | {PLACE: "", "INNERLAB_AGENTS": store, "PATH": path}
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=900)
    return done.returncode, done.stdout + done.stderr


def book_of(root, chapters):
    """Make a folder that holds the exercises of these chapters, as a book does."""
    (root / "solutions").mkdir()
    for name in chapters:
        shutil.copy(ROOT / "solutions" / f"{name}.md", root / "solutions")
    return root


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A course folder with two chapters; each starts nbgrader once more."""
    root = book_of(tmp_path_factory.mktemp("book"), CHAPTERS)
    folder = tmp_path_factory.mktemp("course") / "inner" / "course"
    assert course.write_course(root, folder) == CHAPTERS
    return folder


def test_the_release_is_the_exercise_cell_by_cell(made):
    theirs = nbformat.read(made / "release" / CHAPTER / f"{CHAPTER}.ipynb", as_version=4)
    ours = nbformat.read(ROOT / "exercises" / f"{CHAPTER}.ipynb", as_version=4)
    assert [cell.source.strip() for cell in theirs.cells] == [cell.source.strip() for cell in ours.cells]
    for released, cell in zip(theirs.cells, ours.cells, strict=True):
        about, expected = (one.metadata.get("nbgrader", {}) for one in (released, cell))
        assert {name: about.get(name) for name in expected} == expected
        assert not released.get("outputs")
    assert sorted(path.name for path in (made / "release").rglob("*.*")) == [f"{name}.ipynb" for name in CHAPTERS]


def test_writing_it_again_keeps_what_a_teacher_changed(made, tmp_path):
    """One chapter will do; the others' releases stay as they are."""
    book_of(tmp_path, [CHAPTER])
    before = {path: path.stat().st_mtime_ns for path in (made / "release").rglob("*.ipynb")}
    configuration = made / "nbgrader_config.py"
    configuration.write_text(configuration.read_text() + "# mine\n")
    (made / "submitted").mkdir(exist_ok=True)
    (made / "submitted" / "kept").touch()
    assert course.write_course(tmp_path, made) == [CHAPTER]
    now = {path: path.stat().st_mtime_ns for path in (made / "release").rglob("*.ipynb")}
    assert [path.stem for path in before if now[path] != before[path]] == [CHAPTER]
    assert configuration.read_text().endswith("# mine\n")
    assert (made / "submitted" / "kept").exists()
    (made / "submitted" / "kept").unlink()


def test_a_file_in_the_way_is_a_clear_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="is a file"):
        course.write_course(ROOT, tmp_path / "file")


def test_a_release_that_holds_an_answer_is_an_error(made, tmp_path):
    source = ROOT / "solutions" / f"{CHAPTER}.md"
    folder = tmp_path / CHAPTER
    folder.mkdir()
    shutil.copy(made / "source" / CHAPTER / f"{CHAPTER}.ipynb", folder)
    with pytest.raises(RuntimeError, match="not the exercise"):
        course._must_match(folder, source)
    shutil.copy(made / "release" / CHAPTER / f"{CHAPTER}.ipynb", folder)
    course._must_match(folder, source)
    (folder / "answers.md").touch()
    with pytest.raises(RuntimeError, match="holds more than the notebook"):
        course._must_match(folder, source)


def test_points_are_given_to_answers_and_not_to_stubs(made):
    """The solution is handed in by one student and the untouched notebook by another, and both are marked."""
    sources = {"able": made / "source" / CHAPTER, "idle": made / "release" / CHAPTER}
    for student, source in sources.items():
        target = made / "submitted" / student / CHAPTER
        target.mkdir(parents=True)
        shutil.copy(source / f"{CHAPTER}.ipynb", target)
    code, said = nbgrader(made, "autograde", CHAPTER, "--create")
    assert code == 0, said
    notebook = release.released(ROOT / "solutions" / f"{CHAPTER}.md")
    points = release.exercises_in(notebook)
    manual = {cell.id for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("solution")} & {
        cell.id for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")
    }
    assert manual
    with sqlite3.connect(made / "gradebook.db") as gradebook:
        rows = gradebook.execute(
            "SELECT submitted_assignment.student_id, base_cell.name, grade.auto_score, grade.needs_manual_grade "
            "FROM grade JOIN base_cell ON base_cell.id = grade.cell_id "
            "JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id "
            "JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id"
        ).fetchall()
    gradebook.close()
    scores = {student: {} for student in sources}
    for student, name, score, by_hand in rows:
        own = name.removeprefix("check-")
        scores[student][own] = None if own in manual else score
        # an untouched written answer needs nobody
        assert bool(by_hand) == (own in manual and student == "able")
    assert scores["able"] == {own: None if own in manual else worth for own, worth in points.items()}
    assert scores["idle"] == {own: None if own in manual else 0.0 for own in points}


@pytest.mark.parametrize(("kind", "passes"), [("source", True), ("release", False)])
def test_validate_accepts_the_solution_and_rejects_the_untouched_notebook(made, kind, passes):
    _, said = nbgrader(made, "validate", f"{kind}/{CHAPTER}/{CHAPTER}.ipynb")
    assert ("Success! Your notebook passes all the tests." in said) == passes
    assert ("NotPassed" in said) != passes
