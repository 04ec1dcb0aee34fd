"""Asking an answer for its values: in this process, or in another one that sees no judge.

A *recipe* is a small JSON dict that says how to make the arguments of one call, so that both sides can make them:

- ``{"tensor": [[0.5, 1.0]], "dtype": "float64"}``: a tensor of these numbers;
- ``{"agents": "red-doors/plain"}``: an ensemble from the store (:mod:`innerlab.agents`);
- ``{"rooms": {"swapped_share": 1.0}, "layouts": 20, "seed": 3}``: rooms drawn by :class:`innerlab.worlds.RedDoors`;
- any other JSON: itself.

A *reply* is a JSON dict too, one for each call: ``value`` (packed, see :mod:`innerlab.checks.values`) and ``changed``
(the names of arguments that the call changed in place), or ``problem`` with ``lesson`` and ``message``.
"""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from innerlab.checks.values import Misfit, pack, type_name

Recipe = dict[str, Any]
Reply = dict[str, Any]
MOST_SENT = 200_000_000
"""how many bytes of replies are read from another process; one that sends more is ended"""


def make(recipe: Any) -> Any:
    """The argument that a part of a recipe describes; a new one at each call."""
    if not isinstance(recipe, dict):
        return recipe
    if "tensor" in recipe:
        return torch.tensor(recipe["tensor"], dtype=getattr(torch, recipe.get("dtype", "float64")))
    if "agents" in recipe:
        from innerlab.agents import stored

        return stored(recipe["agents"])
    if "rooms" in recipe:
        from innerlab.worlds import RedDoors

        return RedDoors(**recipe["rooms"]).sample(recipe["layouts"], recipe["seed"])
    return {key: make(part) for key, part in recipe.items()}


def call(answer: Callable, recipe: Recipe) -> Reply:
    """What a function that is an answer replies to one call. Raises nothing but KeyboardInterrupt."""
    arguments = {name: make(part) for name, part in recipe.items()}
    before = {name: _fingerprint(argument) for name, argument in arguments.items()}
    try:
        value = answer(**arguments)
    except NotImplementedError:
        return refusal("not-attempted", "It raises NotImplementedError.")
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit, and whatever else an answer may think of
        said = in_one_line(error)
        unfilled = type(error) is TypeError and "ellipsis" in said
        return refusal("not-attempted" if unfilled else "raises", said)
    try:
        reply = {"value": pack(value)}
    except Misfit as misfit:
        return refusal(misfit.lesson, str(misfit))
    except Exception as error:  # hostile objects may raise anything when looked at
        return refusal("wrong-type", f"It cannot be read as plain data ({type(error).__name__}).")
    reply["changed"] = [name for name, argument in arguments.items() if _fingerprint(argument) != before[name]]
    return reply


def ask(answer: Any, recipes: Sequence[Recipe] | None) -> list[Reply]:
    """The replies of an answer in this process: one for each recipe, or one if it is a value (no recipes)."""
    if recipes is None:
        return [call(lambda: answer, {})]
    if answer is ...:
        return [refusal("not-attempted", "There is still a `...` to fill in.")] * len(recipes)
    if not callable(answer):
        return [refusal("wrong-type", f"It is of type {type_name(answer)}, not a function.")] * len(recipes)
    return [call(answer, recipe) for recipe in recipes]


@dataclass(frozen=True)
class Request:
    """What a process of its own is asked.

    Attributes:
        cells: code to run first: what sets up, and the answer.
        name: the variable that holds the answer.
        recipes: as in :func:`ask`.
    """

    cells: tuple[str, ...]
    name: str
    recipes: tuple[Recipe, ...] | None

    @property
    def calls(self) -> int:
        """How many replies are due."""
        return 1 if self.recipes is None else len(self.recipes)


def ask_elsewhere(
    requests: Sequence[Request],
    seconds: float = 60.0,
    command: Sequence[str] = (sys.executable, "-m", "innerlab.checks"),
    environment: dict[str, str] | None = None,
) -> list[list[Reply]]:
    """The replies of answers in one process of their own, which is given code and recipes and nothing to judge by.

    Answers in one process are not shielded from one another; ask strangers' answers one by one.

    Args:
        requests: each is answered in a namespace of its own.
        seconds: after which the process is ended.
        command: starts a process that runs :mod:`innerlab.checks.__main__`.
        environment: of that process; this one's, unless given.

    Returns:
        For each request as many replies as calls, whatever the process did: where it ended early, took too long or
        sent something else, each reply says so.
    """
    lines = "".join(json.dumps(asdict(request)) + "\n" for request in requests)
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as answered:  # files never block, pipes may
        asked.write(lines.encode())
        asked.seek(0)
        process = subprocess.Popen(
            list(command),
            stdin=asked,
            stdout=answered,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        missing = _waited(process, seconds, lambda: os.fstat(answered.fileno()).st_size)
        answered.seek(0)
        sent = answered.read(MOST_SENT).decode("utf-8", errors="replace").split("\n")
    return [
        _received(sent[number] if number < len(sent) else "", request) or [missing] * request.calls
        for number, request in enumerate(requests)
    ]


def _waited(process: subprocess.Popen, seconds: float, sent: Callable[[], int]) -> Reply:
    """Waits for a process, ends it and those it has started, and returns the reply that stands for missing ones."""
    deadline = time.monotonic() + seconds
    try:
        while sent() <= MOST_SENT:
            try:
                code = process.wait(min(0.05, max(0.0, deadline - time.monotonic())))
                return refusal("crashed", f"The process ended with exit code {code}.")
            except subprocess.TimeoutExpired:
                if time.monotonic() >= deadline:
                    return refusal("too-slow", f"It took more than {seconds:g} seconds.")
        return refusal("crashed", "The process sent more than can be read.")
    finally:
        with contextlib.suppress(OSError):  # they may have ended by themselves
            os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()
        process.wait()


def _received(line: str, request: Request) -> list[Reply] | None:
    """The replies in a line that a process has sent; None if it does not hold what is due."""
    try:
        replies = json.loads(line)
    except (ValueError, RecursionError):
        return None
    well_formed = isinstance(replies, list) and len(replies) == request.calls
    return replies if well_formed and all(isinstance(reply, dict) for reply in replies) else None


def refusal(lesson: str, message: str) -> Reply:
    """A reply that says why there is no value."""
    return {"problem": {"lesson": lesson, "message": message}}


def in_one_line(error: BaseException) -> str:
    """An exception, with the number of the last line of a cell that it passed through."""
    try:
        said = f"{type_name(error)}: {str(error).partition(chr(10))[0][:200]}"
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if _is_cell(frame.filename)]
        return f"{said} (line {lines[-1]} of the cell)" if lines else said
    except KeyboardInterrupt:
        raise
    except BaseException:  # an exception may be hostile, too
        return "an exception that cannot be shown"


def _is_cell(filename: str) -> bool:
    """Whether code came from a cell: IPython's file names, Colab's, and those given in :func:`main`."""
    return "ipykernel_" in filename or filename.startswith(("<ipython-input", "<cell"))


def _fingerprint(argument: Any) -> Any:
    """What tells whether an argument has been changed: equal if, and only if, it holds the same numbers."""
    try:
        if isinstance(argument, torch.nn.Module):
            return {name: _fingerprint(tensor) for name, tensor in argument.state_dict().items()}
        if hasattr(argument, "__dataclass_fields__"):
            return {name: _fingerprint(getattr(argument, name)) for name in argument.__dataclass_fields__}
        if type(argument) in (torch.Tensor, torch.nn.Parameter):  # an ensemble's may be too large to be packed
            array = argument.detach().numpy()
            return array.shape, array.dtype.name, hashlib.sha256(array.tobytes()).hexdigest()
        return json.dumps(pack(argument))  # as text, since NaN does not equal itself
    except Exception:  # an answer may have put anything into it
        return "unreadable"
