"""Heavy work on all cores: by processes, since a second thread waits longer than it works on arrays this small."""

from collections.abc import Callable, Iterable
from typing import Any

import joblib

from innerlab.seeds import current_shift, with_shift


def spread(function: Callable, jobs: Iterable[tuple]) -> list[Any]:
    """The function's results for several jobs, computed by as many processes as there are cores.

    The jobs go through joblib (https://joblib.readthedocs.io), so that ``joblib.parallel_config`` can send them
    elsewhere. Within ``joblib.parallel_config("dask")``, all workers of the Dask cluster with a client open here
    compute them; the page on prerequisites has an example. A function may stand in a notebook. Whatever it draws must
    come from seeds among its arguments, by way of ``innerlab.seeds``, whose shift goes with every job: then the
    results do not depend on who computed them.

    Args:
        function: called once for each job.
        jobs: its positional arguments, a tuple for each job. Begin with the longest.

    Returns:
        the results in the order of the jobs.

    Raises:
        TypeError: if a job is not a tuple.
        Exception: the first that the function raises.
    """
    jobs = list(jobs)
    for job in jobs:
        if not isinstance(job, tuple):
            raise TypeError(f"a job is {job!r}; a tuple of arguments was expected")
    shift = current_shift()
    return joblib.Parallel(n_jobs=-1)(joblib.delayed(_shifted_job)(shift, function, job) for job in jobs)


def _shifted_job(shift: int, function: Callable, job: tuple) -> Any:
    with with_shift(shift):
        return function(*job)
