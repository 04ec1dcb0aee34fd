"""The notebook tests fail when they should, and share executions with the build in both directions."""

import os
import re
import subprocess
import sys

import nbformat
import pytest
from nbval.plugin import coalesce_streams
from tiny_book import ROOT, TinyBook, cell, executed

from innersite.execution import Book


@pytest.fixture
def tiny(tmp_path):
    return TinyBook(tmp_path)


def stored(tiny: TinyBook) -> set[str]:
    """Return the names of the chapters whose execution the cache holds."""
    records = Book.from_folder(tiny.root).cache.list_cache_records()
    return {record.uri.removeprefix("book/").removesuffix(".md") for record in records}


def outcomes(text: str) -> dict[str, str]:
    """Return what became of each cell, from pytest's summary lines, as {"page::Cell 0": "PASSED"}."""
    return {name: verdict for verdict, name in re.findall(r"^([A-Z]+) book/(\S+\.md(?:::Cell \d+)?)", text, re.M)}


def test_each_way_to_fail_fails_and_stores_nothing(tiny):
    tiny.write("tinylab/claims.py", "class ClaimFailed(AssertionError):\n    pass\n")
    tiny.chapters(
        sound=cell("print('a')") + cell("1 / 0", tags="[raises-exception]"),
        broken=cell("print('before')") + cell("1 / 0"),
        claim=cell("from tinylab.claims import ClaimFailed\nraise ClaimFailed('two and two is five')"),
        tame=cell("print('raises nothing')", tags="[raises-exception]"),
        skipped=cell("print('a')") + cell("print('b')", tags="[nbval-skip]"),
        half=cell("x = 1") + cell("print('deselected')"),
        idle=cell("print('b')", tags="[nbval-skip]"),
    )
    tiny.write("book/headless.md", "# No header\n" + cell("print('never run')"))
    result = tiny.pytest("-rA", "--continue-on-collection-errors", "--deselect", "book/half.md::Cell 1")
    assert result.code == 1, result.text
    assert outcomes(result.text) == {
        "sound.md::Cell 0": "PASSED",
        "sound.md::Cell 1": "PASSED",
        "broken.md::Cell 0": "PASSED",
        "broken.md::Cell 1": "FAILED",
        "claim.md::Cell 0": "FAILED",
        "tame.md::Cell 0": "FAILED",
        "skipped.md::Cell 0": "PASSED",
        "half.md::Cell 0": "PASSED",
        "idle.md": "ERROR",
        "headless.md": "ERROR",
    }
    for message in (
        "ZeroDivisionError",
        "two and two is five",
        "it raised none",
        "no cell of this notebook would be executed",
        "not the header of a notebook",
    ):
        assert message in result.text
    # Neither a failed, a skipped nor a deselected cell lets its chapter be stored.
    assert stored(tiny) == {"sound"}


def test_a_cell_that_prints_on_stderr_fails_and_stores_nothing(tiny):
    noise = "import sys\nprint('the home cannot be written', file=sys.stderr)"
    tiny.chapters(
        noisy=cell("1 + 1") + cell(noise) + cell("2 + 2"),
        ignored=cell(noise, tags="[nbval-ignore-output]"),
        tagged=cell(noise, tags="[remove-stderr]"),
    )
    result = tiny.pytest("-rA")
    assert result.code == 1, result.text
    assert outcomes(result.text) == {
        "noisy.md::Cell 0": "PASSED",
        "noisy.md::Cell 1": "FAILED",
        "noisy.md::Cell 2": "PASSED",
        "ignored.md::Cell 0": "FAILED",
        "tagged.md::Cell 0": "PASSED",
    }
    assert "Cell 1: the cell printed on stderr" in result.text
    assert "\n\nthe home cannot be written\n" in result.text
    assert stored(tiny) == {"tagged"}


NOTEBOOK = """{"cells": [{"cell_type": "code", "execution_count": null, "id": "one", "metadata": {}, "outputs": [],
  "source": ["SOURCE"]}], "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python",
  "name": "python3"}}, "nbformat": 4, "nbformat_minor": 5}
"""


def outputs(cell):
    """Return a cell's outputs; what it printed at one go may have come in pieces, if the machine was busy."""
    return coalesce_streams(cell.get("outputs"))


RICH = """from IPython.display import HTML, clear_output, display
print('forgotten')
clear_output()
print('before')
handle = display(HTML('<b>old</b>'), display_id=True)
print('after')
handle.update(HTML('<b>new</b>'))
'the result'"""


def test_the_build_shows_what_the_tests_executed(tiny):
    count = "open('../runs.log', 'a').write('ran\\n');"
    tiny.chapters(page=cell(count) + cell(RICH) + cell("print('last')"))
    run = tiny.pytest("-n", "2")
    assert run.code == 0, run.text
    built = tiny.build()
    assert built.code == 0, built.text
    assert executed(built) == set()
    assert (tiny.root / "runs.log").read_text() == "ran\n"
    from_tests = Book.from_folder(tiny.root)
    notebook = from_tests.read(tiny.root / "book" / "page.md")
    shared = from_tests.executed(notebook)

    # The build's own execution gives the same notebook, to the order of the outputs.
    (tiny.root / "requirements.txt").write_text("")
    rebuilt = tiny.build()
    assert executed(rebuilt) == {"page"}
    own = Book.from_folder(tiny.root).executed(notebook)
    assert own.metadata == shared.metadata
    assert [outputs(c) for c in own.cells] == [outputs(c) for c in shared.cells]
    assert [c.get("execution_count") for c in own.cells] == [c.get("execution_count") for c in shared.cells]
    page = tiny.page("page")
    assert "<b>new</b>" in page
    assert "<b>old</b>" not in page


def test_what_is_stored_is_not_run_again_unless_the_run_is_thorough(tiny):
    count = "open('../runs.log', 'a').write('ran\\n')"
    tiny.chapters(page=cell(count) + cell("print('a')") + cell("1 / 0", tags="[raises-exception]"))
    notebook = tiny.write("exercises/loose.ipynb", NOTEBOOK.replace("SOURCE", count.replace("\\", "\\\\")))
    everything = {f"page.md::Cell {number}": "PASSED" for number in range(3)}
    for runs, options in ((2, []), (2, []), (4, ["--thorough"]), (4, [])):
        result = tiny.pytest("exercises", "-rA", *options)
        assert result.code == 0, result.text
        assert outcomes(result.text) == everything
        assert f"PASSED {notebook.relative_to(tiny.root).as_posix()}::Cell 0" in result.text
        assert (tiny.root / "runs.log").read_text() == runs * "ran\n", options


def test_what_is_stored_must_be_complete_and_hold_no_error_but_those_that_are_due(tiny):
    tiny.chapters(
        page=cell("1") + cell("2") + cell("3") + cell("4 / 0", tags="[raises-exception]") + cell("5", tags="[a]")
    )
    book, path = Book.from_folder(tiny.root), tiny.root / "book" / "page.md"
    notebook = book.read(path)
    error = nbformat.v4.new_output("error", ename="ValueError", evalue="two", traceback=["ValueError: two"])
    cells = [one for one in notebook.cells if one.cell_type == "code"]
    for number in (0, 1, 3, 4):
        cells[number].execution_count = number + 1
    cells[1].outputs = [error]
    book.store(path, notebook, 1.0)
    result = tiny.pytest("-rA")
    assert result.code == 1, result.text
    wanted = ["PASSED", "FAILED", "FAILED", "FAILED", "PASSED"]
    assert outcomes(result.text) == {f"page.md::Cell {number}": verdict for number, verdict in enumerate(wanted)}
    for message in ("ValueError: two", "says nothing of this cell", "it raised none"):
        assert message in result.text


def test_other_outputs_than_the_build_stored_fail(tiny):
    image = "import matplotlib.pyplot as plt\nplt.plot(list(open('../state.txt', 'rb').read()));"
    tiny.write("state.txt", "one")
    tiny.chapters(
        page=cell("print(open('../state.txt').read())")
        + cell(image)
        + cell("print(open('../state.txt').read())", tags="[nbval-ignore-output]")
        + cell("object()")
    )
    built = tiny.build()
    assert built.code == 0, built.text
    same = tiny.pytest("--thorough")
    assert same.code == 0, same.text
    tiny.write("state.txt", "two")  # as an unseeded draw would
    other = tiny.pytest("-rA", "--thorough")
    assert other.code == 1
    assert outcomes(other.text) == {
        "page.md::Cell 0": "FAILED",
        "page.md::Cell 1": "FAILED",
        "page.md::Cell 2": "PASSED",
        "page.md::Cell 3": "PASSED",
    }
    assert "Cell outputs differ" in other.text


def test_changed_code_is_not_held_to_old_outputs(tiny):
    tiny.write("tinylab/numbers.py", "N = 1\n")
    tiny.chapters(page=cell("from tinylab.numbers import N\nprint(N)"))
    assert tiny.build().code == 0
    tiny.write("tinylab/numbers.py", "N = 2\n")
    assert tiny.pytest().code == 0
    built = tiny.build()
    assert built.code == 0, built.text
    assert executed(built) == set()
    assert ">2\n" in tiny.page("page")  # read again, though the chapter's own text is the same


def test_a_slow_cell_fails_at_the_books_own_limit(tiny):
    configuration = (tiny.root / "_config.yml").read_text(encoding="utf-8")
    tiny.write("_config.yml", configuration.replace("timeout: 600", "timeout: 1"))
    tiny.chapters(page=cell("import time\ntime.sleep(30)"))
    result = tiny.pytest()
    assert result.code == 1
    assert "Timeout of 1 seconds exceeded" in result.text
    assert stored(tiny) == set()


def test_every_chapter_of_this_book_is_collected():
    chapters = {path.name for path in (ROOT / "book").glob("*.md") if "{code-cell}" in path.read_text("utf-8")}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "book"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8")
    assert chapters
    assert set(re.findall(r"^book/(\S+\.md)::Cell \d+$", done.stdout, re.M)) == chapters


MARKED = """import pytest

def test_short(): pass

@pytest.mark.slow
def test_slow(): pass

@pytest.mark.thorough
def test_thorough(): pass
"""


@pytest.mark.parametrize(
    ("options", "run"),
    [
        ([], {"Cell 0", "test_short", "test_slow", "test_page", "test_class"}),
        (["--quick"], {"test_short"}),
        (["--thorough"], {"Cell 0", "test_short", "test_slow", "test_thorough", "test_page", "test_class"}),
        (["--quick", "--thorough"], set()),
    ],
)
def test_how_much_is_run(tiny, options, run):
    tiny.chapters(page=cell("print('a')"))
    tiny.write("tests/test_marked.py", MARKED)
    tiny.write("tests/site/test_pages.py", "def test_page(): pass\n")
    tiny.write("tests/marking/test_marking.py", "def test_class(): pass\n")
    result = tiny.pytest("tests", "-v", "-o", "markers=slow\nthorough", *options)
    assert set(re.findall(r"::(?:\w+\.md::)?(Cell \d|test_\w+) PASSED", result.text)) == run, result.text
    assert result.code == (0 if run else 4)
    assert ("choose one" in result.text) == (not run)
