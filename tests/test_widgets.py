"""Widgets without a browser: their two forms, their bounds, and the front ends' own tests, run by Node."""

import json
import re

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup
from nodejs import node
from tiny_book import ROOT

from innerlab.chapters.deceptive_alignment.deception_plane import DeceptionPlane
from innerlab.chapters.deceptive_alignment.flow import Flow
from innerlab.chapters.mesa_optimizer.in_context import InContext
from innerlab.chapters.mesa_optimizer.linear_attention import step_layers
from innerlab.chapters.mesa_optimizer.tasks import InContextRegression, TwoChannels
from innerlab.chapters.optimizer.landscape import Landscape
from innerlab.chapters.optimizer.three_robots import ThreeRobots
from innerlab.systems.mazes import draw_mazes, first_moves
from innerlab.widgets import scripts
from innerlab.widgets.explore import Explore
from innerlab.widgets.predict import Predict


def shares(feature="color", factor=1.0):
    rng = np.random.default_rng([len(feature), int(10 * factor)])
    parts = rng.dirichlet([1, 1, 0.3, 0.5], 8)
    return parts, f"{feature} at {factor:g}: the mean share at the door is {parts[:, 0].mean():.2f}."


def explore(**changes):
    options = {
        "function": shares,
        "settings": {"feature": ["color", "shape"], "factor": [0, 0.5, 1, 1.5]},
        "draw": "columns",
        "alt": "Where eight agents end, at each setting of two that the reader may change.",
        "parts": ["door", "red", "other"],
        "start": {"factor": 1},
    }
    return Explore(**(options | changes))


def number(**changes):
    options = {"name": "t/n", "question": "How many?", "truth": 21, "says": "21 do.", "high": 64, "unveils": ["fig-a"]}
    return Predict.number(**(options | changes))


def robots():
    maze = draw_mazes(1, size=5, holes=1, seed=1)[0]
    answers = first_moves(torch.tensor([maze.next_cell]))
    return ThreeRobots(
        {"a maze": maze}, {(0, maze.start): 1}, [maze], answers, alt="A maze to change and the robots that walk in it."
    )


def in_context():
    step = torch.full((1, 1, 1), 0.8)
    sensors = {"noisy": (TwoChannels(1, 8, noise_true=1.0), step_layers(step, (0.0, 1.0)))}
    return InContext(
        InContextRegression(1, 8), step_layers(step), sensors, alt="Points to drag and the lines that a layer draws."
    )


MADE = {
    "explore": explore,
    "number": number,
    "choice": lambda: Predict.choice("t/c", 'Which "<one>" & why?', ["a", "b"], [1, 63], "b has 63."),
    "curve": lambda: Predict.curve("t/l", "How?", ["0", "1"], [0.2, 0.4], "It rises.", xlabel="x", ylabel="y"),
    "landscape": lambda: Landscape([1, 2], alt="A map of a landscape and four searches on it."),
    "robots": robots,
    "in context": in_context,
    "flow": lambda: Flow(alt="A plane of two numbers and the path of gradient descent from a start."),
    "plane": lambda: DeceptionPlane({"one": {}}, alt="A map over discount and threat and a policy as a timeline."),
}


def parsed(widget):
    """The placeholder of a widget, and the state in it."""
    place = BeautifulSoup(widget.html(), "html.parser").div
    return place, json.loads(place.find("script", type="application/json").string)


@pytest.mark.parametrize("name", MADE)
def test_placeholder_holds_the_state_and_words(name):
    widget = MADE[name]()
    place, state = parsed(widget)
    assert place["data-innerlab"] in scripts.front_ends()
    assert state == widget.state()
    assert not [key for key in state if key.startswith("_")]
    assert len(place.get_text(" ", strip=True)) + len(str(place.find("svg"))) > 20
    assert "style=" not in widget.html()  # which a content security policy of 'self' would refuse


@pytest.mark.parametrize("name", MADE)
def test_the_same_arguments_give_the_same_bytes(name):
    assert MADE[name]().html() == MADE[name]().html()


@pytest.mark.parametrize("name", MADE)
def test_two_forms_are_shown_and_each_class_has_a_front_end_of_its_own(name):
    data, _ = (widget := MADE[name]())._repr_mimebundle_()
    assert set(data) == {"text/plain", "text/html", "application/vnd.jupyter.widget-view+json"}
    assert data["text/plain"] == widget.alt
    assert "export default { render: $" in widget._esm
    assert ".innerlab-widget" in widget._css


def test_a_front_end_brings_the_style_of_all_that_it_imports():
    assert ".il-grid" in scripts.style(["three_robots"])
    assert ".il-grid" in scripts.style(["maze_bench"])
    assert ".il-grid" not in scripts.style(["landscape"])
    assert scripts.style().count(".il-grid {") == 1


def test_text_in_the_state_cannot_end_its_script():
    widget = number(question="</script><script>alert(1)</script> <!-- how many?")
    assert widget.html().count("</script>") == 1
    assert parsed(widget)[1]["question"] == widget.question


def test_explore_has_numbers_of_every_position():
    state = explore().state()
    assert (len(state["numbers"]), len(state["says"])) == (8, 8)
    assert state["position"] == [0, 2]
    for at, (feature, factor) in enumerate((f, x) for f in ("color", "shape") for x in (0, 0.5, 1, 1.5)):
        numbers, says = shares(feature, factor)
        np.testing.assert_allclose(np.array(state["numbers"][at]) / state["unit"], numbers, atol=0.5e-3)
        assert state["says"][at] == says


def test_explore_in_a_notebook_calls_the_function_at_each_move():
    called = []
    widget = explore(function=lambda **at: (called.append(at), shares(**at))[1])
    assert len(called) == 8
    widget.position = [1, 3]
    assert called[8:] == [{"feature": "shape", "factor": 1.5}]
    assert widget.live["position"] == [1, 3]
    assert widget.live["numbers"] == widget.numbers[7]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"settings": {"factor": np.linspace(0, 1, 201)}, "start": None}, "201 positions and 200 are allowed"),
        ({"most_bytes": 900}, r"take [\d,]+ bytes and 900 are allowed"),
        ({"settings": {}, "start": None}, "0 settings"),
        ({"settings": {"factor": [1]}, "start": None}, "two or more make a setting"),
        ({"draw": "pie"}, "draw is 'pie'"),
        ({"start": {"factor": 7}}, "factor = 7"),
        ({"draw": "dots"}, r"shape \(8, 4\); 1 axes"),
        ({"function": lambda **at: (np.full((2, 2), 1.5), "")}, "run from 1.5 to 1.5"),
        ({"alt": "a figure"}, "say what the figure shows"),
    ],
)
def test_explore_says_what_is_wrong(changes, message):
    with pytest.raises(ValueError, match=message):
        explore(**changes)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: number(truth=65), "the slider runs from 0 to 64"),
        (lambda: number(step=0.01), "has no use"),
        (lambda: Predict.choice("t", "?", ["a", "b"], [1], ""), "2 options and 1 numbers"),
        (lambda: Predict.curve("t", "?", ["a"], [1], "", xlabel="", ylabel=""), "1 points and 1 values"),
        (lambda: Predict.curve("t", "?", ["a", "b"], [1, 2], "", xlabel="", ylabel=""), "from 1 to 2; the axes"),
    ],
)
def test_predict_says_what_is_wrong(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_no_two_questions_of_the_book_share_a_name():
    chapters = [path.read_text("utf8") for path in sorted((ROOT / "book").glob("*.md"))]
    names = re.findall(r'Predict\.\w+\(\s*"([^"]+)"', "\n".join(chapters))
    assert names
    assert len(set(names)) == len(names)


def front_of(folder, monkeypatch, place="widgets/front"):
    """A folder for front ends in a laboratory of its own."""
    monkeypatch.setattr(scripts, "LABORATORY", folder)
    (folder / place).mkdir(parents=True)
    return folder / place


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a": 'import { x } from "./b.js";', "b": 'import { y } from "./a.js";'}, "a imports b imports a: a circle"),
        ({"a": 'import * as b from "./b.js";'}, "only named imports"),
        ({"a": "export default 3;"}, "only named imports"),
    ],
)
def test_front_ends_that_cannot_be_joined_are_refused(tmp_path, monkeypatch, files, message):
    front = front_of(tmp_path, monkeypatch)
    for name, source in files.items():
        (front / f"{name}.js").write_text(source + "\nexport function render() {}\n", "utf8")
    with pytest.raises(ValueError, match=message):
        scripts.module("a")


def test_two_front_ends_of_one_name_are_refused(tmp_path, monkeypatch):
    for place in ("widgets/front", "chapters/some/front"):
        (front_of(tmp_path, monkeypatch, place) / "a.js").write_text("export function render() {}\n", "utf8")
    with pytest.raises(ValueError, match=r"a\.js has the name of .*a\.js; each front end needs one of its own"):
        scripts.front_ends()


def test_unknown_front_ends_are_refused():
    with pytest.raises(ValueError, match="one of deception_plane, explore, "):
        scripts.module("nothing")


def test_files_are_joined_once_each_in_the_order_of_their_imports(tmp_path, monkeypatch):
    front, wing = front_of(tmp_path, monkeypatch), front_of(tmp_path, monkeypatch, "chapters/some/front")
    (front / "one.js").write_text("/** A number. */\nexport const one = 1;\n", "utf8")
    (front / "two.js").write_text('import { one } from "./one.js";\nexport const two = one + one;\n', "utf8")
    imports = (
        'import { one } from "../../../widgets/front/one.js";\nimport { two } from "../../../widgets/front/two.js";\n'
    )
    (wing / "a.js").write_text(imports + "export function render() { return one + two; }\n", "utf8")
    joined = scripts.module("a")
    assert joined.count("const one = 1") == 1
    assert "/**" not in joined
    done = node(
        "--input-type=module",
        "--eval",
        joined.replace("export default", "const front =") + "console.log(front.render())",
    )
    assert done.stdout.split() == ["3"], done.stderr


def test_front_ends_pass_their_own_tests():
    done = node("--test", *(str(path) for path in sorted((ROOT / "tests").rglob("front/*.test.js"))))
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.search(r"^# pass (\d+)|^ℹ pass (\d+)", done.stdout, re.MULTILINE)[0].split()[-1]) > 10


def test_every_front_end_is_typed_and_none_reaches_out():
    for path in scripts.files("js").values():
        source = path.read_text("utf8")
        assert source.startswith("/**"), path.name
        assert not re.search(
            r"\b(fetch|XMLHttpRequest|WebSocket|sendBeacon|eval|Function)\(|https?://(?!www\.w3\.org)", source
        ), path.name
