"""Work spread over processes, of this machine or of a cluster."""

import os
import re
import time
from pathlib import Path

import joblib
import pytest
import torch
from distributed import Client, LocalCluster
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from innerlab.ensembles.policies import PlainPolicies
from innerlab.evaluation import outcome_probabilities
from innerlab.parallel import spread
from innerlab.training import ExactGradient, train_exactly
from innerlab.worlds.red_doors import RedDoors

PAGE = Path(__file__).parents[1] / "book" / "prerequisites.md"


def draw(seed: int, count: int) -> torch.Tensor:
    return torch.randn(count, generator=torch.Generator().manual_seed(seed))


def test_results_come_in_order_and_do_not_depend_on_who_computed_them():
    jobs = [(seed, 5) for seed in range(7)]
    assert all(torch.equal(got, draw(*job)) for got, job in zip(spread(draw, jobs), jobs, strict=True))


@pytest.mark.skipif(joblib.cpu_count() < 2, reason="one core only: joblib starts no process")
def test_the_work_is_done_by_others_with_one_thread_each():
    who = spread(lambda _: (os.getpid(), torch.get_num_threads()), [(i,) for i in range(4)])
    assert os.getpid() not in {process for process, _ in who}
    assert {threads for _, threads in who} == {1}


def test_who_computes_can_be_chosen_from_outside():
    with joblib.parallel_config("sequential"):
        assert spread(os.getpid, [()]) == [os.getpid()]


def test_an_error_in_a_job_is_raised_here():
    with pytest.raises(ValueError, match="invalid literal"):
        spread(int, [("7",), ("seven",)])


def test_a_job_that_is_no_tuple_is_refused():
    with pytest.raises(TypeError, match="a job is 3"):
        spread(draw, [3])


# A cluster


def train(share: float, seeds: list[int]) -> tuple[torch.Tensor, int, int]:
    """Train agents where some rooms are swapped; return how they end in others, who did it, with how many threads."""
    rooms = RedDoors(swapped_share=share).sample(200, seed=1)
    policies = train_exactly(PlainPolicies(seeds, rooms), rooms, ExactGradient(3)).policies
    unseen = RedDoors(swapped_share=1.0).sample(20, seed=2)
    return outcome_probabilities(policies, unseen), os.getpid(), torch.get_num_threads()


SWEEP = [(share, seeds) for share in (0.0, 0.25, 1.0) for seeds in ([0, 1], [2])]


@pytest.fixture(scope="module")
def workers():
    """The processes of a Dask cluster, which is asked for two threads each."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # Dask's own setting is 1, and gives way to these
            patch.setenv(name, "2")
        with (
            LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
            Client(cluster) as client,
        ):
            yield set(client.run(os.getpid).values())


def test_a_cluster_computes_the_same_numbers_with_one_thread_each(workers):
    with joblib.parallel_config("sequential"):
        alone = spread(train, SWEEP)
    spread_here = spread(train, SWEEP)
    with joblib.parallel_config("dask"):
        over_cluster = spread(train, SWEEP)
    for (expected, me, _), (here, _, _), (there, worker, threads) in zip(alone, spread_here, over_cluster, strict=True):
        assert torch.equal(expected, here)
        assert torch.equal(expected, there)
        assert me == os.getpid()
        assert worker in workers
        assert threads == 1
    assert not torch.equal(alone[0][0], alone[4][0])  # the share makes a difference


def test_all_workers_of_a_cluster_work_at_once(workers, tmp_path):
    def meet(folder, number):  # made here, so it travels by value
        open(os.path.join(folder, str(number)), "w").close()
        until = time.monotonic() + 600
        while len(os.listdir(folder)) < 2:  # each waits for the other
            assert time.monotonic() < until
            time.sleep(0.05)
        return os.getpid()

    with joblib.parallel_config("dask"):
        assert set(spread(meet, [(str(tmp_path), number) for number in range(2)])) == workers


def test_an_error_on_a_cluster_is_raised_here(workers):
    with joblib.parallel_config("dask"), pytest.raises(ValueError, match="invalid literal"):
        spread(int, [("7",), ("seven",)])


def test_the_example_on_the_page_runs_in_a_notebook():
    section = PAGE.read_text("utf-8").split("(larger-sweeps)=")[1].split("\n(")[0]
    (example,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    here = "import torch\nassert all(map(torch.equal, found, map(red_share_after, *zip(*jobs))))\nlen(found)"
    notebook = new_notebook(cells=[new_code_cell(example), new_code_cell(here)])
    NotebookClient(notebook, timeout=900, extra_arguments=["--log-level=ERROR"]).execute()
    said = "".join(output.get("text", "") for output in notebook.cells[0].outputs)
    assert "Warning:" not in said, said  # a busy machine may log that a worker was slow to end
    assert notebook.cells[1].outputs[0]["data"]["text/plain"] == "6"
