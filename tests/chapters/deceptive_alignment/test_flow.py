"""The flow without a browser: the page's gradient descent against Python's, and what travels."""

import json

import numpy as np
import pytest
from nodejs import node

from innerlab.chapters.deceptive_alignment.flow import LAM, THETA, Flow, training_loss
from innerlab.systems.training_aware_planner import deceptive_basin, descend

ALT = "A plane of two numbers, and the path of gradient descent from a start."


def on_the_page(runs):
    done = node("tests/chapters/deceptive_alignment/front/descended.mjs", input=json.dumps(runs))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("capped", [False, True])
@pytest.mark.parametrize(("kappa", "ratio"), [(1.0, 1.0), (2.0, 0.1), (1.0, 4.0)])
def test_page_and_python_descend_alike(kappa, ratio, capped):
    starts = np.random.default_rng(1).uniform((THETA[0], LAM[0]), (THETA[1], LAM[1]), size=(60, 2))
    looks = [0, 1, 10, 100, 1000, 2500]
    planner = {"kappa": kappa, "ratio": ratio, "rate": 0.04, "capped": capped}
    page = on_the_page([{"start": start.tolist(), "looks": looks, "planner": planner} for start in starts])
    expected = descend(training_loss(kappa, capped), *starts.T, at=looks, rate=0.04, rate_ratio=ratio)
    paths = np.array([one["path"] for one in page])  # (starts, looks, 2)
    np.testing.assert_allclose(paths, np.stack(expected, -1).swapaxes(0, 1), rtol=0, atol=1e-9)
    assert np.ptp(paths[:, -1, 0]) > 1
    assert [one["deceptive"] for one in page] == deceptive_basin(*starts.T, kappa, ratio).tolist()
    theta, lam = starts.T
    np.testing.assert_allclose(
        [one["conserved"] for one in page], (lam - 1 / kappa) ** 2 / ratio - theta**2, atol=1e-12
    )


def test_what_travels_is_small_and_the_same_twice():
    assert Flow(alt=ALT).html() == Flow(alt=ALT).html()
    state = Flow(alt=ALT, kappas=(2, 1), ratios=(4,), start=(-0.5, 1)).state()
    assert (state["kappa"], state["ratio"], state["start"], state["capped"]) == (2, 4, [-0.5, 1], False)
    assert len(json.dumps(state)) < 1000


def test_picture_of_a_path_that_is_not_over_says_so():
    assert ": openly misaligned." in Flow(alt=ALT, steps=1).picture()


@pytest.mark.parametrize(
    ("start", "kind"), [((-1, 0.3), "deceptive"), ((-0.3, 0.1), "aligned"), ((0.5, 0.5), "aligned")]
)
def test_picture_tells_where_the_path_ends(start, kind):
    made = Flow(alt=ALT, start=start)
    planner = {"kappa": 1, "ratio": 1, "rate": 0.04, "capped": False}
    [[theta, lam]] = on_the_page([{"start": start, "looks": [2500], "planner": planner}])[0]["path"]
    assert f"ends at θ = {theta:.2f}, λ = {lam:.2f}: {kind}." in made.picture()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kappas": ()}, r"kappas is \(\); positive numbers"),
        ({"ratios": (1, 0)}, r"ratios is \(1, 0\)"),
        ({"rate": -1}, r"rate is \[-1\]"),
        ({"start": (1.5, 0)}, r"start is \(1.5, 0\); theta from -2 to 1"),
        ({"start": (1,)}, "start is"),
        ({"steps": 0}, "steps is 0"),
    ],
)
def test_flow_says_what_is_wrong(changes, message):
    with pytest.raises(ValueError, match=message):
        Flow(**({"alt": ALT} | changes))
