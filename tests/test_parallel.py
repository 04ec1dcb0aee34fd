"""Work spread over processes."""

import os

import joblib
import pytest
import torch

from innerlab.parallel import spread


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
