"""Runs chapters again on seeds nobody has looked at: `python run.py replicate [CHAPTER...] [--times 20]`.

Every run is on file at once (see `replications`), so that one that was interrupted goes on where it stopped.  A claim
that does not hold ends no run, nor does a cell that fails; claims that were then never reached have not held.

With `--trial` nothing is filed, and the shifts are others: an author tries on them, and never on those that are filed.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path

from tqdm import tqdm

from innerlab.claims import COLLECT
from innerlab.seeds import SHIFT

from . import replications
from .execution import ANSI, Book, Run, surroundings
from .replications import ChapterSource, ClaimSource

TOLD = 5  # failures of one claim that are printed


def main(arguments: Sequence[str] | None = None) -> int:
    """Replicate chapters of the book in this folder; return 1 if a claim does not bear its grade, else 0."""
    root = Path.cwd()
    parser = argparse.ArgumentParser(prog="run.py replicate", description=__doc__.partition("\n")[0])
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER", help="a page's name, such as optimizer; none: all")
    number = parser.add_mutually_exclusive_group()
    number.add_argument("--times", type=int, default=replications.TIMES, help="replications that each claim shall have")
    number.add_argument("--more", type=int, default=0, help="so many more, however many there are")
    parser.add_argument("--list", action="store_true", help="only print the names of all chapters with claims, as JSON")
    parser.add_argument(
        "--trial",
        type=int,
        nargs="?",
        const=1,
        metavar="SHIFT",
        help="only try, from this shift on (1), and file nothing",
    )
    asked = parser.parse_args(arguments)
    book = Book.from_folder(root)
    sources = [(path, ChapterSource(name, notebook, book)) for name, path, notebook in book.notebooks()]
    found = {source.name: (path, source) for path, source in sources if source.claims}
    if asked.list:
        print(json.dumps(list(found)))
        return 0
    if unknown := set(asked.chapters) - set(found):
        parser.error(f"no chapter with claims is called {', '.join(sorted(unknown))}; there are {', '.join(found)}")
    for option, least in (("times", 1), ("more", 0)):
        if getattr(asked, option) < least:
            parser.error(f"argument --{option}: {getattr(asked, option)} is less than {least}")
    if asked.trial is not None and not 0 < asked.trial <= replications.FILED_FROM - asked.times:
        parser.error(f"argument --trial: shifts to try are 1 to {replications.FILED_FROM - 1}")
    chosen = {name: found[name] for name in asked.chapters or found}

    filed = replications.read(root)
    jobs = [
        (name, shift)
        for name, (_, source) in chosen.items()
        for shift in (
            range(asked.trial, asked.trial + asked.times)
            if asked.trial is not None
            else shifts_wanted(source, filed, asked.times, asked.more)
        )
    ]
    lines = []
    with tqdm(total=len(jobs), unit="replication", disable=None, file=sys.stdout) as bar:
        for line in executed(book, chosen, jobs):
            if asked.trial is None:
                file(root, line)
            lines.append(line)
            bar.update()
            missed = [name for name, said in line["claims"].items() if not said["held"]]
            bar.write(
                f"{line['chapter']}, shift {line['shift']}, {line['seconds']:.0f} s: "
                + (", ".join(missed) or "all held")
            )
    if asked.trial is None:
        lines = replications.read(root)
    good = [report(source, lines) for _, source in chosen.values()]
    return 0 if all(good) else 1


def shifts_wanted(source: ChapterSource, filed: list[dict], times: int, more: int) -> range:
    """Return so many more unused shifts; for 0, those that give every claim of a chapter `times` replications."""
    there = min(standing.times for standing in source.standings(filed).values())
    first = replications.unused_shift(filed, source.name)
    return range(first, first + (more or max(0, times - there)))


def executed(book: Book, chosen: dict[str, tuple[Path, ChapterSource]], jobs: list[tuple[str, int]]) -> Iterator[dict]:
    """Execute chapters on shifts, one on every core; yield what is to be filed of each, as they end."""
    runs: list[Run] = []
    # Before any thread starts: Python 3.11 cannot parse in two at once.
    about = {name: {"code": source.code, "laboratory": source.laboratory} for name, (_, source) in chosen.items()}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:

        def one(name: str, shift: int) -> dict:
            path, source = chosen[name]
            noted = Path(folder, f"{name.replace('/', '-')}-{shift}.jsonl")
            variables = {SHIFT: str(shift), COLLECT: str(noted)}
            run = Run(name, path, source.notebook, book.timeout, variables=variables, allow_errors=True, processes=1)
            runs.append(run)
            run.execute()
            return {
                "chapter": name,
                "shift": shift,
                "date": datetime.now(UTC).date().isoformat(),
                **about[name],
                **surroundings(),
                "seconds": round(run.seconds, 1),
                "claims": noted_claims(noted, source.claims),
                "broken": list(broken(run)),
            }

        pool = ThreadPoolExecutor(os.cpu_count() or 1)
        try:
            for future in as_completed([pool.submit(one, *job) for job in jobs]):
                yield future.result()
        finally:  # after Ctrl-C: start nothing more, and end the kernels
            pool.shutdown(wait=False, cancel_futures=True)
            for run in runs:
                run.kill()


def noted_claims(noted: Path, claims: list[ClaimSource]) -> dict[str, dict]:
    """Return what a run noted of every claim: its key, whether it held and what was measured."""
    said = [json.loads(line) for line in noted.read_text(encoding="utf-8").splitlines()] if noted.is_file() else []
    known = {one.pop("claim"): one for one in said}
    unreached = {"held": False, "measured": "never reached", "value": None}
    return {claim.name: {"key": claim.key} | known.get(claim.name, unreached) for claim in claims}


def broken(run: Run) -> Iterator[str]:
    """Say which cells raised though they must not, and what stopped the whole."""
    lines = run.notebook.metadata.get("source_map", [])
    for index, cell in enumerate(run.notebook.cells):
        if cell.cell_type != "code" or "raises-exception" in cell.metadata.get("tags", []):
            continue
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"line {lines[index] + 1}: {output.ename}: {ANSI.sub('', output.evalue)}"
    if run.failure:
        yield run.failure


def file(root: Path, line: dict) -> None:
    """Add a line to what is on file."""
    with open(root / replications.FILE, "a", encoding="utf-8") as opened:
        opened.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")


def report(source: ChapterSource, lines: list[dict]) -> bool:
    """Print which claims of a chapter failed, how often and by how much; tell whether all held as they should."""
    lines = source.filed(lines)
    standings = source.standings(lines)
    print(f"\n{source.name}: {len(lines)} replications of this code")
    good = True
    for claim in source.claims:
        standing = standings[claim.name]
        enough = standing.holds_as(claim.strength)
        good &= enough
        if standing.held == standing.times:
            continue
        verdict = "" if enough else f": too few for {claim.strength!r}"
        print(f"  {claim.name} ({claim.strength}) held in {standing.held} of {standing.times}{verdict}")
        failures = [
            (line["shift"], line["claims"][claim.name]["measured"])
            for line in lines
            if line["claims"].get(claim.name, {}).get("key") == claim.key and not line["claims"][claim.name]["held"]
        ]
        for shift, measured in failures[:TOLD]:
            print(f"      shift {shift}: {measured}")
        if len(failures) > TOLD:
            print(f"      and {len(failures) - TOLD} more")
    for line in lines:
        for problem in line["broken"]:
            good = False
            print(f"  shift {line['shift']}: {problem}")
    if good:
        print("  every claim held as often as its grade promises")
    return good


if __name__ == "__main__":
    sys.exit(main())
