"""The answering process: ``python -m innerlab.checks`` runs cells and sends back the answer's replies.

Each line of its standard input is an order, and each gets a line in return. ``{"set_up": code}`` is run here;
``{"ask": [cells, name, calls], "limits": ...}`` (:class:`innerlab.checks.asking.Request`) is run in a forked copy of
this process that ends with the request, so that no answer sees what another has done. The process knows no exercise
and judges nothing.
"""

import contextlib
import ctypes
import json
import linecache
import os
import select
import signal
import sys
import time
import types
from typing import Any

import psutil

from innerlab.checks.asking import PATIENCE, Reply, Request, ask, in_one_line, refusal

ALONE = "INNERLAB_ALONE"
"""set where this process and those it starts have all process numbers to themselves"""


def replies_to(request: Request, namespace: dict[str, Any]) -> list[Reply]:
    """Runs the cells of a request and asks the answer in them.

    A cell that raises keeps the names that it had bound before, as in a notebook.

    Args:
        request: cells, name of the answer and the arguments of its calls.
        namespace: in which the cells run; it is changed.

    Returns:
        One reply for each call; refusals with the last exception if the cells bind no such name.
    """
    problem: BaseException = NameError(f"name {request.name!r} is not defined")
    for number, cell in enumerate(request.cells):
        try:
            exec(compiled(cell, f"<cell {number}>"), namespace)
        except BaseException as error:
            problem = error
    if request.name not in namespace:
        return [refusal("raises", in_one_line(problem))] * request.due
    return ask(namespace[request.name], request.calls)


def compiled(cell: str, filename: str) -> Any:
    """Compiles a cell. Magics such as ``%%time`` become calls of :class:`Shell`, which only runs their code.

    Raises:
        SyntaxError: if the cell is not Python, magics aside.
    """
    linecache.cache[filename] = (len(cell), None, cell.splitlines(keepends=True), filename)  # for inspect.getsource
    try:
        return compile(cell, filename, "exec")
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager  # slow to import, and seldom needed

        return compile(TransformerManager().transform_cell(cell), filename, "exec")


class Shell:
    """Stands in for IPython's shell, as ``get_ipython()`` returns it: shows nothing and runs no command."""

    def __init__(self, namespace: dict[str, Any]):
        self.namespace = namespace

    def run_line_magic(self, name: str, line: str, *_: Any) -> None:
        """``%time`` runs its line; others do nothing."""
        if name == "time":
            exec(line, self.namespace)

    def run_cell_magic(self, name: str, line: str, cell: str) -> None:
        """``%%time`` and ``%%capture`` run the cell; others do nothing."""
        if name in ("time", "capture"):
            exec(compiled(cell, "<cell>"), self.namespace)

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments, **options: []


def in_a_copy(request: Request, namespace: dict[str, Any], limits: dict[str, int], hidden: list[int]) -> dict:
    """Forks a copy of this process that runs a request, and returns what the copy sent.

    Args:
        request: what to ask.
        namespace: in which its cells run.
        limits: as in :class:`innerlab.checks.asking.Limits`.
        hidden: file descriptors to be closed in the copy.

    Returns:
        ``{"sent": text}``, or a refusal if the copy took too long, sent too much or crashed.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            for descriptor in (reading, *hidden):
                os.close(descriptor)
            os.setsid()
            _end_with_the_one_that_asked()
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
    """Reads what the copy sends until it exits or exceeds a limit; returns what :func:`in_a_copy` returns."""
    begun, sent, is_open = time.monotonic(), bytearray(), True
    code: int | None = None
    before, looked = _processor_seconds(), begun
    while code is None or is_open:
        if time.monotonic() > looked + 0.2:
            looked = time.monotonic()
            if _is_over(limits["seconds"], begun, before):
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
    assert code is not None  # else the loop would go on
    if code == -getattr(signal, "SIGXCPU", 0):
        return refusal("too-slow", f"It took more than {limits['seconds']} seconds of processor time.")
    if code != 0 or not sent:
        return refusal("crashed", f"It ended with {f'signal {-code}' if code < 0 else f'exit code {code}'}.")
    return {"sent": sent.decode(errors="replace")}


def _is_over(seconds: int, begun: float, before: float) -> bool:
    """Whether an answer has exceeded its limit of wall time or of processor time.

    The limit of wall time is extended, at most ``PATIENCE``-fold, while other processes keep the processor busy.
    """
    taken = time.monotonic() - begun
    if taken < seconds / 8:  # not even all processors of a large machine have given it its time
        return False
    used = _processor_seconds() - before
    return used > 2 * seconds or (taken > seconds and (used > seconds / 2 or taken > PATIENCE * seconds))


def _is_alone() -> bool:
    """Whether this process and its children have a process namespace of their own, so that all others may be killed."""
    return bool(os.environ.get(ALONE)) and os.getppid() == 1


def _processor_seconds() -> float:
    """Processor seconds of this process's descendants, including those that have exited.

    In a process namespace of its own, those of all other processes.
    """
    own = psutil.Process()
    others = psutil.process_iter() if _is_alone() else own.children(recursive=True)
    total = 0.0
    for process in others:
        with contextlib.suppress(psutil.Error):
            if process.pid != own.pid:
                times = process.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
    return total


def _limit(limits: dict[str, int]) -> None:
    import resource  # Windows has none, nor copies

    for kind, most in (
        (resource.RLIMIT_CPU, PATIENCE * limits["seconds"]),
        (resource.RLIMIT_AS, 2 * limits["memory"]),  # threads reserve much; what is used is counted from outside
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # macOS does not limit memory
            resource.setrlimit(kind, (most, most))


def _end_all(child: int) -> None:
    """Kills a copy and every process that it has left running."""
    with contextlib.suppress(OSError):
        os.killpg(child, signal.SIGKILL)
    if _is_alone():
        with contextlib.suppress(OSError):
            os.kill(-1, signal.SIGKILL)  # every process but this one and the first
    with contextlib.suppress(OSError):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _send(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _keep_to_itself() -> None:
    """Keeps copies, which run as the same user, from reading this process's memory or file descriptors (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(4, 0)  # PR_SET_DUMPABLE


def _end_with_the_one_that_asked() -> None:
    """Has the kernel kill this copy when its parent dies (Linux only; elsewhere its processor time runs out)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def main() -> None:
    """Carry out the orders on standard input, one after the other."""
    orders, channel = os.fdopen(os.dup(0), "rb"), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)  # whatever an answer prints goes nowhere
    os.dup2(nothing, 2)
    _keep_to_itself()
    module = sys.modules["__main__"] = types.ModuleType("__main__")  # as in a notebook: what cells name is found there
    namespace = module.__dict__
    namespace |= {"display": lambda *shown, **how: None, "get_ipython": lambda: Shell(namespace)}
    for line in orders:
        order = json.loads(line)
        if "set_up" in order:
            said: Any = "ready"
            try:
                exec(compiled(order["set_up"], "<set-up>"), namespace)
            except Exception as error:
                said = in_one_line(error)
        else:
            cells, name, calls = order["ask"]
            request = Request(tuple(cells), name, calls)
            if hasattr(os, "fork"):
                said = in_a_copy(request, namespace, order["limits"], [orders.fileno(), channel])
            else:
                said = {"sent": json.dumps(replies_to(request, namespace))}
        _send(channel, order["token"].encode() + json.dumps(said).encode() + b"\n")
        if "ask" in order and not hasattr(os, "fork"):
            break  # without copies, each request has a process of its own


if __name__ == "__main__":
    main()
