"""The landscape without a browser: the page's arithmetic against the chapter's, point for point."""

import json

import numpy as np
import pytest
from nodejs import node
from pagerandom import PageRandom
from pages import cells_of

from innerlab.chapters.optimizer.landscape import LANDSCAPES, Landscape, loss

ALT = "A map of a landscape, and four searches that begin where one clicks."
SEARCHES = {"random search": "random_search", "hill climbing": "hill_climbing",
            "gradient descent": "gradient_descent", "evolution strategy": "evolution"}  # fmt: skip


@pytest.fixture(scope="module")
def chapter():
    """The landscapes and the searches as the book has them."""
    return cells_of("optimizer", "LOWEST = ", "def random_search", "def gradient_descent")


def on_the_page(runs):
    done = node("tests/chapters/optimizer/front/evaluated.mjs", input=json.dumps(runs))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("dimensions", [2, 4])
def test_page_module_and_chapter_have_the_same_landscapes_and_slopes(chapter, dimensions):
    lowest = chapter["LOWEST"][:dimensions]
    points = np.random.default_rng(1).uniform(-5, 5, size=(1000, dimensions))
    runs = [{"landscape": name, "lowest": lowest.tolist(), "points": points.tolist()} for name in LANDSCAPES]
    for name, page in zip(LANDSCAPES, on_the_page(runs), strict=True):
        written = dict(chapter, LOWEST=lowest)  # the chapter's function, in fewer dimensions where they are fewer
        source = chapter[name.replace(" ", "_")]
        function = type(source)(source.__code__, written)
        np.testing.assert_allclose(page["values"], function(points), rtol=1e-12, atol=1e-9)
        np.testing.assert_allclose(loss(name, points, lowest), function(points), rtol=1e-12, atol=1e-9)
        beside = [function(points + 1e-4 * axis) - function(points) for axis in np.eye(dimensions)]
        np.testing.assert_allclose(page["slopes"], np.stack(beside, -1), rtol=0, atol=1e-9)


class Stable(np.ndarray):
    """Keeps equals in order, as a page does; NumPy's usual order among them differs between processors."""

    def argsort(self, axis):
        return np.asarray(self).argsort(axis, kind="stable")


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("landscape", LANDSCAPES)
def test_page_and_chapter_evaluate_the_same_points_in_the_same_order(chapter, search, landscape):
    starts = np.random.default_rng(2).uniform(-5, 5, size=(4, 4))
    run = {"landscape": landscape, "lowest": chapter["LOWEST"].tolist(), "search": search, "box": chapter["BOX"]}
    runs = [run | {"start": start.tolist(), "budget": chapter["BUDGET"], "seed": i} for i, start in enumerate(starts)]
    for seed, (start, page) in enumerate(zip(starts, on_the_page(runs), strict=True)):
        evaluated = []

        def noted(x, evaluated=evaluated):
            evaluated.extend(np.reshape(x, (-1, 4)))
            return chapter[landscape.replace(" ", "_")](x).view(Stable)

        best = chapter[SEARCHES[search]](noted, start[None], PageRandom(seed))
        assert len(page["evaluated"]) == len(evaluated) == page["spent"][-1] <= chapter["BUDGET"]
        np.testing.assert_allclose(page["evaluated"], evaluated, rtol=0, atol=1e-9)
        np.testing.assert_allclose(page["best"], best[0], rtol=1e-9, atol=1e-9)


def landscape(**changes):
    return Landscape(**({"lowest": [1.7, -2.2], "alt": ALT} | changes))


def test_state_is_small_and_the_same_twice():
    assert landscape().html() == landscape().html()
    state = landscape(landscape="egg crate", start=(0, 1), seed=7).state()
    assert (state["names"][state["landscape"]], state["start"], state["seed"]) == ("egg crate", [0, 1], 7)
    assert (state["budget"], state["lowest"]) == (1000, [1.7, -2.2])
    assert len(json.dumps(state)) < 1000
    assert "map of the egg crate" in landscape(landscape="egg crate").picture()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lowest": [1.7, -2.2, 0.6]}, "two coordinates from -5 to 5"),
        ({"start": (0, 5.5)}, r"start is \(0, 5.5\)"),
        ({"landscape": "ridge"}, "one of bowl, valley"),
        ({"budgets": ()}, r"budgets is \(\)"),
        ({"budgets": (1, 10)}, "evaluations from 2"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_landscape_says_what_is_wrong(changes, message):
    with pytest.raises(ValueError, match=message):
        landscape(**changes)
