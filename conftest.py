"""Lets nbval run the chapters from their MyST sources, and share executions with the book's build.

It stands at the root, since pytest consults a `conftest.py` only for what lies beside or below it.

A notebook whose execution is in the cache, for the same code, laboratory and versions (`innersite.keys`), is not run
again: its cells pass for what is stored, which must be complete and hold no error but those that are due.  Every other
one is run, and if all its cells pass, its outputs are stored, so that no build and no run that follows need run it
again; the build for the tests of the site waits for those that are running.

With `--thorough` every notebook is run, and what is stored must come out the same again: same seed, same machine, same
numbers.

What is compared, when there is something to compare with:
- printed text, results, HTML, SVG, and the type and message of an expected error;
- PNG and JPEG images, byte for byte, which nbval leaves out by itself: matplotlib repeats a figure exactly,
  so a difference is an unseeded draw (SVG needs `svg.hashsalt` set and no date for that);
- not: tracebacks, execution counts, metadata, widgets' random model ids, memory addresses, process numbers.
A cell whose output must differ, such as one that prints the time it took, carries the tag
`nbval-ignore-output`.

A cell that prints on stderr fails, as it fails the build, unless its tags or settings allow that (`Book.noise`).

With `--quick` no notebook is run, and nothing of `NOT_QUICK` or marked `slow`; what is marked `thorough` runs only with
`--thorough`.

A solution is run as nbgrader would run it, so that a check which does not pass raises and fails its cell; an untouched
exercise notebook is run as a learner would.  Neither keeps records of its checks.

Last, a run says where its time went, and `SECONDS` keeps it: the next begins with what takes longest.
"""

import copy
import functools
import json
import os
import re
import time
from collections import Counter
from pathlib import Path
from unittest import mock

import pytest
from filelock import FileLock
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete
from nbval.plugin import IPyNbCell, IPyNbFile

from innersite.execution import PROFILES, Book

COMPARED_IMAGES = ("image/png", "image/jpeg")
PAGE_OF_THE_SITE = re.compile(
    r"tests/site/test_(?P<file>pages|landing)\.py::\w+\[(?P<page>(?:book|exercises)/\w+|search|genindex)\b"
)
DIFFERS_EVERY_TIME = {r"0x[0-9a-fA-F]{6,}": "ADDRESS", r"ipykernel_\d+": "ipykernel_PROCESS"}

NOT_QUICK = ("tests/site", "tests/marking")  # built and browsed; a class, marked

PATIENCE = 300  # seconds; only a kernel that hangs is silent for so long

SECONDS = "_build/test_seconds.json"  # of every unit that a worker takes: how many tests, and how long they took
# What is taken to be so in a fresh copy: about right is enough to begin with what takes longest.
FIRST_SECONDS = {"solutions": 20, "exercises": 5, "page": 10, "file": 3} | {
    "tests/marking/test_a_class.py": 80,
    "tests/marking/test_one_sandbox.py": 70,
    "tests/test_mutants.py": 60,
    "tests/test_answers.py": 90,
    "tests/site/test_exercise_pages.py": 60,
    "tests/site/test_jupyterlab.py": 60,
    "tests/test_build.py": 60,
    "tests/test_nbval.py": 60,
    "tests/marking/test_again.py": 50,
    "tests/site/test_pages.py": 50,
    "tests/site/test_journey.py": 30,
    "tests/test_evidence.py": 30,
    "tests/test_bench.py": 30,
}
TOLD = 12  # files

# Copies of notebooks that launch buttons open; their sources are tested.
collect_ignore_glob = ["book/*.ipynb"]


@functools.cache
def book_at(root: Path) -> Book:
    """Return the book in this folder, described once a process."""
    return Book.from_folder(root)


class MystNotebook(IPyNbFile):
    """A chapter, solution or exercise as the book reads it, whose cells nbval runs unless their outputs are stored."""

    stored = None  # a fresh execution
    taken = False  # whether it stands in for running the cells
    running = None  # a lock, while the cells run

    def collect(self):
        self.book = book_at(self.config.rootpath)
        self.source = self.book.read(self.path)
        if self.source is None:
            raise self.CollectError(f"{self.path}: has code cells, but not the header of a notebook")
        self.recorder = Recorder(self.source)
        self.skip_compare = tuple(kind for kind in self.skip_compare if kind not in COMPARED_IMAGES)
        with mock.patch("nbval.plugin.nbformat.read", return_value=self.source):
            for cell in super().collect():
                same = {"name": cell.name, "cell_num": cell.cell_num, "cell": cell.cell, "options": cell.options}
                yield MystCell.from_parent(self, **same)

    def setup(self):
        self.stored = self.book.executed(self.source)
        self.taken = self.stored is not None and not self.config.option.thorough
        if self.taken:
            self.recorder.notebook = self.stored
            return
        self.running = FileLock(self.book.cache.path / f"{self.path.parent.name}-{self.path.stem}.running")
        self.running.acquire()
        settings = {"NBGRADER_EXECUTION": "1"} if self.path.parent.name == "solutions" else {}
        if "PYTEST_XDIST_WORKER" in os.environ:  # the cores are taken: more processes would only take turns
            settings |= {"LOKY_MAX_CPU_COUNT": "1"}  # joblib reads it
        with mock.patch.dict(os.environ, settings):  # the kernel inherits them
            super().setup()
        self.sanitize_patterns.update(DIFFERS_EVERY_TIME)
        client = self.kernel.kc
        about = client.kernel_info(reply=True, timeout=PATIENCE)
        self.recorder.notebook.metadata["language_info"] = about["content"]["language_info"]
        # nbval asks for no history, and then IPython counts no cells and shows a result in spite of a semicolon.
        # The history stays in the kernel's memory.
        client.execute("get_ipython().history_manager.enabled = False", silent=True, reply=True, timeout=PATIENCE)
        self.kernel.execute_cell_input = functools.partial(client.execute, stop_on_error=False)
        self.started = time.perf_counter()

    def code_cell(self, number: int):
        """Return the code cell of this number, counted from zero, as stored."""
        return self.stored.cells[self.recorder.positions[number]]

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
        try:
            if self.stored is None and self.recorder.passed == set(range(cells)):
                seconds = time.perf_counter() - self.started
                self.book.store(self.path, self.recorder.notebook, seconds, self.recorder.cell_seconds)
        finally:
            if self.running is not None:
                self.running.release()


class MystCell(IPyNbCell):
    """A cell that is run, and compared with what is stored; or only looked up there."""

    def setup(self):
        super().setup()
        self.output_timeout = PATIENCE
        if self.parent.stored is not None:
            self.cell = self.parent.code_cell(self.cell_num)

    def runtest(self):
        if not self.parent.taken or self.options["skip"]:
            super().runtest()
            return
        self.test_outputs = self.cell.outputs
        if self.cell.source.strip() and self.cell.execution_count is None:
            self.raise_cell_error("What is stored of this notebook says nothing of this cell")
        for output in self.test_outputs:
            if output.output_type == "error" and not self.options["check_exception"]:
                self.raise_cell_error("The cell raised an exception when it was run", "\n".join(output.traceback))


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


def pytest_addoption(parser):
    """Add the options that say how much is run."""
    group = parser.getgroup("the book")
    group.addoption("--quick", action="store_true", help="only what is short: no notebook, no page, no class")
    group.addoption("--thorough", action="store_true", help="also what takes so long that it is run at night")


def pytest_configure(config):
    """Set what holds for all notebooks, and create the cache's database before workers start and all try to."""
    os.environ["INNERLAB_PROGRESS"] = ""
    if config.option.quick:
        if config.option.thorough:
            raise pytest.UsageError("--quick and --thorough: choose one")
        config.option.nbval = False
    if config.option.nbval and (config.rootpath / "_config.yml").is_file():
        book = book_at(config.rootpath)
        config.option.nbval_cell_timeout = book.timeout  # one place says it: _config.yml
        config.option.nbval_kernel_startup_timeout = PATIENCE
        if not hasattr(config, "workerinput"):
            _ = book.cache.db
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Spent(config.rootpath / SECONDS), "spent")


def pytest_ignore_collect(collection_path: Path, config):
    """With `--quick`, do not look into folders whose tests take long."""
    folders = NOT_QUICK if config.option.quick else ()
    return True if collection_path in [config.rootpath / folder for folder in folders] else None


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent):
    """Collect a notebook, or a Markdown file with code cells, in the place of nbval."""
    found = yield
    if not parent.config.option.nbval:
        return found
    if file_path.suffix == ".ipynb":
        return [MystNotebook.from_parent(parent, path=file_path)]
    if file_path.suffix == ".md" and "```{code-cell}" in file_path.read_text(encoding="utf-8"):
        return [MystNotebook.from_parent(parent, path=file_path)]
    return found


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


def unit(nodeid: str) -> str:
    """Name what one worker takes as a whole: a notebook, a file, or a page of the site, opened once for its tests."""
    page = PAGE_OF_THE_SITE.match(nodeid)
    return f"{page['file']} {page['page']}" if page else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config, log):
    """Keep on one worker what belongs together, in the order of the tests."""
    from xdist.scheduler import LoadFileScheduling

    class BookScheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit(nodeid)

    config.option.loadscopereorder = False
    return BookScheduling(config, log)


def uses(item) -> list[str]:
    """Return the names of the fixtures that a test asks for, directly or through one another."""
    return getattr(item, "fixturenames", [])


def read_json(path: Path) -> dict:
    """Return what a file holds; nothing when there is none, or none that can be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def pytest_collection_modifyitems(config, items):
    """Leave out what is not asked for, and put what takes longest first, so that all workers are done at one time.

    Notebooks stand before all others, since the site is built from them.  Then one file of the site begins to build it,
    before others want it too.
    """
    marks = {"slow"} if config.option.quick else set()
    if not config.option.thorough:
        marks.add("thorough")
    left_out = [item for item in items if any(item.get_closest_marker(mark) for mark in marks)]
    if config.option.quick:
        left_out += [item for item in items if not {"site", "browser"}.isdisjoint(uses(item))]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        gone = set(left_out)
        items[:] = [item for item in items if item not in gone]

    known = read_json(config.rootpath / SECONDS)
    profiles = read_json(config.rootpath / PROFILES).get("chapters", {})

    def seconds(item):
        name = unit(item.nodeid)
        if isinstance(item, IPyNbCell):  # many a run takes it from the cache in no time
            profile = profiles.get(item.path.stem, {}) if item.path.parent.name == "book" else {}
            return profile.get("wall", FIRST_SECONDS.get(item.path.parent.name, 0))
        if name in known:
            return known[name][1]
        kind = "page" if PAGE_OF_THE_SITE.match(item.nodeid) else "file"
        return FIRST_SECONDS.get(name, FIRST_SECONDS[kind])

    of_site = [item for item in items if "site" in uses(item)]
    builds = unit(max(of_site, key=seconds).nodeid) if of_site else None

    def place(item):
        name = unit(item.nodeid)
        rank = 0 if isinstance(item, IPyNbCell) else 1 if name == builds else 2
        return rank, -seconds(item), name

    items.sort(key=place)


class Spent:
    """How long the tests took, said at the end of a run and kept for the next."""

    def __init__(self, kept: Path):
        self.kept = kept
        self.files, self.units, self.tests = Counter(), Counter(), Counter()
        self.began = time.perf_counter()

    def pytest_runtest_logreport(self, report):
        """Add what a test, its set-up or its end took."""
        self.files[report.nodeid.partition("::")[0]] += report.duration
        self.units[unit(report.nodeid)] += report.duration
        self.tests[unit(report.nodeid)] += report.when == "call"

    def pytest_terminal_summary(self, terminalreporter):
        """Say which files took longest; a run of one file is no news."""
        total = sum(self.files.values())
        if len(self.files) > 1 and total:
            terminalreporter.section("where the time went")
            for name, seconds in self.files.most_common(TOLD):
                terminalreporter.write_line(f"{seconds:7.1f} s {seconds / total:4.0%}  {name}")
            if others := [seconds for _, seconds in self.files.most_common()[TOLD:]]:
                line = f"{sum(others):7.1f} s {sum(others) / total:4.0%}  {len(others)} others"
                terminalreporter.write_line(line)
            passed = time.perf_counter() - self.began
            terminalreporter.write_line(f"{total:7.1f} s       side by side in {passed:.0f} s{processor_seconds()}")
        # A part of a unit says nothing about the whole.
        known = read_json(self.kept)
        for name, tests in self.tests.items():
            if tests >= known.get(name, [0])[0]:
                known[name] = [tests, round(self.units[name], 1)]
        if self.kept.parent.is_dir():
            self.kept.write_text(json.dumps(known, indent=1), encoding="utf-8")


def processor_seconds() -> str:
    """Say what the processors did for this process and those that it waited for, where the system tells."""
    try:
        import resource
    except ImportError:
        return ""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return f"; the processors worked for {sum(one.ru_utime + one.ru_stime for one in used):.0f} s"
