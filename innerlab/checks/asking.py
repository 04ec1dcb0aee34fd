"""Asking an answer for its values: in this process, or in another one that sees no judge.

A *recipe* is a small JSON dict that says how to make the arguments of one call, so that both sides can make them:

- ``{"tensor": [[0.5, 1.0]], "dtype": "float64"}``: a tensor of these numbers;
- ``{"agents": "red-doors/plain"}``: an ensemble from the store (:mod:`innerlab.agents`);
- ``{"rooms": {"swapped_share": 1.0}, "layouts": 20, "seed": 3}``: rooms drawn by :class:`innerlab.worlds.RedDoors`;
- any other JSON: itself.

A *reply* is a JSON dict too, one for each call: ``value`` (packed, see :mod:`innerlab.checks.values`) and ``changed``
(the names of arguments that the call changed in place), or ``problem`` with ``lesson`` and ``message``.
"""

import json
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from innerlab.checks.values import Misfit, pack

Recipe = dict[str, Any]
Reply = dict[str, Any]


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
    """What a function that is an answer replies to one call. Never raises, whatever the answer does."""
    arguments = {name: make(part) for name, part in recipe.items()}
    before = {name: _packed(argument) for name, argument in arguments.items()}
    try:
        value = answer(**arguments)
    except NotImplementedError:
        return refusal("not-attempted", "It raises NotImplementedError.")
    except (Exception, SystemExit) as error:
        said = in_one_line(error)
        unfilled = type(error) is TypeError and "ellipsis" in said
        return refusal("not-attempted" if unfilled else "raises", said)
    try:
        reply = {"value": pack(value)}
    except Misfit as misfit:
        return refusal(misfit.lesson, str(misfit))
    except Exception as error:  # hostile objects may raise anything when looked at
        return refusal("wrong-type", f"It cannot be read as plain data ({type(error).__name__}).")
    reply["changed"] = [name for name, argument in arguments.items() if _packed(argument) != before[name]]
    return reply


def ask(answer: Any, recipes: Sequence[Recipe] | None) -> list[Reply]:
    """The replies of an answer in this process: one for each recipe, or one if it is a value (no recipes)."""
    if recipes is None:
        return [call(lambda: answer, {})]
    if answer is ...:
        return [refusal("not-attempted", "There is still a `...` to fill in.")] * len(recipes)
    if not callable(answer):
        return [refusal("wrong-type", f"It is of type {type(answer).__name__}, not a function.")] * len(recipes)
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
    try:
        done = subprocess.run(
            list(command), input=lines.encode(), capture_output=True, timeout=seconds, env=environment, check=False
        )
        output, missing = done.stdout, refusal("crashed", f"The process ended with exit code {done.returncode}.")
    except subprocess.TimeoutExpired as late:
        output, missing = late.stdout or b"", refusal("too-slow", f"It took more than {seconds:g} seconds.")
    sent = output.decode("utf-8", errors="replace").splitlines()
    return [
        _received(sent[number] if number < len(sent) else "", request) or [missing] * request.calls
        for number, request in enumerate(requests)
    ]


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
        said = f"{type(error).__name__}: {str(error).partition(chr(10))[0][:200]}"
    except Exception:  # an exception may be hostile, too
        return "an exception that cannot be shown"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if _is_cell(frame.filename)]
    return f"{said} (line {lines[-1]} of the cell)" if lines else said


def _is_cell(filename: str) -> bool:
    """Whether code came from a cell: IPython's file names, Colab's, and those given in :func:`main`."""
    return "ipykernel_" in filename or filename.startswith(("<ipython-input", "<cell"))


def _packed(argument: Any) -> Any:
    """An argument for comparison; whatever cannot be packed, such as an ensemble, by its tensors."""
    try:
        if isinstance(argument, torch.nn.Module):
            return {name: pack(tensor) for name, tensor in argument.state_dict().items()}
        if hasattr(argument, "__dataclass_fields__"):
            return {name: pack(getattr(argument, name)) for name in argument.__dataclass_fields__}
        return pack(argument)
    except Misfit:
        return "unreadable"
