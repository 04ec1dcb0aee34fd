"""Where the chapters spend their time: a profile of every cell, kept in the repository for people who tune.

The file holds times and memory, no result of an experiment. Nothing is drawn or claimed from it; the bench says where
it is out of date, and a copy of the book that has run nothing yet starts with the chapters that take longest here.
Seconds differ between machines, so they come with the CPU seconds of one fixed job that was timed just before and
after each chapter: a cell's *units* are how many such jobs it is worth.

The chapters run one after another on one core, where work that is spread over processes stays in the kernel. That is
also what the whole book, built from nothing, is compared with: how much it gains from running chapters side by side.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from unittest import mock

import torch
from jupyter_cache import get_cache
from nbformat import NotebookNode

from bench import chapters
from bench.numbers import Number, cpu_seconds, number
from innersite.execution import PROFILES, Book, surroundings

BEGINNING = 60  # characters of a cell's first line that are kept, for people
COLD = {"aim": 0.5, "ceiling": 0.6}
SHORTEST = 1.0  # CPU seconds for which the fixed job is timed


def update(
    root: Path, names: list[str], date: str, commit: str | None, report: Callable[[str], None] = print
) -> Iterator[Number]:
    """Profile these chapters, or build the book cold and profile all; write the file and yield what sums it up.

    Raises:
        ValueError: for a name that is no chapter's.
        RuntimeError: when the book cannot be built.
    """
    book = Book.from_folder(root)
    found = {name: (path, notebook) for name, path, notebook in book.notebooks()}
    if unknown := set(names) - set(found):
        raise ValueError(f"no chapter is called {', '.join(sorted(unknown))}; there are {', '.join(found)}")
    whole = not names
    kept = {} if whole else read(root)
    of_book, profiles = kept.get("book"), {n: p for n, p in kept.get("chapters", {}).items() if n in found}
    made = {"date": date, "commit": commit}
    with tempfile.TemporaryDirectory() as folder:
        seconds, in_build = 0.0, dict[str, list[float]]()
        if whole:
            report("building the whole book from nothing")
            seconds, in_build = build_cold(root, Path(folder, "build"), found)
        with one_core(), mock.patch.dict(os.environ, INNERLAB_AGENTS=str(Path(folder, "agents"))):
            unit = unit_seconds()
            for name in names or found:
                path, notebook = found[name]
                report(f"running {name} on one core")
                run = chapters.watch(path, notebook, book.timeout)
                unit, before = unit_seconds(), unit
                profiles[name] = (
                    made | surroundings() | profile(run, statistics.mean([before, unit]), in_build.get(name))
                )
                write(root, of_book, {name: profiles[name] for name in found if name in profiles})
                yield number(
                    f"{name}: cells on one core",
                    [profiles[name]["wall"]],
                    "s",
                    f"{profiles[name]['cpu']:g} s of CPU time, or {profiles[name]['units']:,g} times the fixed job",
                )
    if whole:
        ratio = cold_over_cells(seconds, profiles)
        write(root, made | {"cold_seconds": seconds, "cold_over_cells": ratio.value}, profiles)
        yield ratio


def cold_over_cells(cold_seconds: float, profiles: Mapping[str, dict]) -> Number:
    """Compare a cold build of the whole book with the cells of all chapters on one core."""
    return number(
        "cold_over_cells",
        [cold_seconds / sum(profile["wall"] for profile in profiles.values())],
        "×",
        "the whole book built from nothing, with all its pages, over the time of all its cells, one after another on "
        f"one core; this machine has {os.cpu_count()}",
        **COLD,
    )


def profile(run: chapters.Execution, unit: float, in_build: list[float] | None) -> dict:
    """Describe an execution by numbers; `in_build` says how long each cell took in a build of the whole book."""
    wall, cpu = sum(cell.wall_seconds for cell in run.cells), sum(cell.cpu_seconds for cell in run.cells)
    return {
        "unit_seconds": rounded(unit),
        "peak_mib": None if run.peak_bytes is None else round(run.peak_bytes / 2**20),
        "wall": rounded(wall),
        "cpu": rounded(cpu),
        "units": rounded(cpu / unit),
        "in_build": None if in_build is None else rounded(sum(in_build)),
        "cells": [
            {
                "begins": beginning(cell.source),
                "source": fingerprint(cell.source),
                "wall": rounded(cell.wall_seconds),
                "cpu": rounded(cell.cpu_seconds),
                "units": rounded(cell.cpu_seconds / unit),
                "share": rounded(cell.wall_seconds / wall),
                "in_build": None if in_build is None else rounded(in_build[index]),
            }
            for index, cell in enumerate(run.cells)
        ],
    }


# Measuring


def unit_seconds() -> float:
    """CPU seconds of the fixed job: twenty steps of gradient descent by 64 small networks of two layers."""
    dice = torch.Generator().manual_seed(0)
    seen = torch.randn(64, 128, 32, generator=dice)
    first, second = (torch.randn(64, 32, 32, generator=dice).requires_grad_() for _ in range(2))

    def job() -> None:
        for _ in range(20):
            loss = (torch.relu(seen @ first) @ second).square().mean()
            torch.autograd.grad(loss, [first, second])

    job()  # the first time costs more
    return cpu_seconds(job, SHORTEST)


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """Leave one core to this thread and to the kernels that it starts.

    Only Linux can do that; elsewhere they are asked for one process and one thread.
    """
    with mock.patch.dict(os.environ, LOKY_MAX_CPU_COUNT="1", OMP_NUM_THREADS="1"):
        if not hasattr(os, "sched_setaffinity"):
            yield
            return
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(before)})
        try:
            yield
        finally:
            os.sched_setaffinity(0, before)


def build_cold(
    root: Path, folder: Path, found: Mapping[str, tuple[Path, NotebookNode]]
) -> tuple[float, dict[str, list[float]]]:
    """Build the whole book into a new folder; return the seconds, and of each chapter those of its cells."""
    with mock.patch.dict(os.environ, INNERLAB_AGENTS=str(folder / "agents")):
        seconds = chapters.build(root, [*chapters.COMMAND, "--path-output", str(folder)])
    book = dataclasses.replace(Book.from_folder(root), cache=get_cache(str(folder / "_build" / ".jupyter_cache")))
    records = {name: book.record(notebook) for name, (_, notebook) in found.items()}
    times = {name: record.data["cell_seconds"] for name, record in records.items() if record is not None}
    return seconds, {name: [of_cells[key] for key in sorted(of_cells, key=int)] for name, of_cells in times.items()}


# The file


def write(root: Path, book: dict | None, profiles: Mapping[str, dict]) -> None:
    """Write the file, after each chapter: what was measured stays when the rest is interrupted."""
    path = root / PROFILES
    path.parent.mkdir(exist_ok=True)
    path.write_text(laid_out({"book": book, "chapters": profiles}) + "\n", encoding="utf-8")


def read(root: Path) -> dict:
    """Return the content of the file; an empty dict when there is none."""
    path = root / PROFILES
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def complaints(root: Path) -> list[str]:
    """List where file and book differ: chapters without a profile, profiles without a chapter or cell."""
    profiles = read(root).get("chapters", {})
    said = []
    for name, _, notebook in Book.from_folder(root).notebooks():
        if name not in profiles:
            said.append(f"{PROFILES} lacks {name}: run.py bench --profile {name}")
            continue
        now = [fingerprint(cell.source) for cell in notebook.cells if cell.cell_type == "code"]
        then = [cell["source"] for cell in profiles.pop(name)["cells"]]
        if now != then:
            new = len(set(now) - set(then))
            said.append(f"{PROFILES} is of an earlier {name}, {new} of whose {len(now)} cells have changed since")
    return said + [f"{PROFILES} still has {name}, which is no chapter any more" for name in profiles]


def fingerprint(source: str) -> str:
    """A short hash of a cell's source."""
    return hashlib.sha256(source.encode()).hexdigest()[:12]


def beginning(source: str) -> str:
    """The first line of a cell that is neither empty nor a comment, or what there is of it."""
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith("#")), "".join(lines[:1]))[:BEGINNING]


def rounded(value: float) -> float:
    """Round to three significant digits; the others are noise."""
    return float(f"{value:.3g}")


def laid_out(value, indent: str = "") -> str:
    """Write JSON with a line for each cell, so that a change can be read."""
    parts = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    if not any(isinstance(part, dict | list) for part in parts):
        return json.dumps(value, ensure_ascii=False)
    inner = indent + "  "
    if isinstance(value, dict):
        lines = [f"{inner}{json.dumps(name)}: {laid_out(part, inner)}" for name, part in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    return "[\n" + ",\n".join(inner + laid_out(part, inner) for part in value) + f"\n{indent}]"
