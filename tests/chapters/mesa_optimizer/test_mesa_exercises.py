"""What the exercises on mesa-optimizers are marked by, against other ways to the same numbers."""

import re

import numpy as np
import pytest
from tiny_book import ROOT

from innerlab.chapters.mesa_optimizer import checks as checks
from innerlab.chapters.mesa_optimizer.closed_forms import objective_weights, one_step_gd

CHAPTER = ROOT / "book" / "mesa_optimizer.md"


def step_errors(scale, d, n, noise, step, prior=1.0, prompts=200_000):
    """Squared errors of one step and of predicting zero, over random prompts without noise in the target."""
    random = np.random.default_rng(0)
    x, query = scale * random.normal(size=(prompts, n, d)), scale * random.normal(size=(prompts, d))
    w = prior**0.5 * random.normal(size=(prompts, d))
    y = np.einsum("bnd,bd->bn", x, w) + noise * random.normal(size=(prompts, n))
    answer = step / n * np.einsum("bn,bnd,bd->b", y, x, query)
    truth = (w * query).sum(1)
    return (answer - truth) ** 2, truth**2


def test_the_best_step_is_the_chapters_where_inputs_are_alike():
    step, loss = checks.best_step(np.full(5, 1.7), 10, 0.7, 2.0)
    chapters = one_step_gd(5, 10, 0.7, input_variance=1.7, prior_variance=2.0)
    assert (step, loss + 0.7**2) == pytest.approx(chapters)


def test_the_best_step_is_as_good_as_simulated_and_no_other_is_better():
    variances, n, noise, prior = np.array([0.3, 2.0, 1.0]), 4, 0.8, 1.7
    step, loss = checks.best_step(variances, n, noise, prior)
    found = [step_errors(variances**0.5, 3, n, noise, k * step, prior)[0] for k in (0.8, 1.0, 1.2)]
    assert abs(found[1].mean() - loss) < 4 * found[1].std() / len(found[1]) ** 0.5
    assert found[1].mean() < min(found[0].mean(), found[2].mean())


@pytest.mark.parametrize(("d", "n", "noise", "step"), [(5, 10, 0.0, 0.625), (3, 6, 1.0, 0.5), (2, 5, 2.0, 0.3)])
def test_at_the_breaking_scale_a_step_is_as_good_as_zero(d, n, noise, step):
    scale = checks.breaking_scale(d, n, noise, step)
    for k, sign in ((0.9, -1), (1.1, 1)):
        by_step, zero = step_errors(k * scale, d, n, noise, step)
        assert sign * (by_step - zero).mean() > 0


def test_with_much_noise_a_step_is_never_better_than_zero():
    assert checks.breaking_scale(3, 2, 3.0, 0.9) == 0
    by_step, zero = step_errors(0.1, 3, 2, 3.0, 0.9)
    assert by_step.mean() > zero.mean()


@pytest.mark.parametrize("decoupled", [0.0, 0.3, 1.0])
def test_the_objective_is_the_chapters_where_there_are_two_channels(decoupled):
    agreement = np.array([[1, 1 - decoupled], [1 - decoupled, 1]])
    found = checks.objective(agreement, np.array([0.5, 1.0]), 5, 10)
    assert found == pytest.approx(objective_weights(5, 10, 0.5, 1.0, decoupled))


def test_lessons_point_to_sections_of_the_chapter():
    headings = set(re.findall(r"^##+ (.+)$", CHAPTER.read_text("utf-8"), re.MULTILINE))
    sections = ("LAYER", "TRAINED", "WEIGHTS", "FAILS", "LOOKUP", "CHANNELS", "NAMES")
    assert {getattr(checks, name) for name in sections} <= headings
