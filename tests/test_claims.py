"""A claim that does not hold cannot pass."""

import json

import numpy as np
import pytest
import torch

from innerlab.claims import COLLECT, ClaimFailed, Claims

GOOD = {"measured": "3 of 3", "seeds": 3, "strength": "thin", "evidence": "fig-x"}


def test_a_claim_that_holds_is_kept_and_shown():
    claims = Claims()
    claim = claims.check("a-name", "Less <is> more.", holds=True, **GOOD)
    shown = claim._repr_mimebundle_()
    assert 'id="claim-a-name"' in shown["text/html"]
    assert "Less &lt;is&gt; more." in shown["text/html"]
    assert "Less <is> more." in shown["text/plain"]
    table = claims.table()._repr_mimebundle_()
    assert 'href="#fig-x"' in table["text/html"]
    assert table["text/html"].count("<tr>") == 2
    assert "3 seeds" in table["text/html"]


def test_a_claim_says_what_it_rests_on():
    claims = Claims()
    claim = claims.check("a-name", "A sentence.", holds=True, of="settings", **GOOD)
    for shown in (str(claim), claim._repr_html_(), claims.table()._repr_mimebundle_()["text/html"]):
        assert "3 settings" in shown
        assert "seeds" not in shown


@pytest.mark.parametrize("no", [False, np.False_, torch.tensor(False), np.array(False)])
def test_a_claim_that_does_not_hold_stops_the_run(no):
    claims = Claims()
    with pytest.raises(ClaimFailed, match="a-name: the run does not support this"):
        claims.check("a-name", "More is more.", holds=no, **GOOD)
    with pytest.raises(ValueError, match="no claim has been made"):
        claims.table()


@pytest.mark.parametrize("nonsense", [1, 0.7, None, "yes", [True], torch.ones(2), np.array([True])])
def test_what_is_no_truth_value_is_refused(nonsense):
    with pytest.raises(TypeError, match="holds is"):
        Claims().check("a-name", "A sentence.", holds=nonsense, **GOOD)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"strength": "strong"}, "strength is 'strong'"),
        ({"seeds": 0}, "seeds is 0"),
        ({"measured": ""}, "measured is empty"),
        ({"evidence": ""}, "evidence is empty"),
        ({"of": ""}, "of is empty"),
    ],
)
def test_a_claim_without_its_parts_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Claims().check("a-name", "A sentence.", holds=True, **{**GOOD, **change})


def test_a_name_is_used_once():
    claims = Claims()
    claims.check("a-name", "A sentence.", holds=True, **GOOD)
    with pytest.raises(ValueError, match="a claim of that name was already made"):
        claims.check("a-name", "Another.", holds=True, **GOOD)


def test_a_replication_notes_every_claim_and_none_stops_it(tmp_path, monkeypatch):
    file = tmp_path / "claims.jsonl"
    monkeypatch.setenv(COLLECT, str(file))
    claims = Claims()
    claims.check("first", "Less is more.", holds=False, **GOOD, value=np.float64(0.5))
    claims.check("second", "More is more.", holds=True, **GOOD, value=float("nan"))
    assert [json.loads(line) for line in file.read_text("utf8").splitlines()] == [
        {"claim": "first", "held": False, "measured": "3 of 3", "value": 0.5},
        {"claim": "second", "held": True, "measured": "3 of 3", "value": None},
    ]
    assert len(claims.table().claims) == 2
    with pytest.raises(TypeError, match="holds is"):
        claims.check("third", "A sentence.", holds=1, **GOOD)
