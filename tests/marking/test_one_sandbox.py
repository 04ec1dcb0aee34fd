"""Lucky, unlucky and hostile notebooks, marked one after the other in one sandbox: none costs the next a point.

To start a sandbox takes longer than to mark a notebook. A class has one for each student (`test_a_class.py`); here what
an answer has done could still be there for the next, and that it is not is seen all the better.
"""

import copy
from dataclasses import replace

import pytest
from handed_in import CHAPTER, ROOT, complaints, everything, put, split

from innerlab.checks.asking import Limits
from innerlab.marking.confinement import Confinement, blind_copy
from innerlab.marking.marks import Chapter, marked
from innerlab.marking.submissions import Submission

pytestmark = [pytest.mark.slow, pytest.mark.confined]
SHORT = Limits(seconds=3, memory=3 * 2**29)  # every attack without end takes all of it; right answers, a moment


def with_one_set_up(chapter):
    """The chapter as if code stood in its first cell and in the exercises alone, so that all need the same set-up.

    A sandbox in which more has been run than the next exercise may use is started anew.
    """
    notebook = copy.deepcopy(chapter.notebook)
    plain = [cell for cell in notebook.cells if cell.cell_type == "code" and "nbgrader" not in cell.metadata]
    notebook.cells = [cell for cell in notebook.cells if cell not in plain[1:]]
    return replace(chapter, notebook=notebook)


def test_each_gets_what_was_earned_and_the_reason_for_the_rest(tmp_path):
    submitted = tmp_path / "submitted"
    cases = everything(submitted)
    put(submitted, "ada", cases["ada"][0])  # some try to read it
    _, apart = split(cases)
    assert len(apart) > 50
    chapter, wrong = with_one_set_up(Chapter.read(ROOT, CHAPTER)), []
    with Confinement(blind_copy(tmp_path / "laboratory")).answering(1, SHORT) as process:
        for student, (content, wanted) in apart.items():
            result = marked(Submission(student, CHAPTER, submitted), content, "", chapter, 3, process)
            found = {mark.exercise: (mark.status, mark.points, mark.of, mark.reason) for mark in result.marks}
            wrong += complaints(student, wanted, found, chapter.points)
    assert not wrong, "\n".join(map(str, wrong))
