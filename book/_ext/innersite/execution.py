"""How chapters are executed: each when something it depends on has changed, stale ones side by side.

Sphinx asks which pages are out of date; before answering, the stale chapters are run and their outputs put
into jupyter-cache, where myst-nb finds them.  Only this process writes the cache, so nothing is executed
twice.  The record of an execution carries its key (see `keys`), its seconds, and the versions and the kind of
machine it ran on (see `surroundings`); there is no other file to keep in step.

The notebook tests read and write the same cache through `Book`.
"""

import copy
import json
import math
import os
import platform
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path, PurePosixPath

import myst_nb.core.execute.cache as myst_nb_cache
from filelock import FileLock
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.cache.db import NbCacheRecord
from jupyter_cache.cache.main import JupyterCacheBase
from myst_nb.core.config import NbParserConfig
from myst_nb.core.read import create_nb_reader
from myst_parser.config.main import MdParserConfig
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbformat import NotebookNode
from sphinx.application import ENV_PICKLE_FILENAME
from sphinx.errors import SphinxError
from sphinx.util import logging

from .keys import chapter_key

DEFAULT_PACKAGE = "innerlab"
MARKER = "unfinished"
PROFILES = "bench/profiles.json"  # how long chapters take, from `python run.py bench --profile`; may be missing
PACKAGES = ("torch", "numpy", "scipy", "matplotlib", "jupyter-book")  # whose versions a reader may ask for
STARTING = 600  # seconds that a kernel may be silent while it should start, or after it has answered
PATIENCE = 15  # seconds without news before saying what is running
OWN = "mystnb"  # where a notebook, and a cell of it, keep settings of their own
UNHEARD = ("show", "remove")  # what myst-nb may be told to do with stderr that is not at least a warning
UNSHOWN = {"remove-stderr", "remove-output", "remove_output"}  # tags of cells whose stderr myst-nb leaves alone
ANSI = re.compile(r"\x1b\[[0-9;]*m")
log = logging.getLogger(__name__)


# The cache


@dataclass(frozen=True)
class Book:
    """A book's folder, with the executed notebooks it keeps."""

    root: Path
    """where `_config.yml`, the package and the requirements lie"""
    package: str
    """the package whose modules a chapter's key follows"""
    timeout: float
    """seconds a cell may take"""
    stderr: str
    """what myst-nb does with what cells print on stderr: "show", "error" and so on, from `_config.yml`"""
    markdown: MdParserConfig
    """how Markdown is read, which decides what counts as a cell"""
    cache: JupyterCacheBase = field(compare=False)
    """the executed notebooks"""

    @classmethod
    def from_app(cls, app) -> "Book":
        """Describe the book that Sphinx is building."""
        cache = get_cache(app.env.mystnb_config.execution_cache_path)
        package, timeout = app.config.innersite_package, app.config.nb_execution_timeout
        stderr = app.env.mystnb_config.output_stderr
        return cls(Path(app.srcdir), package, timeout, stderr, app.env.myst_config, cache)

    @classmethod
    def from_folder(cls, root: Path) -> "Book":
        """Describe the book in a folder with a `_config.yml`, as `jupyter-book build` would see it."""
        from jupyter_book.config import get_final_config  # slow to import, and a build has it already

        settings, _ = get_final_config(
            user_yaml=root / "_config.yml", sourcedir=root, cli_config={"latex_individualpages": False}
        )
        markdown = MdParserConfig(enable_extensions=set(settings["myst_enable_extensions"]))
        package = settings.get("innersite_package", DEFAULT_PACKAGE)
        folder = settings.get("nb_execution_cache_path") or root / "_build" / ".jupyter_cache"
        timeout, stderr = settings["nb_execution_timeout"], settings["nb_output_stderr"]
        return cls(root, package, timeout, stderr, markdown, get_cache(str(folder)))

    def read(self, path: Path) -> NotebookNode | None:
        """Read a source as myst-nb reads it; None when it is not a notebook."""
        text = path.read_text(encoding="utf-8")
        reader = create_nb_reader(str(path), self.markdown, NbParserConfig(), text)
        return None if reader is None else reader.read(text)

    def notebooks(self) -> Iterator[tuple[str, Path, NotebookNode]]:
        """Yield every page of the book with code: its name, its file and its cells."""
        for path in sorted((self.root / "book").rglob("*.md")):
            notebook = self.read(path)
            if notebook is not None and any(cell.cell_type == "code" for cell in notebook.cells):
                yield path.relative_to(self.root / "book").with_suffix("").as_posix(), path, notebook

    def key(self, notebook: NotebookNode) -> str:
        """Return what the notebook's outputs depend on, as one string."""
        return chapter_key(notebook, self.root, self.package)

    def record(self, notebook: NotebookNode) -> NbCacheRecord | None:
        """Return the record of an execution with these cells, fresh or stale, or None."""
        try:
            return self.cache.match_cache_notebook(notebook)
        except KeyError:
            return None

    def expected_seconds(self, path: Path, notebook: NotebookNode) -> float:
        """Return how long the last execution of these cells took; failing that, the chapter's profile; else 0."""
        record = self.record(notebook)
        if record is not None:
            return (record.data or {}).get("execution_seconds", 0.0)
        profiles = self.root / PROFILES
        chapters = json.loads(profiles.read_text(encoding="utf-8"))["chapters"] if profiles.exists() else {}
        return chapters.get(path.stem, {}).get("wall", 0.0)

    def is_fresh(self, notebook: NotebookNode) -> bool:
        """Tell whether the cache holds readable outputs that nothing has made stale since."""
        return self.executed(notebook) is not None

    def executed(self, notebook: NotebookNode) -> NotebookNode | None:
        """Return the notebook with its fresh outputs, or None when there are none."""
        record = self.record(notebook)
        if record is None or (record.data or {}).get("key") != self.key(notebook):
            return None
        if "machine" not in record.data:
            return None  # stored when less was noted; run again rather than publish a gap
        try:
            executed = self.cache.merge_match_into_notebook(notebook)[1]
        except (KeyError, ValueError):
            return None  # a process was killed between writing the record and writing the notebook
        return None if self.noisy(executed)[1] else executed  # stored when such noise was let through

    def noise(self, notebook: NotebookNode, index: int) -> str:
        """Say what a cell printed on stderr, if it fails the build as myst-nb follows settings and tags; else "".

        Such an execution must not be stored, or builds would go on failing when what made the noise is gone.
        """
        cell = notebook.cells[index]
        rule = notebook.metadata.get(OWN, {}).get("output_stderr", self.stderr)
        rule = cell.metadata.get(OWN, {}).get("output_stderr", rule)
        if rule in UNHEARD or UNSHOWN.intersection(cell.metadata.get("tags", [])):
            return ""
        streams = [output for output in cell.get("outputs", []) if output.output_type == "stream"]
        text = "".join(stream.text for stream in streams if stream.name == "stderr")
        return text and f"the cell printed on stderr (one that may is tagged remove-stderr); nothing is kept:\n\n{text}"

    def noisy(self, notebook: NotebookNode) -> tuple[int, str]:
        """Find a cell that made such noise: its index and what `noise` says, or (0, "")."""
        found = ((index, self.noise(notebook, index)) for index in range(len(notebook.cells)))
        return next((both for both in found if both[1]), (0, ""))

    def store(
        self, path: Path, notebook: NotebookNode, seconds: float, cell_seconds: Mapping[int, float] | None = None
    ) -> NbCacheRecord:
        """Keep an executed notebook, in place of what was kept for the same source before.

        `cell_seconds` holds the seconds of each cell by the cell's index.  A lock lets one process store at a time,
        since jupyter-cache removes surplus entries and may take an entry that another process is storing for one.
        """
        name = self._name(path)
        data = {"key": self.key(notebook), "execution_seconds": seconds, "cell_seconds": dict(cell_seconds or {})}
        data |= surroundings()
        bundle = CacheBundleIn(notebook, name, data=data)
        with FileLock(self.cache.path / "store.lock"):
            for record in NbCacheRecord.records_from_uri(name, self.cache.db):
                self._discard(record)
            return self.cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)

    def prune(self) -> None:
        """Forget executions whose source is gone."""
        for record in self.cache.list_cache_records():
            if not (self.root / record.uri).is_file():
                self._discard(record)

    def _name(self, path: Path) -> str:
        """Name a source relative to the book, so that a moved checkout keeps its executions."""
        return path.resolve().relative_to(self.root.resolve()).as_posix()

    def _discard(self, record: NbCacheRecord) -> None:
        # jupyter-cache's own removal refuses when the folder is missing already
        shutil.rmtree(self.cache.path / "executed" / record.hashkey, ignore_errors=True)
        NbCacheRecord.remove_records([record.pk], self.cache.db)


def surroundings() -> dict[str, dict]:
    """Return the versions and the kind of machine of an execution, without anything that identifies the machine."""
    versions = {"Python": platform.python_version()} | {name: metadata.version(name) for name in PACKAGES}
    machine = {"system": platform.system(), "processor": platform.machine(), "cores": os.cpu_count() or 1}
    return {"versions": versions, "machine": machine}


# Running


@dataclass
class Run:
    """One execution of one chapter, planned, running or finished."""

    docname: str
    path: Path
    notebook: NotebookNode
    timeout: float
    expected_seconds: float = 0.0
    """see `Book.expected_seconds`; the longest start first"""
    variables: Mapping[str, str] = field(default_factory=dict)
    """what the kernel's environment has besides"""
    allow_errors: bool = False
    """whether a cell that raises is left behind, and the next one run"""
    processes: int | None = None
    """over how many processes `innerlab.parallel.spread` may spread work; None for as many as there are cores"""
    seconds: float = 0.0
    failure: str = ""
    """what went wrong, for a person to read; empty when nothing did"""
    client: NotebookClient | None = None
    reached: int = 0
    """the index of the cell that is running, or was the last to run"""
    began: float = 0.0
    """when it began"""
    cell_seconds: dict[int, float] = field(default_factory=dict)
    """how long each code cell took, by its index"""

    def execute(self) -> "Run":
        """Execute all cells in a new kernel, in the source's folder; keep an error instead of raising it."""
        started = time.perf_counter()
        self.notebook = copy.deepcopy(self.notebook)
        self.client = NotebookClient(
            self.notebook,
            timeout=self.timeout,
            record_timing=False,
            startup_timeout=STARTING,
            iopub_timeout=STARTING,  # or what a busy kernel is slow to send would be left out
            extra_arguments=["--log-level=ERROR"],  # not a warning a kernel that it listens on the loopback
            resources={"metadata": {"path": str(self.path.parent)}},
            allow_errors=self.allow_errors,
            on_cell_start=self._reach,
            on_cell_executed=self._leave,
        )
        spread = {} if self.processes is None else {"LOKY_MAX_CPU_COUNT": str(self.processes)}  # joblib reads it
        try:
            self.client.execute(env={**spread, **os.environ, **self.variables})  # what somebody has set counts
            self.fail(*unraised(self.notebook))
        except (CellExecutionError, CellTimeoutError) as error:
            self.fail(self.reached, str(error))
        except Exception as error:  # a kernel that dies or never starts fails its chapter only
            self.fail(self.reached, f"{type(error).__name__}: {error}")
        self.seconds = time.perf_counter() - started
        return self

    def fail(self, index: int, problem: str) -> None:
        """Keep what is wrong with the cell of this index, and where it stands; an empty problem is none."""
        if problem:
            lines = self.notebook.metadata.get("source_map")  # an .ipynb has none
            place = f"line {lines[index] + 1}" if lines else f"index {index}"
            self.failure = f"{self.path.name}, cell at {place}:\n{ANSI.sub('', problem)}"

    def _reach(self, cell: NotebookNode, cell_index: int) -> None:
        self.reached, self.began = cell_index, time.perf_counter()

    def _leave(self, cell: NotebookNode, cell_index: int, execute_reply: dict) -> None:
        self.cell_seconds[cell_index] = time.perf_counter() - self.began

    def is_running(self) -> bool:
        """Tell whether the execution has begun and not ended."""
        return self.client is not None and not self.seconds

    def progress(self) -> str:
        """Say how far the execution is."""
        code = [index for index, cell in enumerate(self.notebook.cells) if cell.cell_type == "code"]
        return f"{self.docname} (cell {sum(index <= self.reached for index in code)} of {len(code)})"

    def kill(self) -> None:
        """End the kernel at once, from another thread."""
        provisioner = getattr(getattr(self.client, "km", None), "provisioner", None)
        process = getattr(provisioner, "process", None)
        if process is not None:
            process.kill()


def unraised(notebook: NotebookNode) -> tuple[int, str]:
    """Find a cell that is tagged `raises-exception` and raised none: its index and a message, or (0, "")."""
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or "raises-exception" not in cell.metadata.get("tags", []):
            continue
        if not any(output.output_type == "error" for output in cell.outputs):
            return index, f"the cell is tagged raises-exception, but it raised none:\n\n{cell.source}"
    return 0, ""


def shares(seconds: list[float], cores: int) -> list[int | None]:
    """Return the number of processes over which each chapter may spread its work.

    It is the chapter's share of all seconds times the number of cores, rounded up; None for every chapter when no
    seconds are known.
    """
    total = sum(seconds)
    return [max(1, math.ceil(cores * one / total)) if total else None for one in seconds]


def side_by_side(runs: list[Run], workers: int) -> Iterator[Run]:
    """Execute chapters in `workers` kernels at a time, the longest first; yield each as it ends.

    Each chapter spreads its work over as many processes as its share of all the work (see `shares`): with more, the
    processes would only compete with those of other chapters.
    """
    queue = sorted(runs, key=lambda run: -run.expected_seconds)
    all_shares = shares([run.expected_seconds for run in queue], os.cpu_count() or 1)
    for run, share in zip(queue, all_shares, strict=True):
        run.processes = share
    pool = ThreadPoolExecutor(workers)
    try:
        waiting = {pool.submit(run.execute) for run in queue}
        while waiting:
            done, waiting = wait(waiting, timeout=PATIENCE, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
            if not done:
                log.info("still executing %s", ", ".join(run.progress() for run in queue if run.is_running()))
    finally:
        # After Ctrl-C: start nothing more, and end the kernels, for which the threads would wait otherwise.
        pool.shutdown(wait=False, cancel_futures=True)
        for run in runs:
            run.kill()


# What Sphinx calls


def execute_stale(app, env, added, changed, removed) -> list[str]:
    """Bring every chapter's outputs up to date; return the pages that must be read again.

    Exits with status 1 when a chapter fails, after reporting all that failed.  Raising would do too, but
    Jupyter Book answers an exception with sixty lines of its own traceback below the report.
    """
    if app.config.nb_execution_mode != "cache":
        return []
    book = Book.from_app(app)
    book.prune()
    runs = list(chapters(app, book))
    _refresh(book, [run for run in runs if not book.is_fresh(run.notebook)])
    myst_nb_cache.single_nb_execution = _refuse
    # A page can be older than its outputs: the notebook tests store executions too.
    before = getattr(env, "innersite_executions", {})
    records = {run.docname: book.record(run.notebook) for run in runs}
    env.innersite_executions = {name: record.created.isoformat() for name, record in records.items() if record}
    return [name for name, created in env.innersite_executions.items() if before.get(name) != created]


def chapters(app, book: Book) -> Iterator[Run]:
    """Yield the pages that myst-nb would execute, with its per-page settings."""
    config = app.env.mystnb_config
    for docname in sorted(app.env.found_docs):
        path = Path(app.env.doc2path(docname))
        notebook = book.read(path)
        if notebook is None or not any(cell.cell_type == "code" for cell in notebook.cells):
            continue
        if any(PurePosixPath(path.as_posix()).match(pattern) for pattern in config.execution_excludepatterns):
            continue
        own = notebook.metadata.get(OWN, {})
        if own.get("execution_mode", config.execution_mode) == "cache":
            timeout = own.get("execution_timeout", book.timeout)
            yield Run(docname, path, notebook, timeout, book.expected_seconds(path, notebook))


def _refresh(book: Book, stale: list[Run]) -> None:
    """Execute the stale chapters and store those that succeed; exit when any fails."""
    if not stale:
        return
    workers = min(len(stale), os.cpu_count() or 1)
    log.info("\nexecuting %d chapter%s, %d at a time", len(stale), "s"[: len(stale) != 1], workers)
    failed = []
    for count, run in enumerate(side_by_side(stale, workers), start=1):
        if not run.failure:
            run.fail(*book.noisy(run.notebook))
        verdict = "failed after" if run.failure else "…"
        log.info("[%d of %d] executing %s %s %.1f s", count, len(stale), run.docname, verdict, run.seconds)
        if run.failure:
            failed.append(run)
        else:
            book.store(run.path, run.notebook, run.seconds, run.cell_seconds)
    if failed:
        failed.sort(key=lambda run: run.docname)
        for run in failed:
            log.error("%s failed: %s\n", run.docname, run.failure)
        log.error("chapters that failed: %s", ", ".join(run.docname for run in failed))
        raise SystemExit(1)


def _refuse(notebook: NotebookNode, cwd: str, **settings):
    """Raise: myst-nb must find every output in the cache, and never execute a notebook itself."""
    raise SphinxError(
        f"A chapter in {cwd} changed after the chapters were executed. Build again; report it if it stays."
    )


def begin(app, config) -> None:
    """Mark the build as unfinished; discard the pages read by an earlier build that failed.

    Without that a warning would fail the first build only, since Sphinx does not read an unchanged page again.
    """
    marker = Path(app.doctreedir) / MARKER
    if marker.exists():
        (Path(app.doctreedir) / ENV_PICKLE_FILENAME).unlink(missing_ok=True)
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.touch()


def finish(app, exception) -> None:
    """Remove the mark if the build had neither errors nor warnings."""
    if exception is None and app._warncount == 0:
        (Path(app.doctreedir) / MARKER).unlink(missing_ok=True)


def setup(app) -> None:
    """Connect the above to the events of a build."""
    app.add_config_value("innersite_package", DEFAULT_PACKAGE, "env", str)
    app.connect("config-inited", begin, priority=0)
    app.connect("env-get-outdated", execute_stale)
    app.connect("build-finished", finish, priority=1000)  # last, since others may warn while they finish
