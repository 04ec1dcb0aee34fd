"""The verdict as a learner sees it: the same words as text and as HTML, without scripts or outside styles."""

from dataclasses import dataclass
from html import escape

from innerlab.checks.asking import make
from innerlab.checks.judging import NOT_ATTEMPTED, NOT_YET, PASSED, Verdict

HEADS = {PASSED: "✓ Passed", NOT_YET: "✗ Not yet", NOT_ATTEMPTED: "○ Not attempted"}
VERBATIM, MONOSPACE = ("input", "came back"), "font-family:monospace"  # rooms are drawn in columns
EDGES = {PASSED: "#2e8b57", NOT_YET: "#d9534f", NOT_ATTEMPTED: "#8a8a8a"}


def sendable(text: str) -> str:
    """Text without lone surrogates, which no notebook file can hold."""
    return text.encode(errors="backslashreplace").decode()


def _box(edge: str, head: str, rows: list[tuple[str, str]]) -> str:
    """A box as HTML: its colors are the page's, its left edge has the color given."""
    lines = "".join(
        f"<div style='margin-top:.3em'>{f'<b>{escape(label)}:</b> ' if label else ''}"
        f"<span style='white-space:pre-wrap;overflow-wrap:anywhere;{MONOSPACE if label in VERBATIM else ''}'>"
        f"{escape(text)}</span></div>"
        for label, text in rows
    )
    style = f"border-left:.35em solid {edge};padding:.4em .8em;margin:.3em 0"
    return f"<div style='{style}'><b>{escape(head)}</b>{lines}</div>"


def _text(head: str, rows: list[tuple[str, str]]) -> str:
    lines = "\n".join(f"{label}: {text}" if label else text for label, text in rows)
    return "\n".join([head, *(f"  {line}" for line in lines.splitlines())])


@dataclass(frozen=True, repr=False)
class Card:
    """A verdict to be shown.

    Attributes:
        verdict: what came out.
    """

    verdict: Verdict

    @property
    def inputs(self) -> dict:
        """The arguments of the call that failed, by name, for use in the notebook; empty if no call failed."""
        return {name: make(part) for name, part in self.verdict.arguments.items()}

    def _rows(self) -> list[tuple[str, str]]:
        verdict = self.verdict
        if verdict.state == NOT_ATTEMPTED:
            todo = "Fill in the `...` above, run that cell and then this one."
            return [("", verdict.remark), ("", todo)] if verdict.remark else [("", todo)]
        if verdict.lesson is None:
            return [("", sendable(verdict.remark))] if verdict.remark else []
        lesson = verdict.lesson
        rows = [
            ("input", verdict.shown),
            ("all of it", "in `_.inputs`, until the next cell is run" if verdict.arguments else ""),
            ("came back", verdict.returned),
            ("what is wrong", lesson.violates),
            ("look at", lesson.suggests),
            ("read again", lesson.see),
        ]
        return [(label, sendable(text)) for label, text in rows if text]

    def __repr__(self) -> str:
        return _text(f"{HEADS[self.verdict.state]}: {self.verdict.exercise}", self._rows())

    def _repr_html_(self) -> str:
        verdict = self.verdict
        return _box(EDGES[verdict.state], f"{HEADS[verdict.state]}: {verdict.exercise}", self._rows())


@dataclass(frozen=True, repr=False)
class Summary:
    """How many of a notebook's exercises are done, to be shown.

    Attributes:
        states: of each exercise, "passed", "not yet", "not attempted", or None if its check has not been run.
        written: how many answers a person marks.
    """

    states: dict[str, str | None]
    written: int

    def _head(self) -> str:
        passed = sum(state == PASSED for state in self.states.values())
        head = f"{passed} of {len(self.states)} visible checks"
        if self.written:
            plural = "answers are" if self.written > 1 else "answer is"
            head += f"; {self.written} written {plural} marked by a person"
        return head

    def _rows(self) -> list[tuple[str, str]]:
        groups = (
            ("not yet", [name for name, state in self.states.items() if state == NOT_YET]),
            ("not attempted", [name for name, state in self.states.items() if state == NOT_ATTEMPTED]),
            ("not run", [name for name, state in self.states.items() if state is None]),
        )
        return [(label, ", ".join(names)) for label, names in groups if names]

    def __repr__(self) -> str:
        return _text(self._head(), self._rows())

    def _repr_html_(self) -> str:
        complete = all(state == PASSED for state in self.states.values())
        return _box(EDGES[PASSED if complete else NOT_ATTEMPTED], self._head(), self._rows())
