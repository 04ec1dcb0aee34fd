"""How fast a class is marked, against nbgrader's autograder and against the notebooks' own time."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.numbers import Number, number
from innerlab.checks import course
from innerlab.checks.release import source_notebook, text_of
from innerlab.marking.command import grade
from innerlab.marking.confinement import NotConfined

CHAPTER = "pseudo_alignment"


def measure(root: Path, submissions: int = 4, workers: int | None = None) -> Iterator[Number]:
    """Yield the numbers about marking, from correct submissions, in wall time; an autograder keeps no CPU clock."""
    workers = workers or os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        course.write_course(root, place / "course")
        notebook = source_notebook(root / "solutions" / f"{CHAPTER}.md")
        hand_in(place / "course" / "submitted", text_of(notebook), submissions)
        theirs = seconds(lambda: course.run_nbgrader(place / "course", "autograde", CHAPTER))
        own = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
        floor = seconds(lambda: alone(own, submissions, workers))
        try:
            ours = seconds(lambda: grade(root, place / "course" / "submitted", place / "out", workers=workers))
        except NotConfined:
            ours = None
    yield from ratios(ours, theirs, floor, submissions, workers)


def hand_in(submitted: Path, text: str, submissions: int) -> None:
    """Put the same notebook into several students' folders."""
    for student in range(submissions):
        path = submitted / f"student-{student}" / CHAPTER / f"{CHAPTER}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")


def alone(cells: list[str], submissions: int, workers: int) -> None:
    """Run a notebook's cells in ``submissions`` processes, ``workers`` at a time: the least that marking can take."""
    code = "import json, sys\nfor cell in json.loads(sys.argv[1]):\n    exec(cell)"

    def run(_: int) -> None:
        environment = os.environ | {"INNERLAB_PROGRESS": ""}
        command = [sys.executable, "-c", code, json.dumps(cells)]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(run, range(submissions)))


def seconds(job: Callable[[], object]) -> float:
    """Wall time of one run."""
    started = time.perf_counter()
    job()
    return time.perf_counter() - started


def ratios(ours: float | None, theirs: float, floor: float, submissions: int, workers: int) -> Iterator[Number]:
    """Yield the ratios of the three times, or numbers that say "not measured" where answers cannot be confined."""
    by = f"{submissions} correct submissions, {workers} at once"
    rate = [] if ours is None else [60 * submissions / ours]
    yield number("marking_per_minute", rate, "1/min", f"marked in a minute: {by}")
    yield number("marking_ratio", [] if ours is None else [theirs / ours], "", f"times as many as nbgrader marks: {by}")
    over = [] if ours is None else [ours / floor]
    yield number("marking_over_floor", over, "", f"times the notebooks' own time: {by}", aim=1.3, ceiling=2)
