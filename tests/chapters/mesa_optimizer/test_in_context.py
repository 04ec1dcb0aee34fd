"""In-context regression: closed forms against simulation, and what layers of linear attention must satisfy."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from innerlab.chapters.mesa_optimizer.closed_forms import objective_weights, one_step_gd
from innerlab.chapters.mesa_optimizer.linear_attention import (
    Layers,
    LinearAttention,
    LinearAttentionTraining,
    step_layers,
    train_linear_attention,
    train_two_channels,
)
from innerlab.chapters.mesa_optimizer.tasks import InContextRegression, TwoChannels

PROMPTS = 40_000


def drawn(task, count=PROMPTS, seed=1):
    return task.draw([torch.Generator().manual_seed(seed)], count)


def random_layers(d, channels, networks=3, init_std=0.5):
    with torch.no_grad():
        return LinearAttention(range(networks), d, channels, init_std).layers()


def squared_errors(layers, prompts, loops=1):
    return (layers.predict(prompts, loops) - prompts.target[..., 0])[0].square()


SETTINGS = [  # d, n, noise, distribution, input variance, fourth moment ratio, prior variance
    (3, 7, 0.0, "normal", 1.0, 3.0, 1.0),
    (2, 4, 0.8, "normal", 0.5, 3.0, 2.0),
    (6, 3, 0.3, "uniform", 1 / 3, 1.8, 1.0),
    (1, 1, 0.0, "normal", 2.0, 3.0, 0.5),
]


@pytest.mark.parametrize(("d", "n", "noise", "distribution", "v", "ratio", "prior"), SETTINGS)
def test_the_best_step_and_its_loss_are_those_of_a_simulation(d, n, noise, distribution, v, ratio, prior):
    size, loss = one_step_gd(d, n, noise, v, ratio, prior)
    prompts = drawn(InContextRegression(d, n, noise, distribution, v, prior))
    errors = squared_errors(step_layers(size * torch.eye(d)[None]), prompts)
    assert abs(errors.mean() - loss) < 4 * errors.std() / PROMPTS**0.5
    # the parabola through the simulated losses of any step size has its lowest point there
    unit = (prompts.y * prompts.x).mean(2) @ torch.eye(d)
    unit = (unit * prompts.query).sum(-1)[0]
    target = prompts.target[0, :, 0]
    slope, curve = unit * target, unit.square()
    simulated = slope.mean() / curve.mean()
    error = (slope - simulated * curve).std() / curve.mean() / PROMPTS**0.5
    assert abs(simulated - size) < 4 * error


def test_for_normal_inputs_the_best_step_is_the_short_formula():
    assert one_step_gd(5, 10)[0] == pytest.approx(10 / 16)
    assert one_step_gd(5, 10)[1] == pytest.approx(5 * (1 - 10 / 16))
    assert one_step_gd(4, 8, noise=2.0)[0] == pytest.approx(8 / (8 + 4 + 1 + 4))


@pytest.mark.parametrize("extra", [0.9, 1.1])
def test_no_other_step_size_does_better(extra):
    d, n, noise = 3, 5, 0.5
    size, loss = one_step_gd(d, n, noise)
    q = 1 / size
    assert d * (1 - 2 * size * extra + (size * extra) ** 2 * q) + noise**2 > loss


CHANNELS = [(3, 6, 1.0, 0.0, 0.0), (2, 9, 0.5, 1.5, 0.2), (4, 4, 0.0, 0.0, 0.5), (1, 5, 2.0, 1.0, 0.0)]


@pytest.mark.parametrize(("d", "n", "noise_true", "noise_proxy", "decoupled"), CHANNELS)
def test_objective_weights_are_the_least_squares_of_a_simulation(d, n, noise_true, noise_proxy, decoupled):
    law = np.array(objective_weights(d, n, noise_true, noise_proxy, decoupled))
    prompts = drawn(TwoChannels(d, n, noise_true, noise_proxy, decoupled))
    by_channel = torch.einsum("bnc,bni,bi->bc", prompts.y[0], prompts.x[0], prompts.query[0]) / n
    gram = by_channel.T @ by_channel
    simulated = torch.linalg.solve(gram, by_channel.T @ prompts.target[0, :, :1])[:, 0]
    residual = by_channel * (prompts.target[0, :, :1] - by_channel @ simulated[:, None])
    inverse = torch.linalg.inv(gram)
    error = (inverse @ (residual.T @ residual) @ inverse).diagonal().sqrt()
    assert (np.abs(simulated.numpy() - law) < 4 * error.numpy()).all()


@pytest.mark.parametrize(("d", "n", "noise_true", "noise_proxy", "decoupled"), CHANNELS)
def test_objective_weights_are_where_direct_search_ends(d, n, noise_true, noise_proxy, decoupled):
    q, r = (n + d + 1) / n, 1 - decoupled

    def loss(w):
        a, b = w
        squares = q * (a * a + b * b + 2 * r * a * b)
        return 1 - 2 * (a + r * b) + squares + (noise_true**2 * a * a + noise_proxy**2 * b * b) / n

    found = minimize(loss, [0.3, 0.3], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-12})
    np.testing.assert_allclose(
        found.x, objective_weights(d, n, noise_true, noise_proxy, decoupled), rtol=1e-4, atol=1e-5
    )


def test_which_channel_is_taken_where_it_is_plain():
    a, b = objective_weights(5, 10, 1.0, 0.0, 0.0)
    assert (a, b) == pytest.approx((0, 10 / 16), abs=1e-12)
    a, b = objective_weights(5, 10, 0.7, 0.7, 0.0)
    assert a == pytest.approx(b)
    assert objective_weights(5, 10, 0.5, 0.0, 1.0) == pytest.approx((one_step_gd(5, 10, 0.5)[0], 0))


@pytest.mark.parametrize("channels", [1, 2])
def test_the_layer_computes_what_its_formula_says(channels):
    layers = random_layers(3, channels)
    task = TwoChannels(3, 4, 1.0, 0.5, 0.5) if channels == 2 else InContextRegression(3, 4)
    prompts = drawn(task, 2)
    for k in range(3):
        for b in range(2):
            query = torch.cat([prompts.query[0, b], torch.zeros(channels)])
            total = 0.0
            for i in range(4):
                e = torch.cat([prompts.x[0, b, i], prompts.y[0, b, i]])
                total += (layers.readout[k] @ e) * (e @ layers.key_query[k] @ query)
            torch.testing.assert_close(layers.predict(prompts)[k, b], total / 4, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("loops", [1, 2, 5])
def test_the_layer_made_by_hand_takes_steps_of_gradient_descent(loops):
    d, n, size = 4, 6, 0.2
    prompts = drawn(InContextRegression(d, n, noise=0.3), 50)
    x, y = prompts.x[0], prompts.y[0, ..., 0]
    w = torch.zeros(50, d, requires_grad=True)
    for _ in range(loops):
        loss = (y - (x @ w[..., None])[..., 0]).square().mean(1).sum() / 2
        w = (w - size * torch.autograd.grad(loss, w)[0]).detach().requires_grad_()
    predicted = step_layers(size * torch.eye(d)[None]).predict(prompts, loops)
    torch.testing.assert_close(predicted[0], (w.detach() * prompts.query[0]).sum(1), rtol=1e-4, atol=1e-5)


def test_one_run_gives_what_every_number_of_loops_gives():
    layers, prompts = random_layers(2, 1, init_std=0.3), drawn(InContextRegression(2, 4), 50)
    together = layers.predict_after(prompts, (1, 2, 5))
    assert together.shape == (3, 3, 50)
    assert not torch.allclose(together[0], together[1])
    for predicted, loops in zip(together, (1, 2, 5), strict=True):
        torch.testing.assert_close(predicted, layers.predict(prompts, loops))


@pytest.mark.parametrize("loops", [1, 2, 3])
def test_loops_are_the_layer_applied_to_all_tokens(loops):
    layers = random_layers(2, 1, networks=1)
    prompts = drawn(InContextRegression(2, 5), 1)
    tokens = torch.cat([torch.cat([prompts.x, prompts.y], -1)[0, 0], torch.zeros(1, 3)])
    tokens[-1, :2] = prompts.query[0, 0]
    A, M = layers.key_query[0], layers.value_out[0]
    for _ in range(loops):
        context = tokens[:-1]
        tokens = tokens + torch.stack([(M @ context.T @ (context @ A @ e)) / 5 for e in tokens])
    torch.testing.assert_close(layers.predict(prompts, loops)[0, 0], -tokens[-1, 2], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 2])
def test_the_odd_part_of_any_layer_is_a_preconditioned_step(channels):
    layers = random_layers(4, channels, init_std=1.0)
    task = TwoChannels(4, 7, 1.0, 0.5, 0.5) if channels == 2 else InContextRegression(4, 7, noise=0.5)
    prompts = drawn(task, 30)
    mean_yx = torch.einsum("bnc,bni->bci", prompts.y[0], prompts.x[0]) / 7
    step = torch.einsum("bci,scij,bj->sb", mean_yx, layers.preconditioner(), prompts.query[0])
    torch.testing.assert_close(layers.odd_part(prompts), step, rtol=1e-3, atol=1e-4)
    assert (layers.predict(prompts) - step).abs().max() > 0.1  # it is not all that the layer does


def test_the_order_of_examples_does_not_matter_and_their_labels_do():
    layers = random_layers(3, 1)
    prompts = drawn(InContextRegression(3, 6), 20)
    order = torch.randperm(6, generator=torch.Generator().manual_seed(2))
    permuted = prompts._replace(x=prompts.x[:, :, order], y=prompts.y[:, :, order])
    torch.testing.assert_close(layers.predict(permuted), layers.predict(prompts), rtol=1e-4, atol=1e-5)
    assert (layers.predict(prompts.shuffled()) - layers.predict(prompts)).abs().max() > 0.1


def test_sensitivity_is_the_derivative_by_the_query():
    layers = random_layers(3, 1)
    prompts = drawn(InContextRegression(3, 6), 10)
    query = prompts.query.expand(3, -1, -1).clone().requires_grad_()
    layers.predict(prompts._replace(query=query, target=prompts.target.expand(3, -1, -1))).sum().backward()
    torch.testing.assert_close(layers.sensitivity(prompts), query.grad, rtol=1e-4, atol=1e-5)


def test_fixing_the_gauge_changes_no_prediction_and_is_the_same_for_equal_layers():
    layers = random_layers(3, 2)
    prompts = drawn(TwoChannels(3, 6, 0.5, 0.5), 10)
    fixed = layers.fix_gauge()
    for loops in (1, 3):
        predicted = layers.predict(prompts, loops)
        torch.testing.assert_close(fixed.predict(prompts, loops), predicted, rtol=2e-3, atol=1e-3)
    torch.testing.assert_close(fixed.readout[:, 3:].sum(1), torch.ones(3))
    other = Layers(-2 * layers.key_query, layers.value_out / -2, 3).fix_gauge()
    torch.testing.assert_close(other.key_query, fixed.key_query)
    torch.testing.assert_close(other.value_out, fixed.value_out)


def test_interpolation_goes_from_one_layer_to_the_other():
    one, other = random_layers(3, 1), step_layers(0.5 * torch.eye(3)[None])
    assert torch.equal(one.lerp(other, 0.0).key_query, one.key_query)
    torch.testing.assert_close(one.lerp(other, 1.0).value_out, other.value_out.expand(3, -1, -1))
    torch.testing.assert_close(one.lerp(other).key_query, (one.key_query + other.key_query) / 2)


def test_a_network_does_not_depend_on_its_neighbors():
    settings = LinearAttentionTraining(steps=60, batch_size=16)
    task = InContextRegression(2, 4)
    many, losses = train_linear_attention(range(24), task, settings)
    alone, own = train_linear_attention([7], task, settings)
    torch.testing.assert_close(many.select([7]).key_query, alone.key_query, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(losses[:, 7:8], own, rtol=1e-3, atol=1e-3)
    assert losses.shape == (60, 24)
    assert (many.key_query[0] - many.key_query[1]).abs().max() > 1e-3
    rejoined = Layers.concatenate([many.select(range(3)), many.select(range(3, 24))])
    assert torch.equal(rejoined.value_out, many.value_out)


def test_training_finds_the_best_step():
    layers, _ = train_linear_attention(range(4), InContextRegression(2, 5), LinearAttentionTraining(steps=600))
    assert (layers.weights()[:, 0] / one_step_gd(2, 5)[0] - 1).abs().median() < 0.05


def test_training_on_two_channels_finds_the_derived_objective():
    settings = LinearAttentionTraining(steps=800, init_std=0.4)
    weights = train_two_channels(range(6), 1, 6, 1.0, 0.0, 0.1, settings).weights()
    torch.testing.assert_close(
        weights.median(0).values, torch.tensor(objective_weights(1, 6, 1.0, 0.0, 0.1)), rtol=0, atol=0.04
    )


def test_tasks_have_the_moments_they_promise():
    mixing = torch.tensor([[1.0, 0.5], [0.0, 2.0]])
    prompts = drawn(InContextRegression(2, 3, 0.7, "uniform", 0.25, 1.5, mixing))
    x = prompts.x[0].flatten(0, 1)
    torch.testing.assert_close(x.T @ x / len(x), 0.25 * mixing @ mixing.T, rtol=0.05, atol=0.02)
    variance = 0.25 * 1.5 * (mixing @ mixing.T).trace() + 0.7**2
    assert prompts.target.var() == pytest.approx(float(variance), rel=0.05)


def test_channels_agree_part_and_swap_as_asked():
    together = drawn(TwoChannels(2, 3), 500)
    assert torch.equal(together.y[..., 0], together.y[..., 1])
    apart = drawn(TwoChannels(2, 3, decoupled=0.3), 20_000)
    differ = (apart.target[0, :, 0] != apart.target[0, :, 1]).float().mean()
    assert differ == pytest.approx(0.3, abs=0.02)
    swapped = drawn(TwoChannels(2, 3, noise_true=0.0, noise_proxy=1.0, swapped=1.0), 20_000)
    clean = drawn(TwoChannels(2, 3, noise_true=0.0, noise_proxy=0.0, swapped=1.0), 20_000)
    assert torch.equal(swapped.y[..., 1], clean.y[..., 1])
    assert (swapped.y[..., 0] - clean.y[..., 0]).std() == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: one_step_gd(0, 3), "d is 0"),
        (lambda: one_step_gd(3, 0), "n is 0"),
        (lambda: one_step_gd(3, 3, noise=-1), "noise is -1"),
        (lambda: one_step_gd(3, 3, input_variance=0), "input_variance is 0"),
        (lambda: one_step_gd(3, 3, fourth_moment_ratio=0.5), "fourth_moment_ratio is 0.5"),
        (lambda: objective_weights(3, 3, 0, 0, 0), "noise_true, noise_proxy and decoupled are all 0"),
        (lambda: objective_weights(3, 3, 0, 0, 1.5), "decoupled is 1.5"),
        (lambda: objective_weights(3, 3, -1, 0, 0), "noise_true is -1"),
        (lambda: InContextRegression(distribution="cauchy"), "distribution is 'cauchy'"),
        (lambda: InContextRegression(3, mixing=torch.eye(2)), "mixing has shape"),
        (lambda: TwoChannels(swapped=2), "swapped is 2"),
        (lambda: LinearAttention([], 3), "seeds is empty"),
        (lambda: LinearAttention([0], 3, 0), "channels is 0"),
        (lambda: LinearAttentionTraining(steps=0), "steps is 0"),
        (lambda: LinearAttentionTraining(learning_rate=0), "learning_rate is 0"),
        (lambda: LinearAttentionTraining(warmup_steps=-1), "warmup_steps is -1"),
        (lambda: step_layers(torch.eye(3)), "preconditioner has shape"),
        (lambda: step_layers(torch.eye(3)[None], ()), "channel_weights is empty"),
        (lambda: Layers(torch.zeros(1, 3, 3), torch.zeros(1, 4, 4), 2), "key_query has shape"),
        (lambda: random_layers(3, 1).predict(drawn(InContextRegression(2, 3), 1)), "prompts have 2 inputs"),
        (lambda: random_layers(3, 1).predict(drawn(InContextRegression(3, 3), 1), 0), "loops is 0"),
        (lambda: random_layers(3, 1).predict_after(drawn(InContextRegression(3, 3), 1), (2, 1)), r"loops is \(2, 1\)"),
        (lambda: random_layers(3, 1).predict_after(drawn(InContextRegression(3, 3), 1), ()), r"loops is \(\)"),
        (lambda: step_layers(torch.eye(3)[None], (1.0, -1.0)).fix_gauge(), "sum to 0"),
    ],
)
def test_bad_input_is_named(make, says):
    with pytest.raises(ValueError, match=says):
        make()
