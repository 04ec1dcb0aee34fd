"""A process that answers: ``python -m innerlab.checks`` runs cells and sends back what the answer in them replies.

Each line of its standard input is an order, and each gets a line in return. ``{"set_up": code}`` is run here;
``{"ask": [cells, name, recipes], "limits": ...}`` (:class:`innerlab.checks.asking.Request`) in a copy of this process
that ends with it, so that no answer sees what another has done. It knows no exercise and judges nothing.
"""

import contextlib
import ctypes
import json
import os
import re
import select
import signal
import sys
import time
from typing import Any

from innerlab.checks.asking import Reply, Request, ask, in_one_line, refusal

ALONE = "INNERLAB_ALONE"
"""set where this process and those it starts have all process numbers to themselves"""


def replies_to(request: Request, namespace: dict[str, Any]) -> list[Reply]:
    """The replies of one answer. Its cells run as in a notebook: one that raises does not undo what it has named."""
    problem = NameError(f"name {request.name!r} is not defined")
    for number, cell in enumerate(request.cells):
        try:
            exec(compiled(cell, f"<cell {number}>"), namespace)
        except BaseException as error:
            problem = error
    if request.name not in namespace:
        return [refusal("raises", in_one_line(problem))] * request.calls
    return ask(namespace[request.name], request.recipes)


def compiled(cell: str, filename: str) -> Any:
    """A cell's code; lines of IPython's own, such as ``%%time``, do nothing."""
    try:
        return compile(cell, filename, "exec")
    except SyntaxError:
        return compile(re.sub(r"^(\s*)[%!].*$", r"\1pass", cell, flags=re.MULTILINE), filename, "exec")


def in_a_copy(request: Request, namespace: dict[str, Any], limits: dict[str, int], hidden: list[int]) -> dict:
    """What a copy of this process sends, as text, or the problem that kept it from sending.

    Args:
        request: what to ask.
        namespace: in which its cells run.
        limits: as in :class:`innerlab.checks.asking.Limits`.
        hidden: descriptors that the copy is not to have.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            for descriptor in (reading, *hidden):
                os.close(descriptor)
            os.setsid()
            _limit(limits)
            _send(writing, json.dumps(replies_to(request, namespace)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    try:
        return _received(reading, child, limits)
    finally:
        _end_all(child)
        os.close(reading)


def _received(reading: int, child: int, limits: dict[str, int]) -> dict:
    """Reads until the copy has ended, has sent too much or has taken too long."""
    deadline, sent, code, is_open = time.monotonic() + limits["seconds"], bytearray(), None, True
    while code is None or is_open:
        if time.monotonic() > deadline:
            return refusal("too-slow", f"It took more than {limits['seconds']} seconds.")
        had_ended = code is not None
        if not had_ended:
            ended, status = os.waitpid(child, os.WNOHANG)
            code = os.waitstatus_to_exitcode(status) if ended else None
        if is_open and select.select([reading], [], [], 0.02)[0]:
            chunk = os.read(reading, 2**16)
            sent += chunk
            is_open = bool(chunk)
        elif had_ended:
            break  # another process holds the pipe open
        elif not is_open:
            time.sleep(0.01)
        if len(sent) > limits["sent"]:
            return refusal("crashed", f"It sent more than {limits['sent']:,} bytes.")
    if code == -getattr(signal, "SIGXCPU", 0):
        return refusal("too-slow", f"It took more than {limits['seconds']} seconds of processor time.")
    if code != 0 or not sent:
        return refusal("crashed", f"It ended with {f'signal {-code}' if code < 0 else f'exit code {code}'}.")
    return {"sent": sent.decode(errors="replace")}


def _limit(limits: dict[str, int]) -> None:
    import resource  # Windows has none, nor copies

    for kind, most in (
        (resource.RLIMIT_CPU, limits["seconds"]),
        (resource.RLIMIT_AS, limits["memory"]),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # macOS does not limit memory
            resource.setrlimit(kind, (most, most))


def _end_all(child: int) -> None:
    """Ends a copy and whatever it has left behind."""
    with contextlib.suppress(OSError):
        os.killpg(child, signal.SIGKILL)
    if os.environ.get(ALONE) and os.getppid() == 1:
        with contextlib.suppress(OSError):
            os.kill(-1, signal.SIGKILL)  # every process but this one and the first
    with contextlib.suppress(OSError):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _send(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _keep_to_itself() -> None:
    """Takes copies, which have the same user, the right to look into this process or at its descriptors (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(4, 0)  # PR_SET_DUMPABLE


def main() -> None:
    """Carry out the orders on standard input, one after the other."""
    orders, channel = os.fdopen(os.dup(0), "rb"), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)  # whatever an answer prints goes nowhere
    _keep_to_itself()
    namespace: dict[str, Any] = {"__name__": "__main__", "display": lambda *shown, **how: None}
    for line in orders:
        order = json.loads(line)
        if "set_up" in order:
            said: Any = "ready"
            try:
                exec(compiled(order["set_up"], "<set-up>"), namespace)
            except Exception as error:
                said = in_one_line(error)
        else:
            cells, name, recipes = order["ask"]
            request = Request(tuple(cells), name, recipes)
            if hasattr(os, "fork"):
                said = in_a_copy(request, namespace, order["limits"], [orders.fileno(), channel])
            else:
                said = {"sent": json.dumps(replies_to(request, namespace))}
        _send(channel, json.dumps(said).encode() + b"\n")
        if "ask" in order and not hasattr(os, "fork"):
            break  # without copies, each request has a process of its own


if __name__ == "__main__":
    main()
