"""The build fails when it should, each time, and executes what it should, once."""

import dataclasses
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from nbformat.v4 import new_output
from tiny_book import TinyBook, cell, executed

from innersite.execution import PROFILES, Book, Run, shares, side_by_side


@pytest.fixture
def tiny(tmp_path):
    return TinyBook(tmp_path)


def log(name: str) -> str:
    """Write code that leaves one line a run in a file beside the chapters' folder."""
    return f"open('../{name}.log', 'a').write('ran\\n')"


def runs(tiny: TinyBook, name: str) -> int:
    """Count how often a chapter with the code above has run."""
    path = tiny.root / f"{name}.log"
    return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.mark.slow
def test_an_edit_executes_only_the_chapters_that_import_it(tiny):
    tiny.write("tinylab/base.py", "SIZE = 1\n")
    tiny.write("tinylab/worlds/__init__.py", "")
    tiny.write("tinylab/worlds/grid.py", "from ..base import SIZE\n\nAREA = SIZE**2\n")
    tiny.write("tinylab/other.py", "NAME = 'other'\n")
    tiny.write("requirements.txt", "numpy==1\n")
    tiny.chapters(
        direct=cell(f"from tinylab import base; print('direct', base.SIZE); {log('direct')}"),
        through=cell(f"import tinylab.worlds.grid as g; print('through', g.AREA); {log('through')}"),
        apart=cell(f"from tinylab.other import NAME; print('apart', NAME); {log('apart')}"),
    )
    first = tiny.build()
    assert first.code == 0, first.text
    assert executed(first) == {"direct", "through", "apart"}
    assert "through 1" in tiny.page("through")

    again = tiny.build()
    assert again.code == 0, again.text
    assert executed(again) == set()
    assert "0 added, 0 changed, 0 removed" in again.text

    tiny.write("tinylab/base.py", "SIZE = 3\n")
    edited = tiny.build()
    assert edited.code == 0, edited.text
    assert executed(edited) == {"direct", "through"}
    assert "through 9" in tiny.page("through")

    tiny.write("requirements.txt", "numpy==2\n")
    upgraded = tiny.build()
    assert executed(upgraded) == {"direct", "through", "apart"}
    # The chapters themselves say the same: myst-nb has run nothing behind the back of what is reported.
    assert [runs(tiny, name) for name in ("direct", "through", "apart")] == [3, 3, 2]


@pytest.mark.slow
def test_a_warning_fails_every_build_until_it_is_mended(tiny):
    text = cell(f"print('ran'); {log('page')}")
    # One is found while reading, the other while writing.
    tiny.chapters(page=text + "\nSee {nosuchrole}`this` and [](nowhere.md).\n")
    for attempt in ("first", "second"):
        result = tiny.build()
        assert result.code != 0, f"{attempt}: {result.text}"
        assert "nosuchrole" in result.text, attempt
        assert "nowhere.md" in result.text, attempt
    tiny.chapters(page=text)
    mended = tiny.build()
    assert mended.code == 0, mended.text
    assert runs(tiny, "page") == 1  # a warning in the prose trains nothing again


@pytest.mark.slow
def test_a_failed_chapter_fails_every_build_and_all_are_named(tiny):
    false_claim = "from tinylab.claims import claim\nclaim(2 + 2 == 5, 'two and two is five')"
    claims = (
        "class ClaimFailed(AssertionError):\n    pass\n\n"
        "def claim(holds, sentence):\n    if not holds:\n        raise ClaimFailed(sentence)\n"
    )
    tiny.write("tinylab/claims.py", claims)
    tiny.chapters(
        sound=cell(f"print('sound'); {log('sound')}"),
        broken=cell("1 / 0"),
        wrong=cell(false_claim),
        tame=cell("print('nothing raised here')", tags="[raises-exception]"),
    )
    for attempt in ("first", "second"):
        result = tiny.build()
        assert result.code != 0, f"{attempt}: {result.text}"
        assert "broken.md, cell at line 12" in result.text
        assert "1 / 0" in result.text
        assert "ZeroDivisionError: division by zero" in result.text
        assert "ClaimFailed: two and two is five" in result.text
        assert "tame.md, cell at line 12:\nthe cell is tagged raises-exception, but it raised none" in result.text
        assert "chapters that failed: book/broken, book/tame, book/wrong" in result.text
    assert runs(tiny, "sound") == 1
    tiny.chapters(
        sound=cell(f"print('sound'); {log('sound')}"),
        broken=cell("1 / 1"),
        wrong=cell(false_claim.replace("five", "four").replace("5", "4")),
        tame=cell("1 / 0", tags="[raises-exception]"),
    )
    mended = tiny.build()
    assert mended.code == 0, mended.text
    assert "ZeroDivisionError" in tiny.page("tame")


NOISE = "import os, sys\nif os.path.exists('../noise'):\n    print('the home cannot be written', file=sys.stderr)\n"


def test_noise_on_stderr_fails_a_build_only_while_it_is_made(tiny):
    tiny.write("noise", "")
    tiny.chapters(
        noisy=cell("1 + 1") + cell(f"{NOISE}{log('noisy')}"),
        tagged=cell(f"{NOISE}{log('tagged')}", tags="[remove-stderr]"),
        unseen=cell(f"{NOISE}{log('unseen')}", tags="[remove-output]"),
    )
    for attempt in ("first", "second"):
        result = tiny.build()
        assert result.code != 0, f"{attempt}: {result.text}"
        assert "noisy.md, cell at line 16:\nthe cell printed on stderr" in result.text
        assert "\n\nthe home cannot be written\n" in result.text
        assert "chapters that failed: book/noisy\n" in result.text
    (tiny.root / "noise").unlink()
    quiet = tiny.build()
    assert quiet.code == 0, quiet.text
    assert [runs(tiny, name) for name in ("noisy", "tagged", "unseen")] == [3, 1, 1]


def test_noise_that_was_stored_counts_as_no_execution(stored):
    book, path = stored
    done = book.read(path)
    done.cells[-1].outputs = [new_output("stream", name="stderr", text="the home cannot be written")]
    book.store(path, done, 1.0)
    assert book.executed(book.read(path)) is None
    assert dataclasses.replace(book, stderr="show").executed(book.read(path)) is not None


@pytest.mark.parametrize(
    ("of_book", "of_notebook", "of_cell", "fails"),
    [
        ("error", {}, {}, True),
        ("show", {}, {}, False),
        ("remove", {}, {}, False),
        ("error", {"output_stderr": "show"}, {}, False),
        ("show", {"output_stderr": "warn"}, {}, True),
        ("error", {"output_stderr": "error"}, {"output_stderr": "show"}, False),
        ("show", {}, {"output_stderr": "severe"}, True),
    ],
)
def test_the_nearest_setting_says_whether_stderr_fails_the_build(stored, of_book, of_notebook, of_cell, fails):
    book, path = stored
    notebook = book.read(path)
    notebook.metadata["mystnb"], notebook.cells[-1].metadata["mystnb"] = of_notebook, of_cell
    last = len(notebook.cells) - 1
    notebook.cells[-1].outputs = [new_output("stream", name="stdout", text="said")]
    assert dataclasses.replace(book, stderr=of_book).noisy(notebook) == (0, "")
    notebook.cells[-1].outputs += [new_output("stream", name="stderr", text="noise")]
    index, message = dataclasses.replace(book, stderr=of_book).noisy(notebook)
    assert (index, message[-5:]) == ((last, "noise") if fails else (0, ""))


def test_stale_chapters_run_side_by_side(tiny):
    # Each waits for the other's file, so that neither ends unless both run at once.
    meet = (
        "import os, time\nopen('../{own}.here', 'w').close()\n"
        "while not os.path.exists('../{other}.here'):\n    time.sleep(0.05)"
    )
    tiny.chapters(left=cell(meet.format(own="left", other="right")), right=cell(meet.format(own="right", other="left")))
    result = tiny.build()
    assert result.code == 0, result.text
    assert "executing 2 chapters, 2 at a time" in result.text


def test_a_killed_build_is_read_anew(tiny):
    tiny.chapters(page=cell("print('ran')"))
    assert tiny.build().code == 0
    marker = tiny.root / "_build" / ".doctrees" / "unfinished"
    assert not marker.exists()
    marker.touch()  # what a killed build leaves
    after = tiny.build()
    assert after.code == 0, after.text
    assert " 2 added, " in after.text
    assert executed(after) == set()
    assert not marker.exists()


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Return a book, its one chapter read, and the folder it was stored from; nothing is built."""
    tiny = TinyBook(tmp_path_factory.mktemp("stored"))
    tiny.chapters(page=cell("print('ran')"))
    book = Book.from_folder(tiny.root)
    path = tiny.root / "book" / "page.md"
    return book, path


def test_a_chapter_that_never_ran_is_expected_to_take_as_long_as_its_profile_says(tmp_path):
    tiny = TinyBook(tmp_path)
    tiny.chapters(page=cell("print('ran')"))
    book, path = Book.from_folder(tiny.root), tiny.root / "book" / "page.md"
    notebook = book.read(path)
    assert book.expected_seconds(path, notebook) == 0
    tiny.write(PROFILES, '{"chapters": {"page": {"wall": 12.5}}}')
    assert book.expected_seconds(path, notebook) == 12.5
    assert book.expected_seconds(path.with_name("other.md"), notebook) == 0
    book.store(path, notebook, 1.5)
    assert book.expected_seconds(path, notebook) == 1.5


@pytest.mark.parametrize(
    ("seconds", "cores", "expected"),
    [
        ([0, 0], 2, [None, None]),
        ([7], 2, [2]),
        ([171, 78, 65, 224, 0], 2, [1, 1, 1, 1, 1]),
        ([171, 78, 65, 224], 4, [2, 1, 1, 2]),
        ([90, 10], 4, [4, 1]),
    ],
)
def test_a_chapter_gets_its_share_of_processes_and_no_more(seconds, cores, expected):
    assert shares(seconds, cores) == expected


def test_kernels_are_told_their_share_unless_somebody_else_has_said_so(tmp_path, monkeypatch):
    tiny = TinyBook(tmp_path)
    seen = "import os; print('seen', os.environ.get('LOKY_MAX_CPU_COUNT', 'nothing'))"
    tiny.chapters(long=cell(f"{seen}  # long"), short=cell(f"{seen}  # short"))
    tiny.write(PROFILES, '{"chapters": {"long": {"wall": 9}, "short": {"wall": 1}}}')
    monkeypatch.delenv("LOKY_MAX_CPU_COUNT", raising=False)
    first = tiny.build()
    assert first.code == 0, first.text
    long, short = shares([9, 1], os.cpu_count())
    assert f"seen {long}" in tiny.page("long")
    assert f"seen {short}" in tiny.page("short")
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "7")
    tiny.chapters(long=cell(f"{seen}  # again"))
    assert tiny.build().code == 0
    assert "seen 7" in tiny.page("long")


def test_the_longest_chapters_start_first():
    started = []

    class Noted(Run):
        def execute(self):
            started.append(self.docname)
            return self

    runs = [Noted(name, Path(name), None, 60, seconds) for name, seconds in {"a": 1.0, "b": 3.0, "c": 2.0}.items()]
    assert {run.docname for run in side_by_side(runs, 1)} == set(started)
    assert started == ["b", "c", "a"]


def test_an_execution_is_found_until_its_source_or_file_is_gone(stored):
    book, path = stored
    notebook = book.read(path)
    assert book.executed(notebook) is None
    done = book.read(path)
    done.cells[-1].execution_count = 1
    record = book.store(path, done, 1.5)
    assert record.data["execution_seconds"] == 1.5
    assert book.executed(notebook).cells[-1].execution_count == 1
    (book.cache.path / "executed" / record.hashkey / "base.ipynb").write_text("{", encoding="utf-8")
    assert book.executed(notebook) is None  # a half-written file counts as none
    book.store(path, done, 1.5)
    book.prune()
    assert book.executed(notebook) is not None
    path.rename(path.with_name("moved.md"))
    book.prune()
    assert book.cache.list_cache_records() == []
    path.with_name("moved.md").rename(path)


def test_storing_replaces_the_execution_of_an_older_source(stored):
    book, path = stored
    old = book.read(path)
    book.store(path, old, 1.0)
    new = book.read(path)
    new.cells[-1].source = "print('changed')"
    book.store(path, new, 1.0)
    assert book.record(old) is None
    assert len(book.cache.list_cache_records()) == 1


def test_several_may_store_at_once(tiny):
    names = [f"page_{number}" for number in range(40)]
    tiny.chapters(**{name: cell(f"print('{name}')") for name in names})
    _ = Book.from_folder(tiny.root).cache.db

    def store(some):
        book = Book.from_folder(tiny.root)  # as another process would have it
        paths = [tiny.root / "book" / f"{name}.md" for name in some]
        for path, notebook in [(path, book.read(path)) for path in paths]:
            everyone.wait()
            book.store(path, notebook, 1.0)

    everyone = Barrier(4, timeout=600)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(store, [names[first::4] for first in range(4)]))
    book = Book.from_folder(tiny.root)
    assert len(book.cache.list_cache_records()) == 40
    assert all(book.is_fresh(book.read(tiny.root / "book" / f"{name}.md")) for name in names)


def test_an_edited_front_end_reaches_the_site_and_executes_nothing(tiny):
    configuration = (tiny.root / "_config.yml").read_text()
    tiny.write("_config.yml", configuration.replace("innersite.execution]", "innersite.execution, innersite.widgets]"))
    placeholder = '<div data-innerlab="predict"></div>'
    tiny.chapters(page=cell(f"from IPython.display import HTML; HTML({placeholder!r})"), other=cell("1 + 1"))
    assert tiny.build().code == 0
    published = tiny.root / "_build" / "html" / "_static" / "widgets.js"
    new = published.read_text()
    published.write_text("// what an earlier version of the front end was")
    again = tiny.build()
    assert again.code == 0, again.text
    assert published.read_text() == new
    assert executed(again) == set()
    assert "0 added, 1 changed, 0 removed" in again.text  # the page without a widget is left alone
    assert "0 added, 0 changed, 0 removed" in tiny.build().text
