"""Measures, prints a table and writes _build/bench.json."""

import argparse
import dataclasses
import datetime
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book" / "_ext"))

import torch  # noqa: E402  (the path comes first)

from bench import chapters, laboratory, lighthouse, marking, profiles  # noqa: E402
from bench.numbers import Number, number  # noqa: E402

PACKAGES = ("torch", "numpy", "gymnasium", "minigrid", "jupyter-book")
MEBIBYTE = 2**20
# the budgets, in seconds and MiB
CHAPTER, CELL, MEMORY = {"aim": 45, "ceiling": 240}, {"aim": 20, "ceiling": 60}, {"aim": 1024, "ceiling": 2048}
BOOK, UNCHANGED = {"aim": 480, "ceiling": 1200}, {"aim": 10, "ceiling": 30}


def main(arguments: list[str] | None = None, root: Path = ROOT, extent: laboratory.Extent | None = None) -> int:
    """Measure everything asked for; return the exit code."""
    parser = argparse.ArgumentParser(prog="run.py bench", description=__doc__)
    parser.add_argument("--laboratory", action="store_true", help="only the laboratory: a minute instead of several")
    parser.add_argument("--pages", action="store_true", help="only what Lighthouse says of the built pages")
    parser.add_argument(
        "--profile",
        nargs="*",
        metavar="CHAPTER",
        help=f"only the cells' times, on one core, into {profiles.PROFILES}: of these chapters, or of all, and then "
        "of the whole book built from nothing too: half an hour",
    )
    parser.add_argument("--out", type=Path, default=root / "_build" / "bench.json", help="the file to write")
    asked = parser.parse_args(arguments)
    header = about(root)
    print(f"{header['date']}, {describe(header)}\n", flush=True)
    numbers, of_chapters = [], {}
    if asked.profile is not None:
        return profile(root, asked.profile, header)
    if not asked.pages:
        for result in laboratory.measure(extent or laboratory.Extent()):
            numbers.append(result)
            print(line(result), flush=True)
    try:
        if not (asked.laboratory or asked.pages):
            of_chapters = measure_book(root, numbers)
            say("marking a class, nbgrader's way and ours")
            for result in marking.measure(root):
                numbers.append(result)
                print(line(result), flush=True)
        if not asked.laboratory:
            say(lighthouse.missing(root) or "asking Lighthouse about the built pages")
            for result in lighthouse.measure(root):
                numbers.append(result)
                print(line(result), flush=True)
    except RuntimeError as problem:
        print(problem, file=sys.stderr)
        return 1
    write(asked.out, header, numbers, of_chapters)
    print(f"\nWritten to {asked.out}")
    return 0


def measure_book(root: Path, numbers: list[Number]) -> dict[str, chapters.ChapterCost]:
    """Build, run and time the book; append what belongs to all chapters to `numbers`."""
    say("bringing the book up to date")
    chapters.build(root)
    say("building it once more, unchanged")
    unchanged = chapters.build(root)
    found = chapters.measure(root, say)
    for complaint in profiles.complaints(root):
        say(complaint)
    print()
    for name, chapter in found.items():
        for result in of_chapter(name, chapter):
            print(line(result))
    for result in of_book(found, unchanged):
        numbers.append(result)
        print(line(result))
    return found


def profile(root: Path, names: list[str], header: dict) -> int:
    """Bring the profiles in the repository up to date; return the exit code."""
    try:
        for result in profiles.update(root, names, header["date"], header["commit"], say):
            print(line(result), flush=True)
    except (RuntimeError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"\nWritten to {root / profiles.PROFILES}")
    return 0


def of_chapter(name: str, chapter: chapters.ChapterCost) -> Iterator[Number]:
    """Yield the numbers of one chapter as they are printed."""
    old = "" if chapter.up_to_date else " (of an earlier state of the chapter)"
    cold = [] if chapter.cold_seconds is None else [chapter.cold_seconds]
    yield number(f"{name}: cold", cold, "s", f"its last execution by the book's build or tests{old}", **CHAPTER)
    slowest = max(cell.wall_seconds for cell in chapter.run.cells)
    yield number(f"{name}: slowest cell", [slowest], "s", "in this run", **CELL)
    peak = [] if chapter.run.peak_bytes is None else [chapter.run.peak_bytes / MEBIBYTE]
    yield number(f"{name}: memory", peak, "MiB", "the most that its kernel held at once", **MEMORY)


def of_book(found: dict[str, chapters.ChapterCost], unchanged: float) -> Iterator[Number]:
    """Yield the numbers of the book as a whole."""
    known = [chapter.cold_seconds for chapter in found.values() if chapter.cold_seconds is not None]
    total = [sum(known)] if known else []
    yield number("book_seconds_cold", total, "s", "the sum over chapters; the build runs several at a time", **BOOK)
    yield number("book_seconds_unchanged", [unchanged], "s", "run.py book when nothing has changed", **UNCHANGED)


# Saying and writing


def say(text: str) -> None:
    """Tell what is going on, apart from the results."""
    print(f"  … {text}", file=sys.stderr, flush=True)


def line(result: Number) -> str:
    """One number as people read it: the value, its range, its budget, and below what it means."""
    if result.value is None:
        text = f"{result.name:<32} {'not measured':>12}"
    else:
        text = f"{result.name:<32} {shown(result.value):>12} {result.unit:<4}"
        if result.lowest is not None and result.highest is not None and result.lowest != result.highest:
            text += f" [{shown(result.lowest)} to {shown(result.highest)}]"
    if result.aim is not None and result.ceiling is not None:
        over = result.value is not None and result.value > result.ceiling
        text += f"  aim {shown(result.aim)}, ceiling {shown(result.ceiling)}{': OVER' * over}"
    return text + "\n" + textwrap.indent(textwrap.fill(result.meaning, 100), "    ")


def shown(value: float) -> str:
    """A number with three significant digits and separated thousands."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def about(root: Path) -> dict:
    """Date, commit, machine and versions of this measurement."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, encoding="utf-8")
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip() or None,
        "machine": {
            "system": platform.platform(),
            "processor": processor(),
            "cores": os.cpu_count(),
            "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        },
        "threads": torch.get_num_threads(),
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def processor() -> str:
    """The processor's name; Linux keeps it in a file."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [text.partition(":")[2].strip() for text in lines if text.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def describe(header: dict) -> str:
    """The machine and the versions in one line."""
    machine = header["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in header["versions"].items())
    load = "" if machine["load"] is None else f" (load {machine['load']:.1f})"
    return f"{machine['processor']}, {machine['cores']} cores{load}, threads used: {header['threads']}; {versions}"


def write(out: Path, header: dict, numbers: list[Number], of_chapters: dict[str, chapters.ChapterCost]) -> None:
    """Write every number by name, with the details after them."""
    content = header | {result.name: result.value for result in numbers}
    content["chapters"] = {name: dataclasses.asdict(chapter) for name, chapter in of_chapters.items()}
    content["details"] = {result.name: dataclasses.asdict(result) for result in numbers}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
