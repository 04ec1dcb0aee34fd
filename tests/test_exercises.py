"""Exercises are what solutions say, hold nothing of the answers, and never cost a learner any work."""

import ast
import json
import os
import re
import shutil
import stat

import nbformat
import pytest
from nbclient import NotebookClient
from tiny_book import ROOT, TinyBook, cell

from innerlab.checks import course, folder, records, release
from innerlab.checks.judging import NOT_YET, PASSED, Verdict
from innerlab.wings import module_of
from innersite import notebooks

SOURCES = sorted((ROOT / "solutions").glob("*.md"))
CHAPTERS = [path.stem for path in SOURCES]


def exercises_of(chapter):
    return nbformat.read(ROOT / "exercises" / f"{chapter}.ipynb", as_version=4)


def region(answer):
    """The lines between the marks of a solution."""
    return answer.partition(release.BEGIN)[2].partition(release.END)[0].splitlines()


# What is released


@pytest.mark.parametrize("source", SOURCES, ids=CHAPTERS)
def test_the_exercises_are_up_to_date(source, tmp_path):
    made = release.text_of(release.released(source)).encode()
    assert (ROOT / "exercises" / f"{source.stem}.ipynb").read_bytes() == made, (
        f"exercises/{source.stem}.ipynb is not what solutions/{source.name} makes; run: python run.py exercises"
    )
    windows = tmp_path / source.name
    windows.write_bytes(source.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    assert release.text_of(release.released(windows)).encode() == made


def test_every_exercise_notebook_has_a_source():
    notebooks = sorted(path.stem for path in (ROOT / "exercises").glob("*.ipynb"))
    assert CHAPTERS, "solutions/ is empty"
    assert notebooks == CHAPTERS, (
        "exercises/<chapter>.ipynb and solutions/<chapter>.md come in pairs; write the source and run: "
        f"python run.py exercises. Without a partner: {sorted(set(notebooks) ^ set(CHAPTERS))}"
    )


@pytest.mark.parametrize("source", SOURCES, ids=CHAPTERS)
def test_nothing_of_an_answer_is_released(source):
    whole, out = release.source_notebook(source), release.released(source)
    text = (ROOT / "exercises" / f"{source.stem}.ipynb").read_text("utf-8")
    assert release.BEGIN not in text, f"exercises/{source.stem}.ipynb holds an answer; run: python run.py exercises"
    assert release.END not in text, f"exercises/{source.stem}.ipynb holds an answer; run: python run.py exercises"
    assert out.metadata == {"kernelspec": release.KERNEL}
    released_lines = {line.strip() for one in out.cells for line in one.source.splitlines()}
    secret = 0
    for before, after in zip(whole.cells, out.cells, strict=True):
        assert set(after.metadata) <= {"nbgrader"}
        if after.cell_type == "code":
            assert (after.outputs, after.execution_count) == ([], None)
        about = before.metadata.get("nbgrader", {})
        if not about.get("solution"):
            assert after.source == before.source
            continue
        assert after.id == about["grade_id"]
        if before.cell_type == "markdown":
            assert after.source == release.WRITE_HERE
            lines = before.source.splitlines()
        else:
            lines = region(before.source)
        stub = {line.strip() for line in after.source.splitlines()}
        for line in (line.strip() for line in lines):
            # a closing bracket, or a line that the stub shows as well, tells nothing
            if line not in stub and re.search(r"\w", line):
                assert line not in released_lines, (
                    f"solutions/{source.name}, {after.id}: the answer's line {line!r} stands elsewhere in the notebook "
                    "that learners get, and gives itself away; word one of the two differently"
                )
                secret += 1
    assert secret > 10, (
        f"solutions/{source.name}: all answers together have {secret} lines that learners do not get; a chapter's "
        f"exercises have more than ten, between {release.BEGIN!r} and {release.END!r} or in written answers"
    )


@pytest.mark.parametrize("source", SOURCES, ids=CHAPTERS)
def test_ids_come_from_names_and_positions(source):
    for index, one in enumerate(release.released(source).cells):
        wanted = one.metadata.get("nbgrader", {}).get("grade_id", f"cell-{index}")
        assert one.id == wanted, f"the cell released from solutions/{source.name} as {one.id} should be {wanted}"


def bindings(code):
    """What some code binds: each name with its parameters, or None if it is no function; imports aside."""
    found = dict.fromkeys(records.bound(code))
    functions = [node for node in ast.parse(code).body if isinstance(node, ast.FunctionDef)]
    return found | {node.name: ast.unparse(node.args) for node in functions}


@pytest.mark.parametrize("source", SOURCES, ids=CHAPTERS)
def test_stubs_and_answers_bind_the_same_names_and_graders_know_every_exercise(source):
    checks = module_of(source.stem, "checks")
    whole, out = release.source_notebook(source), release.released(source)
    for before, after in zip(whole.cells, out.cells, strict=True):
        about = after.metadata.get("nbgrader", {})
        if after.cell_type == "code" and about.get("solution"):
            answered = bindings("\n".join(region(before.source)))  # may define more, for itself
            stub, at = bindings(after.source), f"solutions/{source.name}, {after.id}"
            assert answered.items() >= stub.items(), (
                f"{at}: the answer must define what the stub defines, with the same parameters: {stub}, not {answered}"
            )
            assert after.id in checks.EXERCISES, f"{at}: EXERCISES in the wing's checks.py has no {after.id!r}"
            assert checks.EXERCISES[after.id].answer in stub, f"{at}: the stub must define {after.id!r} for its check"
        if about.get("grade") and after.cell_type == "code":
            own = about["grade_id"].removeprefix("check-")
            answer = checks.EXERCISES[own].answer
            call, at = f'check("{source.stem}/{own}", {answer})', f"solutions/{source.name}, {after.id}"
            assert after.source == call, f"{at}: the cell that checks must hold {call} and nothing else"
            assert about["locked"], f"{at}: the cell that checks must have `locked: true`"
            assert about["points"] > 0, f"{at}: give it points"
    known = release.exercises_in(out)
    automatic = [name for name in known if name not in checks.WRITTEN]
    assert automatic == list(checks.EXERCISES), (
        f"innerlab/chapters/{source.stem}/checks.py: EXERCISES must name what solutions/{source.name} asks, in order: "
        f"{automatic}; those that a person marks go into WRITTEN"
    )
    unknown = sorted(set(checks.WRITTEN) - set(known))
    assert not unknown, f"innerlab/chapters/{source.stem}/checks.py: WRITTEN names no exercise of the source: {unknown}"


HEAD = SOURCES[0].read_text("utf-8").partition("\n---\n")[0] + "\n---\n"


def graded(name="own", source="own = ...\n\n### BEGIN SOLUTION\nown = 1\n### END SOLUTION", **about):
    about = {"grade": False, "grade_id": name, "locked": False, "schema_version": 3, "solution": True} | about
    return f"\n```{{code-cell}} ipython3\n---\nnbgrader: {json.dumps(about)}\n---\n{source}\n```\n"


def checked(name="check-own", **about):
    about = {"grade": True, "locked": True, "points": 1, "solution": False} | about
    return graded(name, "check()", **about)


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (graded() + graded() + checked(), "'own' is there twice"),
        (graded() + checked("check-other"), "'own' has no check-own; the check of 'other' has no answer"),
        (graded(), "'own' has no check-own"),
        (checked(), "the check of 'own' has no answer"),
        (graded() + checked(points=None).replace('"points": null', '"p": 1'), "has no points"),
        (graded().replace('"grade_id"', '"id"') + checked(), "no grade_id"),
        (graded(source="own = ...\n### BEGIN SOLUTION\nown = 1") + checked(), "must come once"),
        (graded(source="own = ...\n### END SOLUTION\n1\n### BEGIN SOLUTION") + checked(), "must come once"),
        (
            graded(source="own = ...\nif 1:\n    ### BEGIN SOLUTION\n    1\n    ### END SOLUTION") + checked(),
            "must come",
        ),
        (graded(source="own = ...\n" + "### BEGIN SOLUTION\n1\n### END SOLUTION\n" * 2) + checked(), "must come once"),
        (graded(source="own = ...") + checked(), "must come once"),
        (graded(source="### BEGIN SOLUTION\nown = 1\n### END SOLUTION") + checked(), "nothing is left to fill in"),
        (graded() + checked() + cell("x = 1\n### BEGIN SOLUTION\n### END SOLUTION"), "not marked as one"),
    ],
)
def test_a_malformed_source_is_a_clear_error(cells, says, tmp_path):
    source = tmp_path / "chapter.md"
    source.write_text(HEAD + cells, "utf-8")
    with pytest.raises(ValueError, match=says) as caught:
        release.released(source)
    assert "chapter.md" in str(caught.value)


def test_a_well_formed_source_is_released(tmp_path):
    source = tmp_path / "chapter.md"
    source.write_text(HEAD + graded() + checked(), "utf-8")
    assert [one.source for one in release.released(source).cells if one.cell_type == "code"] == ["own = ...", "check()"]


# A learner's folder


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A book of one exercise notebook and a learner's folder that is not there yet."""
    monkeypatch.delenv("INNERLAB_PROGRESS", raising=False)
    source = tmp_path / "solutions" / "chapter.md"
    source.parent.mkdir()
    explain = json.dumps({"nbgrader": {"grade": True, "grade_id": "tell", "points": 3, "solution": True}})
    cells = graded("one") + checked("check-one", points=2) + graded("two") + checked("check-two")
    source.write_text(f"{HEAD}{cells}\n+++ {explain}\n\nBecause.\n".replace("own = 1", "own = 77"), "utf-8")
    release.write_all(tmp_path)
    return tmp_path


def copy(home):
    return folder.copy_new(home / "exercises", home / "work")


def names(home):
    return sorted(path.name for path in (home / "work").glob("*.ipynb"))


def states(home):
    return [one.state for one in folder.standings(home / "exercises", home / "work")["chapter"]]


def edit(path, **answers):
    notebook = nbformat.read(path, as_version=4)
    for one in notebook.cells:
        if one.id in answers:
            one.source = answers[one.id]
    nbformat.write(notebook, path)


def improve(home, text):
    source = home / "solutions" / "chapter.md"
    source.write_text(source.read_text("utf-8") + f"\n+++\n\n{text}\n", "utf-8")
    release.write_all(home)


def everything_in(folder):
    return {path: path.read_bytes() for path in folder.rglob("*.ipynb")}


def test_an_exercise_is_copied_once(home):
    assert copy(home) == ["chapter.ipynb is new."]
    shipped = (home / "exercises" / "chapter.ipynb").read_bytes()
    assert (home / "work" / "chapter.ipynb").read_bytes() == shipped
    assert copy(home) == []
    edit(home / "work" / "chapter.ipynb", one="own = 2")
    before = everything_in(home / "work")
    assert copy(home) == []
    assert everything_in(home / "work") == before
    (home / "work" / "chapter.ipynb").unlink()
    assert copy(home) == ["chapter.ipynb is new."]  # who deletes a copy gets another


def test_an_improved_exercise_is_laid_beside_the_old_one_once(home):
    copy(home)
    edit(home / "work" / "chapter.ipynb", one="own = 2")
    (home / "work" / "chapter.ipynb").chmod(stat.S_IRUSR)
    before = everything_in(home / "work")
    for number, text in ((2, "An afterthought."), (3, "And another.")):
        improve(home, text)
        (said,) = copy(home)
        assert f"improved since you began; the new one is chapter-{number}.ipynb" in said
        assert "Yours stays as it is: chapter.ipynb" in said
        assert copy(home) == []
    assert names(home) == ["chapter-2.ipynb", "chapter-3.ipynb", "chapter.ipynb"]
    assert everything_in(home / "work").items() >= before.items()
    assert [path.name for path in folder.copies_of(home / "work", "chapter")][-1] == "chapter-3.ipynb"


@pytest.mark.parametrize("content", [b"", b"not a notebook", b"[]", b'{"cells": [{"metadata": {"nbgrader": 3}}]}'])
def test_a_file_that_is_there_already_stays(home, content):
    (home / "work").mkdir()
    (home / "work" / "chapter.ipynb").write_bytes(content)
    (said,) = copy(home)
    assert "is there, but not as it is shipped; the new one is chapter-2.ipynb" in said
    assert copy(home) == []
    assert (home / "work" / "chapter.ipynb").read_bytes() == content
    assert states(home) == ["untouched"] * 3


def test_copies_made_by_hand_or_under_other_names_are_left_alone(home):
    (home / "work").mkdir()
    shipped = (home / "exercises" / "chapter.ipynb").read_bytes()
    (home / "work" / "chapter.ipynb").write_bytes(shipped)
    assert copy(home) == []
    (home / "work" / "chapter.ipynb").rename(home / "work" / "chapter-of mine.ipynb")
    edit(home / "work" / "chapter-of mine.ipynb", one="own = 3")
    before = (home / "work" / "chapter-of mine.ipynb").read_bytes()
    assert copy(home) == ["chapter.ipynb is new."]
    assert (home / "work" / "chapter-of mine.ipynb").read_bytes() == before


@pytest.mark.parametrize("content", ["", '{"chapter": ["ab', "[1]", '{"chapter": 5}', '{"chapter": [5]}'])
def test_a_broken_record_of_copies_costs_nothing(home, content):
    copy(home)
    edit(home / "work" / "chapter.ipynb", one="own = 2")
    before = everything_in(home / "work")
    (home / "work" / ".progress" / folder.COPIED).write_text(content)
    assert len(copy(home)) == 1
    assert copy(home) == []
    assert everything_in(home / "work").items() >= before.items()
    assert states(home)[0] == "attempted"


def keep(home, own, source, state=PASSED):
    os.environ["INNERLAB_PROGRESS"] = str(home / "work" / ".progress")
    try:
        records.keep(Verdict(f"chapter/{own}", state), source)
    finally:
        del os.environ["INNERLAB_PROGRESS"]


def test_progress_says_untouched_attempted_solved_and_written(home, capsys):
    assert states(home) == ["untouched"] * 3  # there is no folder yet
    copy(home)
    assert states(home) == ["untouched"] * 3
    mine = home / "work" / "chapter.ipynb"
    keep(home, "one", "own = ...")  # a check that passes an untouched answer would be wrong; it is not believed
    assert states(home)[0] == "untouched"
    edit(mine, one="own = 2", tell="Because it is.")
    assert states(home) == ["attempted", "untouched", "written"]
    keep(home, "one", "own = 2", NOT_YET)
    keep(home, "two", "own = 2")  # of another exercise
    assert states(home)[0] == "attempted"
    keep(home, "one", "own = 2  \n")
    assert states(home) == ["solved", "untouched", "written"]
    folder.progress(home)
    said = capsys.readouterr().out
    assert "chapter: 2 of 6 points" in said
    assert "written    tell (3; a person marks it)" in said
    assert "run.py lab" not in said
    edit(mine, one="own = 4")
    assert states(home)[0] == "attempted"
    edit(mine, one="own = 2")
    assert states(home)[0] == "solved"


def test_progress_on_an_untouched_clone_says_how_to_begin(home, capsys):
    folder.progress(home)
    said = capsys.readouterr().out
    assert said.count("untouched") == 3
    assert "python run.py lab" in said
    assert not (home / "work").exists()


def test_what_was_solved_in_an_older_copy_counts(home):
    copy(home)
    edit(home / "work" / "chapter.ipynb", one="own = 2")
    keep(home, "one", "own = 2")
    improve(home, "An afterthought.")
    copy(home)
    assert states(home) == ["solved", "untouched", "untouched"]


def test_foreign_notebooks_are_left_out(home, capsys):
    copy(home)
    for name, content in {
        "chapter-2.ipynb": "not a notebook",
        "chapter-3.ipynb": '{"cells": [{"cell_type": "code", "metadata": {"nbgrader": 3}}], "nbformat": 4}',
        "mine.ipynb": "{}",
    }.items():
        (home / "work" / name).write_text(content)
    edit(home / "work" / "chapter.ipynb", one="own = 2")
    assert states(home) == ["attempted", "untouched", "untouched"]
    assert "chapter-2.ipynb cannot be read" in capsys.readouterr().err


# From beginning to end


def test_a_learner_solves_one_exercise(tmp_path, monkeypatch, capsys):
    """The first exercise whose answer is a value: copied, filled in, run, checked, counted."""
    for name in ("INNERLAB_PROGRESS", "NBGRADER_EXECUTION"):
        monkeypatch.delenv(name, raising=False)
    chapter, own = "pseudo_alignment", "lean"
    folder.copy_new(ROOT / "exercises", tmp_path / "work")
    mine = tmp_path / "work" / f"{chapter}.ipynb"
    whole = release.source_notebook(ROOT / "solutions" / f"{chapter}.md")
    answer = next(one.source for one in whole.cells if one.id == own)
    edit(mine, **{own: "%%time\n" + "\n".join(region(answer)).strip()})
    notebook = nbformat.read(mine, as_version=4)
    wanted = {"cell-1", own, f"check-{own}", notebook.cells[-1].id}
    notebook.cells = [one for one in notebook.cells if one.id in wanted]  # the others take their time elsewhere
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(mine.parent)}}).execute()
    shown = {one.id: one.outputs[0].data for one in notebook.cells if one.id.startswith("check-")}
    assert "✓ Passed" in shown[f"check-{own}"]["text/plain"]
    assert "✓ Passed" in shown[f"check-{own}"]["text/html"]
    assert "1 of" in notebook.cells[-1].outputs[0].data["text/plain"]
    shutil.copytree(ROOT / "exercises", tmp_path / "exercises")
    folder.progress(tmp_path)
    said = capsys.readouterr().out
    assert re.search(rf"solved +{own} \(2\)", said)
    assert re.search(r"pseudo_alignment: 2 of \d+ points", said)


def test_solutions_must_pass_and_exercises_need_not(tmp_path):
    tiny = TinyBook(tmp_path)
    tiny.chapters(page=cell("1"))
    code = "from innerlab.checks import check\ncheck('pseudo_alignment/labels', ...)"
    tiny.write("solutions/wrong.md", HEAD + cell(code))
    (tmp_path / "exercises").mkdir()
    untouched = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code, id="check")])
    nbformat.write(untouched, tmp_path / "exercises" / "right.ipynb")
    before = sorted(path for path in tmp_path.rglob("*") if "_build" not in path.parts)
    result = tiny.pytest("solutions", "exercises", "-rA")
    assert result.code == 1, result.text
    assert re.search(r"FAILED solutions/wrong\.md::Cell 0", result.text)
    assert "NotPassed" in result.text
    assert re.search(r"PASSED exercises/right\.ipynb::Cell 0", result.text)
    left = {path for path in tmp_path.rglob("*") if "_build" not in path.parts} - set(before)
    assert {path.name for path in left} <= {"__pycache__", *(path.name for path in left if path.suffix == ".pyc")}


# Commands


def test_the_check_says_what_is_out_of_step(home, capsys):
    assert release.main(["--check"], home) == 0
    assert capsys.readouterr() == ("", "")
    (home / "exercises" / "stray.ipynb").write_text("{}")
    (home / "solutions" / "new.md").write_text((home / "solutions" / "chapter.md").read_text("utf-8"), "utf-8")
    shipped = home / "exercises" / "chapter.ipynb"
    edit(shipped, one="own = 77")
    before = everything_in(home)
    assert release.main(["--check"], home) == 1
    assert everything_in(home) == before
    *said, remedy = capsys.readouterr().err.splitlines()
    assert said == [
        "exercises/chapter.ipynb is not what solutions/chapter.md says",
        "exercises/new.ipynb is missing",
        "exercises/stray.ipynb has no source solutions/stray.md",
    ]
    assert remedy.endswith("python run.py exercises")
    assert release.main([], home) == 0
    (home / "exercises" / "stray.ipynb").unlink()
    assert release.main(["--check"], home) == 0


def test_the_folders_commands(home, capsys):
    assert folder.main(["lab"], home) == 0
    assert capsys.readouterr().out == "chapter.ipynb is new.\n"
    assert folder.main(["progress"], home) == 0
    assert "chapter: 0 of 6 points" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("module", "arguments", "says"),
    [
        (release, ["--nonsense"], "usage: run.py exercises"),
        (folder, [], "usage: run.py"),
        (folder, ["progress", "more"], "usage: run.py"),
        (course, [], "usage: run.py course"),
        (course, ["one", "two"], "usage: run.py course"),
        (course, ["--force"], "usage: run.py course"),
        (notebooks, ["more"], "usage: run.py notebooks"),
    ],
)
def test_a_command_that_is_misspelled_does_nothing(home, capsys, module, arguments, says):
    before = everything_in(home)
    with pytest.raises(SystemExit) as ended:
        module.main(arguments, home)
    assert ended.value.code == 2
    assert says in capsys.readouterr().err
    assert everything_in(home) == before


def test_a_course_that_cannot_be_written_is_no_traceback(home, capsys):
    (home / "taken").write_text("")
    assert course.main(["--where", str(home), "taken"], home) == 1
    assert "is a file" in capsys.readouterr().err
