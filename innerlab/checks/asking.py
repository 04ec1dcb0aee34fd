"""Asking an answer for its values: in this process, or in another process that holds no judges.

The *arguments* of one call are described by a small JSON dict, by name, so that both sides can make them:

- ``{"tensor": [[0.5, 1.0]], "dtype": "float64"}``: a tensor of these numbers;
- ``{"agents": "red_doors/plain"}``: an ensemble from the store (:mod:`innerlab.store`);
- ``{"rooms": {"swapped_share": 1.0}, "layouts": 20, "seed": 3}``: drawn by ``innerlab.worlds.red_doors.RedDoors``;
- any other JSON: itself.

A *reply* is a JSON dict too, one for each call: ``value`` (packed, see :mod:`innerlab.checks.values`) and ``changed``
(the names of arguments that the call changed in place), or ``problem`` with ``lesson`` and ``message``.
"""

import contextlib
import hashlib
import json
import os
import queue
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
import torch

from innerlab.checks.values import Misfit, pack, type_name

Arguments = dict[str, Any]
"""Arguments of one call by name, described in JSON."""
Reply = dict[str, Any]


def make(description: Any) -> Any:
    """Builds the argument that a description stands for, anew at each call."""
    if not isinstance(description, dict):
        return description
    if "tensor" in description:
        return torch.tensor(description["tensor"], dtype=getattr(torch, description.get("dtype", "float64")))
    if "agents" in description:
        from innerlab.store import stored

        return stored(description["agents"])
    if "rooms" in description:
        from innerlab.worlds.red_doors import RedDoors

        return RedDoors(**description["rooms"]).sample(description["layouts"], description["seed"])
    return {key: make(part) for key, part in description.items()}


def call(answer: Callable, arguments: Arguments) -> Reply:
    """Calls an answer once and packs its reply; every exception but KeyboardInterrupt becomes a refusal."""
    made = {name: make(part) for name, part in arguments.items()}
    before = {name: _fingerprint(argument) for name, argument in made.items()}
    try:
        value = answer(**made)
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
    reply["changed"] = [name for name, argument in made.items() if _fingerprint(argument) != before[name]]
    return reply


def ask(answer: Any, calls: Sequence[Arguments] | None) -> list[Reply]:
    """Asks an answer in this process.

    Args:
        answer: a function, or a value if there are no calls.
        calls: the arguments of each; None for a value.

    Returns:
        One reply for each call; a single reply for a value.
    """
    if calls is None:
        return [call(lambda: answer, {})]
    if answer is ...:
        return [refusal("not-attempted", "There is still a `...` to fill in.")] * len(calls)
    if not callable(answer):
        return [refusal("wrong-type", f"It is of type {type_name(answer)}, not a function.")] * len(calls)
    return [call(answer, arguments) for arguments in calls]


@dataclass(frozen=True)
class Request:
    """One answer and the calls to make of it, as sent to an answering process.

    Attributes:
        cells: code to run first, as in a notebook; the last cell is the answer's.
        name: the variable that holds the answer.
        calls: the arguments of each, as in :func:`ask`.
        set_up: trusted code, run once in the process, for this request and all later ones.
    """

    cells: tuple[str, ...]
    name: str
    calls: tuple[Arguments, ...] | None
    set_up: tuple[str, ...] = ()

    @property
    def due(self) -> int:
        """How many replies are expected."""
        return 1 if self.calls is None else len(self.calls)


@dataclass(frozen=True)
class Limits:
    """The resources that one request may use.

    Attributes:
        seconds: of wall time, and of processor time for each process; a whole number.
        memory: bytes, for all processes together.
        sent: bytes of replies.
        set_up_seconds: of wall time, for each piece of set-up code.
    """

    seconds: int = 60
    memory: int = 3 * 2**30
    sent: int = 10_000_000
    set_up_seconds: int = 300


class SetUpFailed(Exception):
    """The trusted set-up code failed, before any answer ran."""


class Answering:
    """The answering process, which takes requests one after the other and runs each in a forked copy of itself.

    The process gets code and calls, and no judges. It is started again if an answer kills it. Use this class in a
    ``with`` statement.

    Args:
        command: starts a process that runs :mod:`innerlab.checks.__main__`.
        environment: variables of the answering process; those of this process, unless given.
        limits: of each request.
    """

    def __init__(
        self,
        command: Sequence[str] = (sys.executable, "-P", "-m", "innerlab.checks"),
        environment: dict[str, str] | None = None,
        limits: Limits = Limits(),
    ):
        self.command, self.environment, self.limits = list(command), environment, limits
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._ready: tuple[str, ...] = ()
        self._at_rest = 0
        self._fresh = True
        self._last_words = ""

    def __enter__(self) -> "Answering":
        return self

    def __exit__(self, *exception: object) -> None:
        self._end()

    def ask(self, request: Request) -> list[Reply]:
        """Sends a request and returns exactly one reply for each call.

        Where the process gave no reply, or none that can be read, the reply is a refusal that says why.

        Raises:
            SetUpFailed: if the code in ``request.set_up`` fails, or the process cannot be started.
        """
        try:
            self._prepare(request.set_up)
        except SetUpFailed:
            if self._fresh:
                raise
            # an answer may have done something to the process, which is gone; that must not look like our fault
            self._prepare(request.set_up)
        self._fresh = False
        line, problem = self._exchange(
            {"ask": [request.cells, request.name, request.calls], "limits": asdict(self.limits)},
            PATIENCE * self.limits.seconds + GRACE,
        )
        said = _parsed(line) if problem is None else problem
        if isinstance(said, dict) and set(said) == {"problem"}:
            return [said] * request.due
        if not isinstance(said, dict) or not isinstance(said.get("sent"), str):
            self._end()  # it is no longer the process that was started
            said = {"sent": ""}
        replies = _parsed(said["sent"])
        if not _well_formed(replies, request.due):
            return [refusal("crashed", "What it sent cannot be read.")] * request.due
        return replies

    def _prepare(self, set_up: tuple[str, ...]) -> None:
        """Starts the process if necessary, and runs the set-up code that it has not run yet."""
        if self._process is None or self._process.poll() is not None or set_up[: len(self._ready)] != self._ready:
            self._begin()
        for source in set_up[len(self._ready) :]:
            self._run(source)
            self._ready += (source,)

    def _begin(self) -> None:
        """Starts the process and waits until it is there; one that ends before that is started again.

        No answer has been near it then, and nothing is lost; a class must not go unmarked for it.
        """
        for attempts_left in reversed(range(STARTS)):
            self._start()
            try:
                self._run("")  # says when it is there
                return
            except SetUpFailed as failure:
                if attempts_left == 0 or "ended with exit code" not in str(failure):
                    raise

    def _run(self, source: str) -> None:
        """Runs set-up code in the answering process itself.

        Raises:
            SetUpFailed: if the code raises or takes too long.
        """
        line, problem = self._exchange({"set_up": source}, self.limits.set_up_seconds)
        said = _parsed(line) if problem is None else problem
        if said != "ready":
            self._end()
            last = self._last_words.strip()[-500:]
            raise SetUpFailed(f"What is run before any answer did not run: {said!s:.500}{last and ': ' + last}")
        self._at_rest = max(map(_own_memory, self._family()), default=0)

    def _start(self) -> None:
        self._end()
        try:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,  # of what starts it; before it does anything, it turns to nowhere
                env=self.environment,
                start_new_session=True,
            )
        except OSError as problem:
            raise SetUpFailed(f"{self.command[0]} could not be started: {problem}") from None
        self._lines, self._ready, self._at_rest, self._fresh = queue.Queue(maxsize=4), (), 0, True
        longest = 2 * self.limits.sent + 10_000
        threading.Thread(target=_read_lines, args=(self._process.stdout, self._lines, longest), daemon=True).start()

    @property
    def _started(self) -> subprocess.Popen[bytes]:
        """The answering process, which has been started and not ended."""
        assert self._process is not None
        return self._process

    def _exchange(self, order: dict, seconds: float) -> tuple[bytes, Reply | None]:
        """Sends an order; returns the line that comes back and None, or b"" and a refusal after killing the process."""
        token = secrets.token_hex(8)  # a line without it is not from the one that was asked
        orders = self._started.stdin
        assert orders is not None  # it was started with a pipe
        with contextlib.suppress(OSError):  # a process that has ended is noticed below
            orders.write(json.dumps(order | {"token": token}).encode() + b"\n")
            orders.flush()
        problem, deadline = None, time.monotonic() + seconds
        while problem is None:
            with contextlib.suppress(queue.Empty):
                line = self._lines.get(timeout=0.1)
                if line.startswith(token.encode()) and line.endswith(b"\n"):
                    return line[len(token) :], None
                if not line.endswith(b"\n"):
                    problem = refusal("crashed", self._how_it_ended())
                    break
            if time.monotonic() > deadline:
                problem = refusal("too-slow", f"It took more than {self.limits.seconds} seconds.")
            elif self._memory() > self.limits.memory:
                problem = refusal("crashed", f"It used more than {self.limits.memory / 2**30:.1f} GiB of memory.")
        self._end()
        return b"", problem

    def _how_it_ended(self) -> str:
        try:
            return f"The process ended with exit code {self._started.wait(5)}."
        except subprocess.TimeoutExpired:
            return "It stopped answering."

    def _memory(self) -> int:
        """Bytes of memory of the answering process and its descendants, less what each needs at rest."""
        return sum(max(0, _own_memory(process) - self._at_rest) for process in self._family())

    def _family(self) -> list[psutil.Process]:
        """The answering process and its descendants; empty if it has exited."""
        try:
            first = psutil.Process(self._started.pid)
            return [first, *first.children(recursive=True)]
        except psutil.Error:
            return []

    def _end(self) -> None:
        """Kills the answering process and its descendants."""
        if self._process is None:
            return
        for process in self._family():
            with contextlib.suppress(psutil.Error):
                process.kill()
        with contextlib.suppress(OSError):  # it may have ended by itself
            os.killpg(self._process.pid, signal.SIGKILL) if hasattr(os, "killpg") else self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):  # what it has not read is lost
            if self._process.stdin is not None:
                self._process.stdin.close()
        if self._process.stderr is not None:
            self._last_words = _what_is_there(self._process.stderr)
        self._process = None


STARTS = 3
"""how often a process is started that ends before it is there"""
PATIENCE = 3
"""times the seconds that an answer may take if it did not get the processor for half of them"""
GRACE = 10
"""seconds by which a process may be late before it is ended from outside"""


def ask_elsewhere(
    requests: Sequence[Request],
    seconds: int = 60,
    command: Sequence[str] | None = None,
    environment: dict[str, str] | None = None,
) -> list[list[Reply]]:
    """Asks some requests in one answering process, which is ended afterwards.

    Args:
        requests: asked one after the other.
        seconds: of wall time for each request.
        command: as for :class:`Answering`.
        environment: as for :class:`Answering`.

    Returns:
        The replies of each request.

    Raises:
        SetUpFailed: as :meth:`Answering.ask`.
    """
    others = {} if command is None else {"command": command}
    with Answering(environment=environment, limits=Limits(seconds=seconds), **others) as process:
        return [process.ask(request) for request in requests]


def _what_is_there(stream: Any) -> str:
    """What has been written to a pipe, without waiting for more, where the system can do that; then it is closed."""
    with stream:
        if not hasattr(os, "set_blocking") or os.name == "nt":
            return ""
        os.set_blocking(stream.fileno(), False)
        return (stream.read(2**16) or b"").decode(errors="replace")


def _read_lines(stream: Any, lines: queue.Queue, longest: int) -> None:
    """Puts the lines of a stream into a queue until the stream ends or a line exceeds ``longest`` bytes."""
    with stream:
        while (line := stream.readline(longest)).endswith(b"\n"):
            lines.put(line)
    lines.put(b"")


def _own_memory(process: psutil.Process) -> int:
    """Bytes of memory of a process that are not backed by files; 0 if it has exited."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
        return 1024 * sum(int(size) for size in re.findall(r"^Rss(?:Anon|Shmem):\s+(\d+) kB", status, re.MULTILINE))
    except OSError:  # gone, or another system
        pass
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0


def _parsed(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _well_formed(replies: Any, calls: int) -> bool:
    is_list = isinstance(replies, list) and len(replies) == calls
    return is_list and all(isinstance(reply, dict) for reply in replies)


def refusal(lesson: str, message: str) -> Reply:
    """A reply without a value: the name of the lesson, and a message that says why."""
    return {"problem": {"lesson": lesson, "message": message}}


def in_one_line(error: BaseException) -> str:
    """An exception as one line of text, with the number of the cell's line that raised it."""
    try:
        said = f"{type_name(error)}: {str(error).partition(chr(10))[0][:200]}"
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if _is_cell(frame.filename)]
        return f"{said} (line {lines[-1]} of the cell)" if lines else said
    except KeyboardInterrupt:
        raise
    except BaseException:  # an exception may be hostile, too
        return "an exception that cannot be shown"


def _is_cell(filename: str) -> bool:
    """Whether a file name is that of a notebook's cell: IPython's, Colab's, or the answering process's."""
    return "ipykernel_" in filename or filename.startswith(("<ipython-input", "<cell"))


def _fingerprint(argument: Any) -> Any:
    """A digest of an argument: equal if, and only if, the argument holds the same numbers."""
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
