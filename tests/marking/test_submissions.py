"""What was handed in is read without trusting any of it."""

import json
import os
from dataclasses import replace

import pytest
from handed_in import CHAPTER, SOURCE, cell_of, notebook, right, solutions
from hypothesis import given
from hypothesis import strategies as st

from innerlab.checks.release import exercises_in, released
from innerlab.marking.marks import place_of, safe_name
from innerlab.marking.submissions import LARGEST, Submission, Unreadable, answers, content, find

RELEASED = released(SOURCE)
LEAVES = st.none() | st.integers() | st.text(max_size=9)
ANYTHING = st.deferred(
    lambda: LEAVES | st.lists(ANYTHING, max_size=3) | st.dictionaries(st.text(), ANYTHING, max_size=3)
)


def read(found):
    return answers(json.dumps(found).encode(), RELEASED)


def hand_in(submitted, *names, chapter=CHAPTER):
    for name in names:
        path = submitted / name / chapter / f"{chapter}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text("{}")


def test_every_student_has_a_submission_of_every_chapter_that_anyone_handed_in(tmp_path):
    hand_in(tmp_path, "ada", "bob")
    hand_in(tmp_path, "carl", chapter="other")
    hand_in(tmp_path, ".ipynb_checkpoints")
    (tmp_path / "notes.txt").write_text("")
    found = find(tmp_path, [CHAPTER, "other", "third"])
    assert [(one.student, one.chapter) for one in found] == [
        (student, chapter) for student in ("ada", "bob", "carl") for chapter in (CHAPTER, "other")
    ]
    assert found[0].path == tmp_path / "ada" / CHAPTER / f"{CHAPTER}.ipynb"


def test_a_folder_with_nothing_to_mark_is_an_error_that_says_what_is_expected(tmp_path):
    with pytest.raises(ValueError, match="not a folder"):
        find(tmp_path / "none", [CHAPTER])
    (tmp_path / "ada.ipynb").write_text("{}")
    with pytest.raises(ValueError, match=f"<student>/<chapter>/<chapter>.ipynb.*{CHAPTER}"):
        find(tmp_path, [CHAPTER])


def test_the_answers_are_found_by_grade_id_with_the_learners_own_cells_above_them():
    found = notebook(**right("lean", "labels"))
    own = {"cell_type": "code", "metadata": {}, "source": ["x = 1\n", "y = 2"]}
    index = found["cells"].index(cell_of(found, "labels"))
    found["cells"].insert(index, own)
    got = read(found)
    assert list(got) == list(exercises_in(RELEASED))
    assert got["lean"].source == solutions()["lean"]
    assert got["lean"].above == ()
    assert got["labels"].above == (solutions()["lean"], "x = 1\ny = 2")
    assert not any(answer.note for answer in got.values())


def test_what_is_missing_or_there_twice_is_noted():
    found = notebook(**right("lean"))
    found["cells"].append(dict(cell_of(found, "lean")))
    found["cells"].remove(cell_of(found, "labels"))
    got = read(found)
    assert got["lean"].source == solutions()["lean"]
    assert "2 cells" in got["lean"].note
    assert got["labels"].source is None
    assert "labels" in got["labels"].note


@given(ANYTHING)
def test_no_content_breaks_the_reading(anything):
    cells = {"nbformat": 4, "cells": [anything, {"cell_type": "code", "metadata": anything, "source": anything}]}
    assert set(read(cells)) == set(exercises_in(RELEASED))


@pytest.mark.parametrize("data", [b"", b"[]", b"3", b"{", b"\xff", b"[" * 10**5, b'{"nbformat": 4, "cells": 3}'])
def test_what_is_no_notebook_is_unreadable(data):
    with pytest.raises(Unreadable):
        answers(data, RELEASED)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_pipes_folders_and_giants_are_not_read(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("{}")
    root = tmp_path / "submitted"
    root.mkdir()
    made = {
        "link": lambda path: path.symlink_to(secret),
        "dangling": lambda path: path.symlink_to(tmp_path / "none"),
        "pipe": os.mkfifo,
        "folder": lambda path: path.mkdir(),
        "giant": lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY), LARGEST + 1),
        "absent": lambda path: None,
    }
    for name, make in made.items():
        make(root / name)
        with pytest.raises(Unreadable):
            content(root / name, root)
    (root / "folder-link").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(Unreadable, match="link"):
        content(root / "folder-link" / "secret", root)
    (root / "plain").write_bytes(b"x" * LARGEST)
    assert len(content(root / "plain", root)) == LARGEST


@given(st.text(min_size=1), st.text(min_size=1))
def test_no_name_leads_out_of_the_folder_of_results_or_to_anothers_place(one, other):
    assert safe_name(one) not in ("", ".", "..")
    assert not set(safe_name(one)) & set('/\\:*?"<>|\n\0 ')
    assert (safe_name(one) == safe_name(other)) == (one == other)


def test_a_student_called_up_stays_inside(tmp_path):
    submission = Submission("../../x", CHAPTER, tmp_path)
    assert place_of(tmp_path, submission).resolve().is_relative_to(tmp_path / "marks" / CHAPTER)
    plain = replace(submission, student="ada.l@school-3.edu")
    assert place_of(tmp_path, plain).name == "ada.l@school-3.edu.json"
