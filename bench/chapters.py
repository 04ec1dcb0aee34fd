"""How long chapters take, cold and unchanged, and how much memory each needs."""

import copy
import datetime
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

from innersite.execution import Book

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
class Chapter:
    """What is known of one chapter; None for what is not."""

    cold_seconds: float | None
    """its last execution, from the book's own record"""
    up_to_date: bool
    """whether that was of the chapter as it is now"""
    peak_bytes: int | None
    """the most memory that its kernel held at once"""
    slowest_cell_seconds: float
    run_seconds: float
    """the execution in which memory was measured"""


def measure(root: Path, report=print) -> dict[str, Chapter]:
    """Run every chapter of the book in this folder once more, and look up how long it took last time."""
    book = Book.from_folder(root)
    chapters = {}
    for path in sorted((root / "book").rglob("*.md")):
        notebook = book.read(path)
        if notebook is None or not any(cell.cell_type == "code" for cell in notebook.cells):
            continue
        name = path.relative_to(root / "book").with_suffix("").as_posix()
        report(f"running {name} for its memory")
        record = book.record(notebook)
        seconds = (record.data or {}).get("execution_seconds") if record else None
        chapters[name] = Chapter(seconds, book.is_fresh(notebook), *watch(path, notebook, book.timeout))
    return chapters


def watch(path: Path, notebook, timeout: float) -> tuple[int | None, float, float]:
    """Run a notebook in a kernel of its own; return its peak of memory, its slowest cell and all its seconds."""
    notebook = copy.deepcopy(notebook)
    notebook.cells.append(new_code_cell(PEAK))
    settings = {"timeout": timeout, "extra_arguments": ["--log-level=ERROR"]}
    client = NotebookClient(
        notebook, record_timing=True, resources={"metadata": {"path": str(path.parent)}}, **settings
    )
    started = time.perf_counter()
    client.execute()
    taken = time.perf_counter() - started
    cells = [cell for cell in notebook.cells[:-1] if cell.cell_type == "code" and "execution" in cell.metadata]
    return json.loads(notebook.cells[-1].outputs[-1].text), max(map(cell_seconds, cells)), taken


def cell_seconds(cell) -> float:
    """The seconds from a cell's start to its end, by the times that its kernel gave."""
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
        command or [sys.executable, "run.py", "book"],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode:
        raise RuntimeError("the book was not built:\n" + "\n".join(done.stdout.splitlines()[-20:]))
    return time.perf_counter() - started
