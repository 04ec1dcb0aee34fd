"""The deception plane without a browser: the page's decisions against Python's, and what travels."""

import json

import numpy as np
import pytest
from nodejs import node

from innerlab.chapters.deceptive_alignment.deception_plane import START, VALUES, DeceptionPlane
from innerlab.chapters.deceptive_alignment.decision import (
    compliance_episodes,
    complies_on_cue,
    cue_value,
    deployment_value,
    goal_intact_probability,
)

ALT = "A map over discount and threat, and the optimal policy as a timeline."
ENDS = ("train", "deploy", "discount", "threat", "mistaken", "hazard", "stake")
RECURS = ("share", "accuracy", "discount", "threat")


def decided(settings):
    done = node("tests/chapters/deceptive_alignment/front/decided.mjs", input=json.dumps(settings))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_page_and_python_decide_alike_wherever_the_sliders_can_stand():
    random = np.random.default_rng(1)
    settings = [{name: values[random.integers(len(values))] for name, values in VALUES.items()} for _ in range(3000)]
    for name, values in VALUES.items():  # and along every slider
        settings += [START | {name: value} for value in values]
    complied, cued = [], []
    for setting, page in zip(settings, decided(settings), strict=True):
        ends = [setting[name] for name in ENDS]
        episodes, train = compliance_episodes(*ends), setting["train"]
        assert page["episodes"] == episodes, setting
        assert page["policy"] == [train - episodes <= i < train for i in range(train + setting["deploy"])], setting
        assert page["intact"] == pytest.approx(goal_intact_probability(*ends), abs=1e-12)
        value = deployment_value(setting["deploy"], setting["discount"], setting["hazard"], setting["stake"])
        assert page["deployment"] == pytest.approx(value, abs=1e-9)
        recurs = [setting[name] for name in RECURS]
        assert page["onCue"] == complies_on_cue(*recurs), setting
        share, accuracy, discount, threat = recurs
        says_training = share * accuracy + (1 - share) * (1 - accuracy)
        gain = threat * discount * cue_value(*recurs) * share * accuracy / says_training
        assert page["cueGain"] == pytest.approx(gain, abs=1e-9)
        complied.append(episodes / train)
        cued.append(page["onCue"])
    assert 0.05 < np.mean(np.greater(complied, 0)) < 0.95
    assert 0.05 < np.mean(np.equal(complied, 1)) < 0.95
    assert 0.02 < np.mean(cued) < 0.98


def plane(presets=None):
    return DeceptionPlane(presets or {"all three": {}, "no threat": {"threat": 0}, "a cue": {"recurs": True}}, alt=ALT)


def test_what_travels_is_small_and_the_same_twice():
    assert plane().html() == plane().html()
    state = plane().state()
    assert state["setting"] == START
    assert (state["recurs"], state["presets"][2]["recurs"]) == (False, True)
    assert state["presets"][1]["setting"] == START | {"threat": 0}
    assert len(json.dumps(state)) < 6_000


@pytest.mark.parametrize(
    ("preset", "share"), [({}, "100%"), ({"train": 25}, "96%"), ({"deploy": 0}, "0%"), ({"recurs": True}, "100%")]
)
def test_picture_tells_the_share_of_training_in_which_it_complies(preset, share):
    picture = plane({"one": preset}).picture()
    assert f"At discount 0.95 and threat 0.2 it complies in {share} of the training episodes" in picture
    assert ("so cued" in picture) == ("recurs" in preset)


@pytest.mark.parametrize(
    ("presets", "message"),
    [
        ({"a": {"patience": 1}}, "setting 'patience'; one of discount, threat"),
        ({"a": {"discount": 1}}, r"discount = 1; one of 100 values from 0 to 0.99"),
        ({"a": {"train": 2.5}}, "train = 2.5; one of 40 values from 1 to 40"),
    ],
)
def test_deception_plane_says_what_is_wrong(presets, message):
    with pytest.raises(ValueError, match=message):
        plane(presets)


def test_no_preset_is_refused():
    with pytest.raises(ValueError, match="presets is empty"):
        DeceptionPlane({}, alt=ALT)
