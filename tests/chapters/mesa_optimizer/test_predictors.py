import pytest
import torch

from innerlab.chapters.mesa_optimizer.predictors import dmmse, prefixes, ridge


def prompts(*shape, examples=5, inputs=2, noise=0.6, seed=0, prior_variance=1.0):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(*shape, examples, inputs, generator=g, dtype=torch.float64)
    w = torch.randn(*shape, inputs, 1, generator=g, dtype=torch.float64) * prior_variance**0.5
    y = (x @ w)[..., 0] + noise * torch.randn(*shape, examples, generator=g, dtype=torch.float64)
    query = torch.randn(*shape, inputs, generator=g, dtype=torch.float64)
    return x, y, query


def by_integration(x, y, query, noise, prior_variance):
    """Bayes' rule on a fine grid of weights, for two inputs."""
    axis = torch.linspace(-9, 9, 361, dtype=torch.float64)
    w = torch.cartesian_prod(axis, axis)  # (points, 2)
    log = -((y - w @ x.T) ** 2).sum(-1) / (2 * noise**2) - (w**2).sum(-1) / (2 * prior_variance)
    return (log.softmax(0) * (w @ query)).sum()


@pytest.mark.parametrize(("noise", "prior_variance", "examples"), [(0.6, 1.0, 5), (1.5, 2.0, 1), (0.5, 0.3, 8)])
def test_ridge_is_bayes_rule_for_normal_weights(noise, prior_variance, examples):
    x, y, query = prompts(4, examples=examples, noise=noise, prior_variance=prior_variance)
    exact = torch.stack([by_integration(*one, noise, prior_variance) for one in zip(x, y, query, strict=True)])
    torch.testing.assert_close(ridge(x, y, query, noise, prior_variance), exact, atol=1e-6, rtol=0)


def test_ridge_without_noise_is_the_limit_of_little_noise():
    for examples in (1, 2, 5):
        x, y, query = prompts(8, examples=examples, inputs=3)
        torch.testing.assert_close(ridge(x, y, query, 0.0), ridge(x, y, query, 1e-4), atol=1e-5, rtol=1e-5)


def test_ridge_recovers_the_task_from_exact_labels():
    x, _, query = prompts(6, examples=7, inputs=3)
    w = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    torch.testing.assert_close(ridge(x, x @ w, query, 0.0), query @ w)


def test_dmmse_is_the_mean_answer_of_tasks_that_pass_for_the_truth():
    """Rejection sampling: draw a task and labels until the (rounded) labels are those seen."""
    g = torch.Generator().manual_seed(1)
    tasks = torch.tensor([[1.0, 0.0], [0.2, 0.9], [-0.5, 0.5]])
    x, query, noise, cell = torch.tensor([[1.0, 0.3], [-0.4, 1.0]]), torch.tensor([0.7, -1.2]), 0.8, 0.1
    y = torch.tensor([0.5, 0.1])
    drawn = torch.randint(3, (2_000_000,), generator=g)
    labels = (tasks @ x.T)[drawn] + noise * torch.randn(len(drawn), 2, generator=g)
    passed = ((labels - y).abs() < cell).all(-1)
    answers = (tasks @ query)[drawn[passed]]
    error = float(answers.std()) / len(answers) ** 0.5
    assert abs(float(dmmse(x, y, query, tasks, noise)) - float(answers.mean())) < 4 * error + cell**2


def test_dmmse_of_one_task_is_its_line_whatever_the_context():
    x, y, query = prompts(3, 4)
    task = torch.tensor([[2.0, -1.0]], dtype=torch.float64)
    torch.testing.assert_close(dmmse(x, y, query, task, 0.5), query @ task[0])


def test_dmmse_of_very_many_normal_tasks_approaches_ridge():
    x, y, query = prompts(32, noise=0.7)
    g = torch.Generator().manual_seed(2)
    away = []
    for many in (10, 1000, 100_000):
        tasks = torch.randn(many, 2, generator=g, dtype=torch.float64)
        away.append(float((dmmse(x, y, query, tasks, 0.7) - ridge(x, y, query, 0.7)).square().mean().sqrt()))
    assert away[0] > 5 * away[1] > 25 * away[2]
    assert away[2] < 0.02


def test_order_and_repetition_of_tasks_do_not_matter():
    x, y, query = prompts(8)
    tasks = torch.randn(6, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    expected = dmmse(x, y, query, tasks, 0.5)
    torch.testing.assert_close(dmmse(x, y, query, torch.cat([tasks, tasks.flip(0)]), 0.5), expected)
    torch.testing.assert_close(dmmse(x.flip(-2), y.flip(-1), query, tasks, 0.5), expected)
    torch.testing.assert_close(ridge(x.flip(-2), y.flip(-1), query, 0.5), ridge(x, y, query, 0.5))


def test_every_network_may_have_its_own_tasks():
    x, y, query = prompts(3, 4)
    tasks = torch.randn(3, 1, 5, 2, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    together = dmmse(x, y, query, tasks, 0.5)
    assert together.shape == (3, 4)
    for i in range(3):
        torch.testing.assert_close(together[i], dmmse(x[i], y[i], query[i], tasks[i, 0], 0.5))


@pytest.mark.parametrize("predict", [ridge, lambda *args: dmmse(*args[:3], torch.eye(2, dtype=torch.float64), args[3])])
def test_prefixes_predict_from_what_came_before(predict):
    x, y, _ = prompts(3, examples=6)
    everywhere = predict(*prefixes(x, y), x, 0.4)
    for k in range(6):
        torch.testing.assert_close(everywhere[:, k], predict(x[:, :k], y[:, :k], x[:, k], 0.4))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x, y, q: ridge(x, y, q, -0.1), "noise is -0.1"),
        (lambda x, y, q: ridge(x, y, q, float("nan")), "noise is nan"),
        (lambda x, y, q: ridge(x, y, q, 0.1, 0.0), "prior_variance is 0.0"),
        (lambda x, y, q: ridge(x, y[..., 1:], q, 0.1), r"x has shape \(3, 5, 2\) and y \(3, 4\)"),
        (lambda x, y, q: ridge(x, y, q[..., :1], 0.1), r"query has shape \(3, 1\)"),
        (lambda x, y, q: dmmse(x, y, q, x[0, :4], 0.0), "noise is 0.0"),
        (lambda x, y, q: dmmse(x, y, q, x[0, :0], 0.1), r"tasks has shape \(0, 2\)"),
        (lambda x, y, q: dmmse(x, y, q, x[0, :, :1], 0.1), r"tasks has shape \(5, 1\)"),
        (lambda x, y, q: prefixes(x[..., 0], y), r"x has shape \(3, 5\)"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(*prompts(3))
