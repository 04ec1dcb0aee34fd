"""In-context learning by hand, without a browser: the page's lines against torch's, and what travels."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from nodejs import node

from innerlab.chapters.mesa_optimizer.closed_forms import objective_weights, one_step_gd
from innerlab.chapters.mesa_optimizer.in_context import InContext
from innerlab.chapters.mesa_optimizer.linear_attention import Layers, LinearAttention
from innerlab.chapters.mesa_optimizer.tasks import InContextRegression, Prompts, TwoChannels

ALT = "A plane with points to drag, and the lines that layers draw through it."
TASK = InContextRegression(d=1, n=8)
SENSORS = {"a": TwoChannels(1, 8), "b": TwoChannels(1, 8, noise_true=1.0), "c": TwoChannels(1, 8, 2.0, 0.5, 0.1)}


def layers(channels, networks=24, d=1, init_std=0.7):
    with torch.no_grad():
        return LinearAttention(range(networks), d, channels, init_std).layers()


def widget(task=TASK, own=None, conditions=None, **changes):
    given = conditions or {name: (its, layers(2)) for name, its in SENSORS.items()}
    return InContext(task, own or layers(1), given, **({"alt": ALT} | changes))


def on_the_page(traveled, contexts, step=1.0, penalty=0.0):
    given = {"layers": traveled, "contexts": contexts.tolist(), "step": step, "penalty": penalty}
    done = node("tests/chapters/mesa_optimizer/front/slopes.mjs", input=json.dumps(given))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("n", [1, 8, 16])
def test_page_and_torch_predict_the_same_in_random_contexts(channels, n):
    own = layers(channels)
    state = widget(own=own).state() if channels == 1 else widget(conditions={"a": (SENSORS["a"], own)}).state()
    traveled = state["layers"] if channels == 1 else state["conditions"][0]
    random = torch.Generator().manual_seed(n)
    x, y = (torch.randn(1, 50, n, size, generator=random) for size in (1, channels))  # not of any task
    query = torch.randn(1, 50, 1, generator=random)
    page = on_the_page(traveled, torch.cat([x, y], -1)[0])
    expected = own.predict(Prompts(x, y, query, torch.zeros(1, 50, channels)))  # (networks, batch)
    np.testing.assert_allclose(np.array(page["slopes"]).T * query[..., 0].numpy(), expected, rtol=0, atol=1e-5)
    if channels == 2:
        np.testing.assert_allclose(page["weights"], own.weights(), rtol=0, atol=1e-6)


def test_the_step_is_the_best_of_all_and_ridge_is_bayes():
    task = InContextRegression(d=1, n=8, noise=0.5, prior_variance=2.0)
    state = widget(task=task).state()
    prompts = task.draw([torch.Generator().manual_seed(3)], 20_000)
    contexts = torch.cat([prompts.x, prompts.y], -1)[0]
    page = on_the_page(state["layers"], contexts, state["steps"][0], state["penalty"])
    x, y = contexts.double().unbind(-1)
    xy = (x * y).sum(1)
    np.testing.assert_allclose(page["steps"], one_step_gd(1, 8, 0.5, prior_variance=2.0)[0] * xy / 8, atol=1e-9)
    precision = 1 / 2.0 + (x * x).sum(1) / 0.5**2  # of the line's slope, given the points
    np.testing.assert_allclose(page["ridge"], xy / 0.5**2 / precision, atol=1e-9)
    query, target = prompts.query[0, :, 0].double(), prompts.target[0, :, 0].double()

    def loss(size):
        return float((size * xy / 8 * query - target).square().mean())

    assert loss(state["steps"][0]) < min(loss(1.2 * state["steps"][0]), loss(0.8 * state["steps"][0]))


def test_conditions_travel_with_their_law():
    state = widget().state()
    assert [condition["name"] for condition in state["conditions"]] == list(SENSORS)
    assert state["conditions"][0]["law"] == []
    assert state["conditions"][1]["law"] == list(objective_weights(1, 8, 1.0, 0.0, 0.0))
    assert state["conditions"][2]["law"] == list(objective_weights(1, 8, 2.0, 0.5, 0.1))
    assert state["conditions"][2]["noise"] == [2.0, 0.5]
    assert state["steps"] == [one_step_gd(1, 8)[0]] * 2


def test_what_travels_is_small_and_the_same_twice():
    six = {str(i): (SENSORS["b"], layers(2, 48)) for i in range(6)}
    assert len(json.dumps(widget(own=layers(1, 48), conditions=six).state())) < 40_000
    assert widget().html() == widget().html()
    assert widget(seed=1).points != widget().points
    assert all(label == proxy for _, label, proxy in widget().points)
    assert "8 points" in widget().picture()


def test_picture_tells_the_slopes_that_the_page_computes():
    made = widget(task=replace(TASK, noise=0.3))
    state = made.state()
    tokens = np.array(state["first"])[None, :, :2]
    page = on_the_page(state["layers"], tokens, state["steps"][0], state["penalty"])
    for name, slope in (("median", np.median(page["slopes"])), ("step", page["steps"][0]), ("ridge", page["ridge"][0])):
        assert f"{name} {slope:.2f}" in made.picture()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"own": layers(2)}, "layers have d = 1 and 2 channels; d = 1 and 1 channels"),
        ({"task": InContextRegression(d=2, n=8)}, "task has d = 2"),
        ({"own": layers(1, d=2)}, "layers have d = 2"),
        ({"own": Layers(torch.full((1, 2, 2), torch.nan), torch.ones(1, 2, 2), 1)}, "weights are not finite"),
        ({"conditions": {"a": (SENSORS["a"], layers(1))}}, "condition 'a'.* 2 channels were expected"),
        ({"conditions": {"a": (TwoChannels(1, 9), layers(2))}}, "n = 8 and swapped = 0"),
        ({"conditions": {"a": (TwoChannels(1, 8, 9.0), layers(2))}}, "noise of 9.0; labels up to 4"),
        ({"task": InContextRegression(d=1, n=17)}, "n = 17; 1 to 16"),
        ({"task": InContextRegression(d=1, n=8, distribution="uniform")}, "normal inputs of variance 1"),
        ({"box": (0, 4)}, r"box is \(0, 4\)"),
    ],
)
def test_in_context_says_what_is_wrong(changes, message):
    with pytest.raises(ValueError, match=message):
        widget(**changes)


def test_no_condition_is_refused():
    with pytest.raises(ValueError, match="conditions is empty"):
        InContext(TASK, layers(1), {}, alt=ALT)
