"""Lets nbval run the chapters from their MyST sources, and share executions with the book's build.

It stands at the root, since pytest consults a `conftest.py` only for what lies beside or below it.

Every run executes every cell.  When the execution cache holds outputs for the same code, laboratory and
versions (`innersite.keys`), they must come out the same again: same seed, same machine, same numbers.  When
it holds none, the cells only have to run; if all pass, their outputs are stored, so that a build that follows
need not run them again.

What is compared, when there is something to compare with:
- printed text, results, HTML, SVG, and the type and message of an expected error;
- PNG and JPEG images, byte for byte, which nbval leaves out by itself: matplotlib repeats a figure exactly,
  so a difference is an unseeded draw (SVG needs `svg.hashsalt` set and no date for that);
- not: tracebacks, execution counts, metadata, widgets' random model ids, memory addresses, process numbers.
A cell whose output must differ, such as one that prints the time it took, carries the tag
`nbval-ignore-output`.

A cell that prints on stderr fails, as it fails the build, unless its tags or settings allow that (`Book.noise`).

A solution is run as nbgrader would run it, so that a check which does not pass raises and fails its cell; an untouched
exercise notebook is run as a learner would.  Neither keeps records of its checks.
"""

import copy
import functools
import os
import re
import time
from pathlib import Path
from unittest import mock

import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete
from nbval.plugin import IPyNbCell, IPyNbFile

from innersite.execution import Book

COMPARED_IMAGES = ("image/png", "image/jpeg")
PAGE_OF_THE_SITE = re.compile(r"tests/site/test_pages\.py::\w+\[(?P<page>book/\w+|search|genindex)\b")
DIFFERS_EVERY_TIME = {r"0x[0-9a-fA-F]{6,}": "ADDRESS", r"ipykernel_\d+": "ipykernel_PROCESS"}

# Copies of notebooks that launch buttons open; their sources are tested.
collect_ignore_glob = ["book/*.ipynb"]


@functools.cache
def book_at(root: Path) -> Book:
    """Return the book in this folder, described once a process."""
    return Book.from_folder(root)


class MystNotebook(IPyNbFile):
    """A chapter or solution, read from its source, whose cells nbval runs."""

    def collect(self):
        self.book = book_at(self.config.rootpath)
        self.source = self.book.read(self.path)
        if self.source is None:
            raise self.CollectError(f"{self.path}: has code cells, but not the header of a notebook")
        reference = self.book.executed(self.source)
        self.compares = reference is not None
        self.recorder = Recorder(self.source)
        self.skip_compare = tuple(kind for kind in self.skip_compare if kind not in COMPARED_IMAGES)
        notebook = reference if self.compares else self.source
        with mock.patch("nbval.plugin.nbformat.read", return_value=notebook):
            yield from super().collect()

    def setup(self):
        settings = {"NBGRADER_EXECUTION": "1"} if self.path.parent.name == "solutions" else {}
        if "PYTEST_XDIST_WORKER" in os.environ:  # the cores are taken: more processes would only take turns
            settings |= {"LOKY_MAX_CPU_COUNT": "1"}  # joblib reads it
        with mock.patch.dict(os.environ, settings):  # the kernel inherits them
            super().setup()
        self.sanitize_patterns.update(DIFFERS_EVERY_TIME)
        client = self.kernel.kc
        about = client.kernel_info(reply=True, timeout=30)
        self.recorder.notebook.metadata["language_info"] = about["content"]["language_info"]
        # nbval asks for no history, and then IPython counts no cells and shows a result in spite of a semicolon.
        # The history stays in the kernel's memory.
        client.execute("get_ipython().history_manager.enabled = False", silent=True, reply=True, timeout=30)
        self.kernel.execute_cell_input = functools.partial(client.execute, stop_on_error=False)
        self.started = time.perf_counter()

    def get_kernel_message(self, timeout=None, stream="iopub"):
        message = super().get_kernel_message(timeout, stream)
        self.recorder.take(message)
        return message

    def noise(self, number: int) -> str:
        """Say what the code cell of this number printed on stderr, if that fails the build; else ""."""
        return self.book.noise(self.recorder.notebook, self.recorder.positions[number])

    def teardown(self):
        super().teardown()
        cells = sum(cell.cell_type == "code" for cell in self.source.cells)
        if not self.compares and self.recorder.passed == set(range(cells)):
            seconds = time.perf_counter() - self.started
            self.book.store(self.path, self.recorder.notebook, seconds, self.recorder.cell_seconds)


class Recorder:
    """Builds the executed notebook out of the kernel's messages exactly as the book's build does.

    nbval keeps outputs for comparison only: it joins what a cell printed before and after a figure.
    """

    def __init__(self, source):
        self.notebook = copy.deepcopy(source)
        self.client = NotebookClient(self.notebook, record_timing=False)
        self.client.reset_execution_trackers()
        self.positions = [index for index, cell in enumerate(source.cells) if cell.cell_type == "code"]
        self.passed: set[int] = set()
        self.cell_seconds: dict[int, float] = {}
        self.began = 0.0
        self.at: int | None = None
        self.request = None

    def take(self, message) -> None:
        """Add one message to the cell that is running; messages of other requests do not count."""
        if message["msg_type"] == "execute_input":
            self.request = message["parent_header"]["msg_id"]
        if self.at is None or message["parent_header"].get("msg_id") != self.request:
            return
        try:
            self.client.process_message(message, self.notebook.cells[self.at], self.at)
        except CellExecutionComplete:
            self.at = None

    def begin(self, number: int) -> None:
        """Say that the code cell of this number, counted from zero, runs next."""
        self.at, self.request = self.positions[number], None
        self.client.clear_before_next_output = False
        self.began = time.perf_counter()

    def end(self, number: int) -> None:
        """Say that this cell has run."""
        self.cell_seconds[self.positions[number]] = time.perf_counter() - self.began


def pytest_configure(config):
    """Set what holds for all notebooks, and create the cache's database before workers start and all try to."""
    os.environ["INNERLAB_PROGRESS"] = ""
    if config.option.nbval and (config.rootpath / "_config.yml").is_file():
        book = book_at(config.rootpath)
        config.option.nbval_cell_timeout = book.timeout  # one place says it: _config.yml
        if not hasattr(config, "workerinput"):
            _ = book.cache.db


def pytest_collect_file(file_path: Path, parent):
    """Collect a Markdown file with code cells as a notebook."""
    if not parent.config.option.nbval or file_path.suffix != ".md":
        return None
    if "```{code-cell}" in file_path.read_text(encoding="utf-8"):
        return MystNotebook.from_parent(parent, path=file_path)
    return None


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Fail a notebook that would pass without running anything."""
    report = yield
    notebook = isinstance(collector, IPyNbFile)
    if notebook and report.passed and all(cell.options["skip"] for cell in report.result):
        report.outcome = "failed"
        report.longrepr = f"{collector.path}: no cell of this notebook would be executed"
        report.result = []
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Hold a cell to what the build wants: no stderr, and an exception where the tag `raises-exception` permits one."""
    if not isinstance(item, IPyNbCell):
        return (yield)
    notebook = item.parent if isinstance(item.parent, MystNotebook) else None
    if notebook:
        notebook.recorder.begin(item.cell_num)
    result = yield
    if notebook:
        notebook.recorder.end(item.cell_num)
        if noise := notebook.noise(item.cell_num):
            item.raise_cell_error(noise)
    if item.options["check_exception"] and not any(out.output_type == "error" for out in item.test_outputs):
        item.raise_cell_error("The cell is tagged raises-exception, but it raised none")
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Note which cells passed; an expected failure or a skipped cell has not."""
    report = yield
    passed = report.when == "call" and report.passed and not hasattr(report, "wasxfail")
    if passed and isinstance(item, IPyNbCell) and isinstance(item.parent, MystNotebook):
        item.parent.recorder.passed.add(item.cell_num)
    return report


def pytest_xdist_make_scheduler(config, log):
    """Keep a notebook on one worker, a file of tests, and each page of the site, which is opened for all its tests."""
    from xdist.scheduler import LoadFileScheduling

    class BookScheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            page = PAGE_OF_THE_SITE.match(nodeid)
            return page["page"] if page else super()._split_scope(nodeid)

    config.option.loadscopereorder = False
    return BookScheduling(config, log)


def pytest_collection_modifyitems(items):
    """Put what takes longest first: notebooks, and of the site, whose chapters they execute, the single pages last.

    The many short pages at the end keep all workers busy until it is over.
    """

    def place(item):
        if isinstance(item, IPyNbCell):
            return 0
        if not item.nodeid.startswith("tests/site/"):
            return 1
        return 3 if PAGE_OF_THE_SITE.match(item.nodeid) else 2

    items.sort(key=place)
