"""``python run.py grade``: marks a class."""

import argparse
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from innerlab.checks.asking import Limits, SetUpFailed
from innerlab.marking.confinement import Confinement, NotConfined, blind_copy, confinement
from innerlab.marking.gradebook import exchange, is_course
from innerlab.marking.marks import (
    Chapter,
    Marked,
    chapters,
    failed,
    keep,
    kept,
    key_of,
    marked,
    master_seed,
    place_of,
    read_content,
)
from innerlab.marking.pages import for_person, write_feedback, write_summary
from innerlab.marking.submissions import Submission, find
from innerlab.marking.tables import write_tables

SECONDS = 120  # three times what the slowest of our own answers takes on a laptop
UNCONFINED = "Answers ran WITHOUT protection (--unconfined): with all rights of this account."


@dataclass(frozen=True)
class Task:
    """What every worker process is given.

    Attributes:
        root: the folder of the book.
        submitted: the folder of submissions.
        out: the folder of results.
        master: from :func:`innerlab.marking.marks.master_seed`.
        limits: of each answer.
        confinement: where answers run.
    """

    root: Path
    submitted: Path
    out: Path
    master: int
    limits: Limits
    confinement: Confinement

    def key(self, submission: Submission, chapter: Chapter) -> tuple[str, object]:
        """The key of a submission in its present state, and the submission's content."""
        data = read_content(submission, self.submitted)
        return key_of(submission, data, chapter, self.master, self.limits, self.confinement.confined), data


_worker: dict = {}


def _begin(task: Task, count) -> None:
    """Prepares a worker process."""
    with count.get_lock():
        count.value += 1
        number = count.value
    _worker.update(task=task, number=number, chapters={})


def _mark(submission: Submission) -> Marked:
    """Marks one submission, in a worker process, and keeps the result."""
    task, read = _worker["task"], _worker["chapters"]
    if submission.chapter not in read:
        read[submission.chapter] = Chapter.read(task.root, submission.chapter)
    chapter = read[submission.chapter]
    key, data = task.key(submission, chapter)
    try:
        with task.confinement.answering(_worker["number"], task.limits) as process:
            result = marked(submission, data, key, chapter, task.master, process)
    except SetUpFailed:
        raise
    except Exception as problem:  # one notebook must not keep the others from being marked
        result = failed(submission, key, chapter, f"{type(problem).__name__}: {problem!s:.200}")
    return _kept(task, submission, result)


def _kept(task: Task, submission: Submission, result: Marked) -> Marked:
    result = replace(result, confined=task.confinement.confined)
    keep(place_of(task.out, submission), result)
    return result


def grade(
    root: Path,
    submitted: Path,
    out: Path,
    only: Sequence[str] = (),
    workers: int | None = None,
    limits: Limits | None = None,
    roster: Path | None = None,
    confined: bool = True,
) -> list[Marked]:
    """Marks the submissions that are new or have changed, and writes tables and pages of all of them.

    Args:
        root: the folder of the book.
        submitted: the folder of submissions, ``<student>/<chapter>/<chapter>.ipynb``.
        out: the folder of results; created if necessary. It may be the course folder.
        only: chapters to mark; by default all that were handed in.
        workers: how many submissions are marked at the same time; by default one for each processor.
        limits: of each answer; by default ``Limits()``.
        roster: see :func:`innerlab.marking.tables.write_tables`.
        confined: whether answers must be confined.

    Returns:
        the results, by chapter and student.

    Raises:
        ValueError: if an argument is invalid; nothing has been marked then.
        NotConfined: if answers cannot be confined; nothing has been marked then.
        SetUpFailed: if the released notebook's own code fails.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"workers is {workers}; at least one is needed")
    if out.resolve() == submitted.resolve():
        raise ValueError(f"out is {out}, the folder of submissions; results need another")
    known = {name: Chapter.read(root, name) for name in (only or chapters(root))}
    submissions = sorted(find(submitted, list(known)), key=lambda one: (one.chapter, one.student))
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        task = Task(
            root,
            submitted,
            out,
            master_seed(out),
            limits or Limits(seconds=SECONDS),
            Confinement(Path(folder), confined),
        )
        results: dict[Submission, Marked] = {}
        for submission in submissions:
            key, _ = task.key(submission, known[submission.chapter])
            before = kept(place_of(out, submission), key)
            if before is not None:
                results[submission] = before
        todo = [submission for submission in submissions if submission not in results]
        if todo:
            blind_copy(task.confinement.laboratory)
            if confined:
                confinement(task.confinement.laboratory)
            for submission, result in _all_marked(task, todo, min(workers or os.cpu_count() or 1, len(todo))):
                results[submission] = result
    used = [known[name] for name in known if any(one.chapter == name for one in submissions)]
    found = [results[submission] for submission in submissions]
    if is_course(out):
        found = exchange(out, submitted, found, used)
    write_tables(out, found, roster)
    for result in found:
        if result.was_handed_in:
            write_feedback(out, result, known[result.chapter])
    write_summary(out, found, used)
    return found


def _all_marked(task: Task, todo: Sequence[Submission], workers: int) -> Iterator[tuple[Submission, Marked]]:
    """Yields each submission with its marks, in the order in which the workers finish."""
    done = set()
    with tqdm(None, "marking", len(todo), unit=" notebooks", disable=None) as progress:
        try:
            for submission, result in _side_by_side(task, todo, workers):
                done.add(submission)
                progress.update()
                yield submission, result
        except BrokenProcessPool:  # an answer has ended a worker; whose, shows when they are alone
            for submission in [one for one in todo if one not in done]:
                progress.update()
                yield submission, _by_itself(task, submission)


def _side_by_side(task: Task, todo: Sequence[Submission], workers: int) -> Iterator[tuple[Submission, Marked]]:
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, _begin, (task, context.Value("i", 0)))
    try:
        futures = {pool.submit(_mark, submission): submission for submission in todo}
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _by_itself(task: Task, submission: Submission) -> Marked:
    try:
        ((_, result),) = _side_by_side(task, [submission], 1)
        return result
    except BrokenProcessPool:
        chapter = Chapter.read(task.root, submission.chapter)
        key, _ = task.key(submission, chapter)
        result = failed(submission, key, chapter, "the process that judged it was ended, perhaps for lack of memory")
        return _kept(task, submission, result)


def main(arguments: Sequence[str] | None = None, root: Path = Path()) -> int:
    """Run the command; return the exit code.

    Args:
        arguments: of the command line.
        root: the folder of the book.
    """
    parser = argparse.ArgumentParser(
        prog="run.py grade",
        description="Marks a class. What is marked already, and has not changed since, is not marked again.",
    )
    parser.add_argument("submitted", type=Path, help="the folder with <student>/<chapter>/<chapter>.ipynb")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write results into")
    parser.add_argument("--chapter", action="append", default=[], help="mark this chapter only; can be repeated")
    parser.add_argument("--workers", type=int, help="how many notebooks at once (default: one a processor)")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="for each answer (default: %(default)s)")
    parser.add_argument(
        "--memory", type=float, default=Limits.memory / 2**30, help="GiB for each (default: %(default)g)"
    )
    parser.add_argument("--roster", type=Path, help="a table with names, as Canvas or Gradescope exports it")
    parser.add_argument("--unconfined", action="store_true", help="run answers without protection")
    parser.add_argument("--where", type=Path, default=Path(), help=argparse.SUPPRESS)  # from there paths count
    asked = parser.parse_args(arguments)
    if asked.seconds < 1 or asked.memory <= 0:
        parser.error("--seconds and --memory must be more than zero")
    where = asked.where
    out = where / asked.out
    try:
        results = grade(
            root,
            where / asked.submitted,
            out,
            asked.chapter,
            asked.workers,
            Limits(seconds=asked.seconds, memory=int(asked.memory * 2**30)),
            where / asked.roster if asked.roster else None,
            not asked.unconfined,
        )
    except (ValueError, NotConfined, SetUpFailed) as problem:
        print(problem, file=sys.stderr)
        return 1
    students, handed_in = {result.student for result in results}, [r for r in results if r.was_handed_in]
    print(
        f"{len(handed_in)} notebooks of {len(students)} students are marked; {len(for_person(results))} things are for"
    )
    print(f"a person. Begin with {out / 'summary.html'}")
    if asked.unconfined:
        print(UNCONFINED, file=sys.stderr)
    return 0
