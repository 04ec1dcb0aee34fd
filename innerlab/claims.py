"""Claims as code: a sentence, what was measured, and a test that stops the run when they part.

A chapter makes one :class:`Claims` and calls :meth:`Claims.check` where its evidence is. A claim that does not hold
raises, so that neither the book nor its tests can be built on prose that has stopped being true.

A replication of a chapter wants to know of all its claims which hold. It sets the environment variable
``INNERLAB_CLAIMS`` to a file: every claim is then noted there, one JSON object a line, and none stops the run.
"""

import json
import os
from dataclasses import asdict, dataclass
from html import escape

import numpy as np
import torch

CLAIMS_TYPE = "application/vnd.innerlab.claims+json"  # a table's claims for programs, such as the page of all evidence
COLLECT = "INNERLAB_CLAIMS"
STRENGTHS = {
    "solid": "holds over many seeds, against its control, with room to spare; in 19 of 20 replications or more",
    "thin": "holds on few seeds, by a small margin or in one setting only; in 15 of 20 replications or more",
    "provisional": "holds in this run; we would not be surprised to see it go",
    "identity": "true by construction, by a theorem or by definition: it checks the code",
}


class ClaimFailed(AssertionError):
    """A claim that its evidence does not support."""


@dataclass(frozen=True)
class Claim:
    """One claim that held; shows itself as a card.

    Attributes:
        name: short, in lower case with hyphens; unique in its chapter.
        sentence: what is claimed, as a reader would say it.
        measured: what was found, with its interval.
        seeds: how many independently trained networks (or other draws) it rests on.
        strength: one of ``STRENGTHS``.
        evidence: the name of the figure that shows it.
        of: what was counted in the place of seeds, where nothing was drawn or trained: settings, plans, starts.
        value: what was measured, where that is one number (None also stands for one that is not finite): the page of
            evidence draws it for every replication.
    """

    name: str
    sentence: str
    measured: str
    seeds: int
    strength: str
    evidence: str
    of: str = "seeds"
    value: float | None = None

    def __str__(self) -> str:
        return f"Claim ({self.strength}, {self.seeds} {self.of}): {self.sentence}\nMeasured: {self.measured}"

    def _repr_html_(self) -> str:
        return (
            f'<div class="innerlab-claim" id="claim-{escape(self.name)}">'
            f'<p class="claim-statement"><strong>Claim.</strong> {escape(self.sentence)}</p>'
            f'<p class="claim-measured">{escape(self.measured)}</p>'
            f'<p class="claim-basis">{self.seeds} {escape(self.of)}, '
            f'<span class="claim-strength" data-strength="{self.strength}">{self.strength}</span></p></div>'
        )

    def _repr_mimebundle_(self, **_) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self._repr_html_()}


class Claims:
    """The claims of one chapter, in the order in which they were checked."""

    def __init__(self):
        self._claims: dict[str, Claim] = {}

    def check(
        self,
        name: str,
        sentence: str,
        *,
        holds: bool,
        measured: str,
        seeds: int,
        strength: str,
        evidence: str,
        of: str = "seeds",
        value: float | None = None,
    ) -> Claim:
        """Records a claim if it holds and stops the run if it does not. Fields as in :class:`Claim`.

        In a replication (see the module) it notes the claim either way, and goes on.

        Args:
            name: see :class:`Claim`.
            sentence: see :class:`Claim`.
            holds: the test, a single truth value computed from the run.
            measured: see :class:`Claim`.
            seeds: see :class:`Claim`.
            strength: see :class:`Claim`.
            evidence: see :class:`Claim`.
            of: see :class:`Claim`.
            value: see :class:`Claim`.

        Raises:
            ClaimFailed: if ``holds`` is false, but for a replication.
            TypeError: if ``holds`` is no truth value: a number or a list of them would always look true.
            ValueError: if a name comes twice, a text is empty, the seeds are none or the strength is not known.
        """
        if isinstance(holds, (torch.Tensor, np.ndarray, np.generic)) and np.ndim(holds) == 0:
            holds = holds.item()
        if not isinstance(holds, bool):
            raise TypeError(f"holds is {holds!r}; True or False was expected")
        if name in self._claims:
            raise ValueError(f"name is {name!r}, and a claim of that name was already made")
        for field, text in (
            ("name", name),
            ("sentence", sentence),
            ("measured", measured),
            ("evidence", evidence),
            ("of", of),
        ):
            if not text:
                raise ValueError(f"{field} is empty")
        if seeds < 1:
            raise ValueError(f"seeds is {seeds}; a claim rests on at least one")
        if strength not in STRENGTHS:
            raise ValueError(f"strength is {strength!r}; one of {tuple(STRENGTHS)} was expected")
        number = None if value is None or not np.isfinite(value) else float(value)
        claim = Claim(name, sentence, measured, int(seeds), strength, evidence, of, number)
        if path := os.environ.get(COLLECT):
            with open(path, "a", encoding="utf-8") as file:
                file.write(
                    json.dumps({"claim": name, "held": holds, "measured": measured, "value": claim.value}) + "\n"
                )
        elif not holds:
            raise ClaimFailed(f"{name}: the run does not support this.\n{claim}")
        self._claims[name] = claim
        return claim

    def table(self) -> "ClaimsTable":
        """All claims made so far, to close the chapter with.

        Raises:
            ValueError: if there is none.
        """
        if not self._claims:
            raise ValueError("no claim has been made yet")
        return ClaimsTable(tuple(self._claims.values()))


@dataclass(frozen=True)
class ClaimsTable:
    """A chapter's claims as a table, each with a link to its evidence; for programs, as a list of their fields."""

    claims: tuple[Claim, ...]

    def _repr_mimebundle_(self, **_) -> dict[str, str | list[dict[str, str | int]]]:
        head = "".join(f'<th scope="col">{title}</th>' for title in ("claim", "measured", "rests on", "strength"))
        rows = "".join(
            f'<tr><td><a href="#{escape(c.evidence)}">{escape(c.sentence)}</a></td><td>{escape(c.measured)}</td>'
            f"<td>{c.seeds} {escape(c.of)}</td>"
            f'<td><span class="claim-strength" data-strength="{c.strength}">{c.strength}</span></td></tr>'
            for c in self.claims
        )
        html = f'<table class="innerlab-claims"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        return {
            "text/html": html,
            "text/plain": "\n\n".join(map(str, self.claims)),
            CLAIMS_TYPE: [asdict(claim) for claim in self.claims],
        }
