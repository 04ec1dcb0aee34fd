"""One measured number with what it means, and how to measure: medians of repetitions that take turns, in CPU time."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

Job = Callable[[], object]


@dataclass(frozen=True)
class Number:
    """A number, or None when it could not be measured; then `meaning` still says what it would have been."""

    name: str
    value: float | None
    unit: str
    meaning: str
    lowest: float | None = None
    highest: float | None = None
    aim: float | None = None
    """what we would like, at most"""
    ceiling: float | None = None
    """what it allows"""


def number(name: str, values: list[float], unit: str, meaning: str, **budget: float) -> Number:
    """The median of several measurements, with their range; none of them makes it None."""
    if not values:
        return Number(name, None, unit, meaning, **budget)
    return Number(name, statistics.median(values), unit, meaning, min(values), max(values), **budget)


def cpu_seconds(job: Job, shortest: float) -> float:
    """CPU seconds of this process for one run of the job, repeated until it has taken at least so many.

    Clocks of CPU time tick as rarely as sixty times a second.
    """
    times, started = 0, time.process_time()
    while (taken := time.process_time() - started) < shortest or times == 0:
        job()
        times += 1
    return taken / times


def in_turns(repetitions: int, shortest: float, *jobs: Job) -> list[tuple[float, ...]]:
    """CPU seconds of each job, once a repetition, so that what slows the machine down slows all of them."""
    for job in jobs:
        job()  # the first time costs more
    return [tuple(cpu_seconds(job, shortest) for job in jobs) for _ in range(repetitions)]
