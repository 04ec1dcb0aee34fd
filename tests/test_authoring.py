"""`run.py new chapter NAME` writes a chapter that passes the checks as it stands, or nothing at all."""

import importlib.util
import os
import shutil
import subprocess
import sys

import pytest
import yaml
from test_style import OWN_PATHS, UNFINISHED
from tiny_book import ROOT

from innersite import authoring

NAME = "two_cues"
OWN = (".git", ".venv", "_build", "work", "__pycache__", ".*_cache", "*.egg-info", "*.ipynb_checkpoints")
# Files with rules over chapters, and which of their tests: those of the new chapter, and those of all lists.
GATES = (
    *("tests/test_answers.py", "tests/test_bench.py", "tests/test_cards.py", "tests/test_exercises.py"),
    *("tests/test_glossary.py", "tests/test_mutants.py", "tests/test_reading.py", "tests/test_wings.py"),
    *("tests/chapters/index/test_front_door.py", f"tests/chapters/{NAME}"),
)
CHOSEN = (
    f"({NAME} or test_cards or test_reading or planned or symbol or every_exercise_notebook or every_chapter or "
    "every_wing or imports_run or the_front_page or table_of_contents) "
    "and not sees_no_judge"  # for which a fresh copy trains all stored agents first
)


def run_in(folder, *command):
    """Run a Python module in a copy of the book, with the copy's own laboratory."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    env |= {"PYTHONPATH": os.pathsep.join([str(folder), str(folder / "book" / "_ext")]), "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=env, capture_output=True, encoding="utf-8", timeout=900
    )


def content(folder):
    """Every file below a folder, with what it holds; compiled Python aside."""
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files if "_build" not in path.parts}


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A copy of the book."""
    folder = tmp_path_factory.mktemp("copy") / "book"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*OWN))
    return folder


@pytest.fixture(scope="module")
def before(copied):
    return content(copied)


@pytest.fixture(scope="module")
def made(copied, before):
    """The same with a new chapter, made as the command makes it."""
    done = run_in(copied, "innersite.authoring", "chapter", NAME)
    assert done.returncode == 0, done.stdout + done.stderr
    return copied


@pytest.fixture
def unmeasured(monkeypatch):
    """Leave out running the chapter, which takes seconds."""
    monkeypatch.setattr(authoring, "measure", lambda root, name: None)


def new_in(made, before):
    return sorted(set(content(made)) - set(before))


def test_only_new_files_and_lists_are_written(made, before):
    after = content(made)
    assert new_in(made, before) == sorted([*authoring.new_files(NAME), f"exercises/{NAME}.ipynb"])
    changed = {place for place, was in before.items() if after[place] != was}
    assert changed == {"_toc.yml", "book/index.md", "book/reading.md", "book/teaching.md", "bench/profiles.json"}
    for place in changed - {"bench/profiles.json"}:
        lost = set(before[place].splitlines()) - set(after[place].splitlines())
        assert len(lost) <= 1, place  # a line that the new chapter was added to


def test_the_new_chapter_passes_the_checks_that_need_no_browser(made):
    quiet = ("-q", "-p", "no:cacheprovider")
    done = run_in(made, "pytest", *quiet, *GATES, "-k", CHOSEN)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_what_is_new_keeps_to_what_every_file_keeps_to(made, before):
    new = new_in(made, before)
    for place in new:
        text = (made / place).read_text("utf8")
        assert "§" not in text, f"{place}: a blank was not filled in"
        assert not UNFINISHED.search(text), place
        assert not OWN_PATHS.search(text), place
    python = [place for place in new if place.endswith(".py")]
    assert len(python) == 5
    for command in (["check"], ["format", "--check", "--diff"]):
        done = run_in(made, "ruff", *command, "--no-cache", *python)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_name_that_is_taken_changes_nothing(made, capsys):
    was = content(made)
    assert authoring.main(made, ["chapter", NAME]) == 1
    assert f"Nothing was written: {NAME!r} is taken: book/{NAME}.md is there" in capsys.readouterr().err
    assert content(made) == was


def test_a_second_new_chapter_stands_behind_the_first(made, unmeasured):
    authoring.new_chapter(made, "third_cue")
    listed = yaml.safe_load((made / "_toc.yml").read_text("utf8"))["chapters"]
    names = [entry["file"] for entry in listed if "sections" in entry]
    assert names[-2:] == [f"book/{NAME}", "book/third_cue"]
    assert {"file": "book/third_cue", "sections": [{"file": "exercises/third_cue"}]} in listed
    front = (made / "book" / "index.md").read_text("utf8")
    assert 0 < front.index(f"[]({NAME}.md)\n: ") < front.index("[](third_cue.md)\n: ")
    page = (made / "book" / "third_cue.md").read_text("utf8")
    assert "name: fig-third-cue-plane" in page  # names of figures are shared by the whole book
    assert NAME not in page


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Two_cues", "'Two_cues' is no name for a chapter; use lower-case letters"),
        ("two-cues", "no name for a chapter"),
        ("two cues", "no name for a chapter"),
        ("2_cues", "no name for a chapter"),
        ("_cues", "no name for a chapter"),
        ("two__cues", "no name for a chapter"),
        ("zwei_höhlen", "no name for a chapter"),
        ("../cues", "no name for a chapter"),
        ("", "no name for a chapter"),
        ("c" * 31, "at most 30 characters"),
        ("lambda", "'lambda' is a word of Python"),
        ("common", "'common' says nothing"),
        ("optimizer", "'optimizer' is taken: book/optimizer.md is there"),
        ("glossary", "'glossary' is taken: book/glossary.md is there"),
        ("red_doors", "'red_doors' is taken: innerlab/systems/red_doors is there"),
    ],
)
def test_a_name_that_will_not_do_is_named(name, says):
    with pytest.raises(ValueError, match=says):
        authoring.check_name(ROOT, name)


@pytest.mark.parametrize("error", [RuntimeError("it does not run"), KeyboardInterrupt()])
def test_what_fails_midway_leaves_nothing_half_made(copied, monkeypatch, error):
    was, folders = content(copied), {path for path in copied.rglob("*") if path.is_dir()}

    def fail(root, name):
        assert (root / "exercises" / f"{name}.ipynb").is_file()  # all else is written by then
        assert content(root) != was
        raise error

    monkeypatch.setattr(authoring, "measure", fail)
    with pytest.raises(type(error)):
        authoring.new_chapter(copied, "fourth_cue")
    assert content(copied) == was
    assert {path for path in copied.rglob("*") if path.is_dir()} == folders


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("_toc.yml", "_toc.yml lists no chapter with exercises"),
        ("book/index.md", "book/index.md lists no chapter"),
        ("book/teaching.md", "book/teaching.md has no syllabus"),
        ("book/reading.md", "book/reading.md has no entry"),
    ],
)
def test_a_list_without_a_place_for_the_chapter_is_named(copied, unmeasured, place, says):
    kept = (copied / place).read_bytes()
    (copied / place).write_text("Another page.\n")
    try:
        was = content(copied)
        with pytest.raises(ValueError, match=says):
            authoring.new_chapter(copied, "fourth_cue")
        assert content(copied) == was
    finally:
        (copied / place).write_bytes(kept)


def test_a_chapter_that_does_not_run_is_told(tmp_path):
    with pytest.raises(RuntimeError, match="the chapter does not run:\n"):
        authoring.measure(tmp_path, NAME)


@pytest.mark.parametrize("words", [[], ["chapter"], ["page", "x"], ["chapter", "a", "b"], ["chapter", "--help"]])
def test_what_is_not_asked_for_rightly_is_told_how(tmp_path, capsys, words):
    assert authoring.main(tmp_path, words) == 2
    assert authoring.USAGE in capsys.readouterr().err
    assert authoring.main(tmp_path, ["--help"]) == 0
    assert authoring.USAGE in capsys.readouterr().out


def test_run_py_passes_the_name_on(monkeypatch):
    spec = importlib.util.spec_from_file_location("run", ROOT / "run.py")
    run = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(run)
    started = []
    monkeypatch.setattr(run, "set_up", lambda: None)
    monkeypatch.setattr(run, "run", lambda command, *_: started.append([str(word) for word in command]) or 5)
    assert run.main(["new", "chapter", NAME]) == 5
    (words,) = started
    assert "innersite.authoring" in " ".join(words)
    assert words[-2:] == ["chapter", NAME]
