"""How long chapters take, cold and unchanged, and how much memory each needs."""

import contextlib
import copy
import datetime
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from jupyter_client.provisioning import LocalProvisioner
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from innersite.execution import Book

COMMAND = (sys.executable, "run.py", "book")

# On Linux of this program alone, where ru_maxrss remembers the process that started it.  Windows has neither.
PEAK = """
import json, pathlib, sys
status = pathlib.Path("/proc/self/status")
peak = None
if status.is_file():
    peak = int(status.read_text().split("VmHWM:")[1].split()[0]) * 1024
elif sys.platform != "win32":
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps(peak))
"""


@dataclass(frozen=True)
class Cell:
    """One code cell as it ran."""

    source: str
    wall_seconds: float
    """from its start to its end, by the kernel's own times"""
    cpu_seconds: float
    """of the kernel and of every process that it started"""


@dataclass(frozen=True)
class Execution:
    """One run of a chapter in a kernel of its own; None for what is unknown."""

    peak_bytes: int | None
    """the most memory that the kernel held at once"""
    seconds: float
    """all of it, with the kernel's start"""
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class ChapterCost:
    """The measurements of one chapter; None for what is unknown."""

    cold_seconds: float | None
    """its last execution, from the book's own record"""
    up_to_date: bool
    """whether that was of the chapter as it is now"""
    run: Execution
    """an execution in which nothing else of the book ran"""


def measure(root: Path, report=print) -> dict[str, ChapterCost]:
    """Run every chapter of the book in this folder once more, and look up how long it took last time."""
    book = Book.from_folder(root)
    chapters = {}
    for name, path, notebook in book.notebooks():
        report(f"running {name} for its memory")
        record = book.record(notebook)
        seconds = (record.data or {}).get("execution_seconds") if record else None
        chapters[name] = ChapterCost(seconds, book.is_fresh(notebook), watch(path, notebook, book.timeout))
    return chapters


def watch(path: Path, notebook: NotebookNode, timeout: float) -> Execution:
    """Run a notebook in a kernel of its own."""
    notebook = copy.deepcopy(notebook)
    notebook.cells.append(new_code_cell(PEAK))
    before, after = {}, {}  # cell's index: CPU seconds used until then
    client: NotebookClient = NotebookClient(
        notebook,
        timeout=timeout,
        record_timing=True,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_execute=lambda cell, cell_index: before.update({cell_index: family_seconds(client)}),
        on_cell_executed=lambda cell, cell_index, execute_reply: after.update({cell_index: family_seconds(client)}),
    )
    started = time.perf_counter()
    client.execute()
    taken = time.perf_counter() - started
    cells = tuple(
        Cell(cell.source, cell_seconds(cell), after[index] - before[index])
        for index, cell in enumerate(notebook.cells[:-1])
        if cell.cell_type == "code" and "execution" in cell.metadata
    )
    return Execution(json.loads(notebook.cells[-1].outputs[-1].text), taken, cells)


def family_seconds(client: NotebookClient) -> float:
    """The CPU seconds of a client's kernel and of all processes below it, so far.

    Processes that have exited are counted on Linux only, where their parent's times include theirs.
    """
    provisioner = client.km.provisioner if client.km else None
    assert isinstance(provisioner, LocalProvisioner)  # which has the kernel's process
    kernel = psutil.Process(provisioner.pid)
    total = 0.0
    for process in [kernel, *kernel.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def cell_seconds(cell) -> float:
    """The seconds from a cell's start to its end, from the time stamps of its kernel."""
    times = cell.metadata["execution"]
    begun, ended = (
        datetime.datetime.fromisoformat(times[name].replace("Z", "+00:00"))
        for name in ("iopub.execute_input", "shell.execute_reply")
    )
    return (ended - begun).total_seconds()


def build(root: Path, command: list[str] | None = None) -> float:
    """Build the book as a person would, and return the seconds; raise RuntimeError with its last lines on failure."""
    started = time.perf_counter()
    done = subprocess.run(
        command or COMMAND,
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode:
        raise RuntimeError("the book was not built:\n" + "\n".join(done.stdout.splitlines()[-20:]))
    return time.perf_counter() - started
