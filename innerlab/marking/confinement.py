"""Where submitted answers run: a bubblewrap sandbox without network, home, judges or other students' answers.

The sandbox holds the system's ``/usr``, the book's Python, the laboratory without its judges, and the trained agents,
all read-only, and a temporary directory in memory. Before anything is marked, a probe in the sandbox tries to break
every restriction; if any attempt succeeds, nothing is marked.
"""

import os
import platform
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from innerlab import store
from innerlab.checks.asking import Answering, Limits, Request, SetUpFailed
from innerlab.checks.values import Misfit, unpack
from innerlab.marking.calls import NUMBERS, call_filter
from innerlab.wings import LABORATORY

AGENTS, CALLS = "agents", "calls"
JUDGES = ("checks.py", "audit_key.py")
"""files of a wing that an answer must not see"""
FILES = 256
"""that a process may hold open"""
PROCESSES = 64
SCRATCH = 64 * 2**20
"""bytes, for each of the two places that can be written to"""
USERS = range(20_000, 60_000, 100)
"""as root, each worker's answers run under a user number of their own, from one of these on, so that one's processes
are not counted as another's; which one depends on the run"""
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/alternatives", "/nix/store")

ADVICE = """\
Answers are strangers' programs, so they are only run where they can do no harm. This is not possible here:
{reason}

- Debian, Ubuntu: sudo apt install bubblewrap. From Ubuntu 24.04 on, AppArmor may forbid it to ordinary users: allow it
  with a profile for /usr/bin/bwrap (Ubuntu's documentation on user namespaces says how), or use a virtual machine.
- In a container: the container must be allowed to make namespaces; Docker's default profile does not allow it.
- macOS and Windows have no bubblewrap: mark in a Linux virtual machine; on Windows, WSL 2 is one.

If every answer comes from someone whom you would let use this account, --unconfined runs them without protection,
and every report will say so."""


class NotConfined(Exception):
    """No sandbox can be made on this machine; the message says what to install or change."""


@dataclass(frozen=True)
class Confinement:
    """How to run answers.

    Attributes:
        laboratory: a folder with the laboratory, judges left out, and the agents; see :func:`blind_copy`.
        confined: whether answers run in a sandbox.
        first_user: if this process runs as root, the user id of worker 0; worker i runs as ``first_user + i``.
    """

    laboratory: Path
    confined: bool = True
    first_user: int = USERS[os.getpid() % len(USERS)]

    def answering(self, worker: int, limits: Limits) -> Answering:
        """The answering process of one worker.

        Args:
            worker: a number that is unique among the processes that run at the same time.
            limits: of each request.
        """
        ask = [sys.executable, "-P", "-m", "innerlab.checks"]
        if self.confined:
            return Answering([*self._sandbox(worker), *ask], {"PATH": os.defpath}, limits)
        kept = {name: value for name, value in os.environ.items() if name != "INNERLAB_ALONE"}
        return Answering(ask, kept | self._environment(), limits)

    def _environment(self) -> dict[str, str]:
        return {
            "PYTHONPATH": str(self.laboratory),
            "INNERLAB_AGENTS": str(self.laboratory / AGENTS),
            "INNERLAB_PROGRESS": "",
            "OMP_NUM_THREADS": "1",
            "MPLBACKEND": "Agg",
            "PYTHONUTF8": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def _sandbox(self, worker: int) -> list[str]:
        """Bubblewrap and its arguments, up to the command to run."""
        is_root = os.geteuid() == 0
        # a shell opens the filter of calls, which bubblewrap reads from a descriptor
        arguments = ["/bin/sh", "-c", f'exec "$@" 9<{shlex.quote(str(self.laboratory / CALLS))}', "sh"]
        arguments += [shutil.which("bwrap") or "bwrap", "--seccomp", "9", "--cap-drop", "ALL"]
        arguments += ["--die-with-parent", "--new-session", "--clearenv"]
        if is_root:  # as root of a namespace of users, processes could not be counted for each worker
            arguments += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
            arguments += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        else:
            arguments += ["--unshare-all"]
        for place in SYSTEM:
            path = Path(place)
            if path.is_symlink():
                arguments += ["--symlink", os.readlink(path), place]
            elif path.exists():
                arguments += [*_parents(path), "--ro-bind", place, place]
        for path in dict.fromkeys(Path(place) for place in (sys.base_prefix, sys.prefix, self.laboratory)):
            if not any(path.is_relative_to(place) for place in SYSTEM):
                arguments += [*_parents(path), "--ro-bind", str(path), str(path)]
        arguments += ["--proc", "/proc", "--dev", "/dev"]
        for place in ("/dev/shm", "/tmp/scratch"):
            arguments += [*_parents(Path(place)), "--size", str(SCRATCH), "--perms", "1777", "--tmpfs", place]
        arguments += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp/scratch"]
        inside = {"HOME": "/tmp/scratch", "TMPDIR": "/tmp/scratch", "PATH": "/usr/bin:/bin", "INNERLAB_ALONE": "1"}
        for name, value in (self._environment() | inside).items():
            arguments += ["--setenv", name, value]
        if is_root:
            user = str(self.first_user + worker)
            arguments += ["setpriv", "--reuid", user, "--regid", user, "--clear-groups"]
            arguments += ["--inh-caps=-all", "--bounding-set=-all"]
        return [*arguments, "prlimit", f"--nproc={PROCESSES}", f"--nofile={FILES}", "--core=0"]


def _parents(path: Path) -> list[str]:
    """Arguments that create the folders above a path, readable by all users; bubblewrap's defaults are not."""
    above = [str(folder) for folder in reversed(path.parents) if folder != Path("/")]
    return [argument for folder in above for argument in ("--perms", "0755", "--dir", folder)]


def blind_copy(target: Path) -> Path:
    """Copies the laboratory without its judges, and all trained agents; missing agents are trained first.

    Args:
        target: a folder to copy it into.

    Returns:
        ``target``.
    """
    wings = LABORATORY / "chapters"

    def left_out(place: str, names: list[str]) -> set[str]:
        hidden = JUDGES if Path(place).parent == wings else ()
        return {name for name in names if name in hidden or name == "__pycache__"}

    shutil.copytree(LABORATORY, target / LABORATORY.name, ignore=left_out)
    for name in store.names():
        store.stored(name)
        place = target / AGENTS / f"{name}.pt"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(store.store() / f"{name}.pt", place)  # readable by all, as the store's own need not be
    (target / AGENTS / store.SEALED).touch()
    if platform.machine() in NUMBERS:
        (target / CALLS).write_bytes(call_filter())
    target.chmod(0o755)  # what tempfile makes is closed to all others
    return target


def judges() -> list[str]:
    """The names of the modules that an answer must not be able to read."""
    files = [path for name in JUDGES for path in (LABORATORY / "chapters").glob(f"*/{name}")]
    return sorted(f"innerlab.chapters.{path.parent.name}.{path.stem}" for path in files)


PROBE = """
import os, socket
def tries(what):
    try:
        what()
        return True
    except Exception:
        return False

def fill(place):
    with open(place, "wb") as file:
        for n in range(2 * {scratch} >> 20):
            file.write(bytes(2**20)); file.flush()

def breed():
    children = []
    try:
        while len(children) < 2 * {processes}:
            child = os.fork()
            if child == 0:
                import time; time.sleep(5); os._exit(0)
            children.append(child)
    finally:
        for child in children:
            os.kill(child, 9)

def write(place):
    open(place, "w").close()

def make_namespace():
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = abs(ctypes.CDLL(None).unshare(0x10000000))
        finally:
            os._exit(status)
    if os.waitpid(child, 0)[1] != 0:
        raise OSError

def import_judges():
    import importlib
    if not any([tries(lambda name=name: importlib.import_module(name)) for name in {judges!r}]):
        raise ImportError

answer = dict(
    breeds=tries(breed),  # first, as all of them hold what this one holds
    reads=tries(lambda: open({canary!r}).read()),
    connects=tries(lambda: socket.create_connection(("127.0.0.1", {port}), 2)),
    judges=tries(import_judges),
    writes=any([tries(lambda place=place: write(place)) for place in {places!r}]),
    becomes_root=os.getuid() == 0 or tries(lambda: os.setuid(0)),
    makes_namespaces=tries(make_namespace),
    hides_memory=tries(lambda: os.memfd_create("x")),
    meddles=tries(lambda: resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE)),
    fills_scratch=tries(lambda: fill("/tmp/scratch/full")),
    fills_memory=tries(lambda: fill("/dev/shm/full")),
)
"""
ESCAPES = {
    "reads": "read a file of yours",
    "connects": "reach the network",
    "judges": "see what judges it",
    "writes": "write where it should not",
    "becomes_root": "have root's rights",
    "makes_namespaces": "give itself rights",
    "hides_memory": "use memory that is not counted",
    "meddles": "change the limits of another process",
    "fills_scratch": "fill the disk",
    "fills_memory": "fill the memory in /dev/shm",
    "breeds": "start processes without end",
}


def confinement(laboratory: Path) -> Confinement:
    """Makes a sandbox and tests it with the probe.

    Args:
        laboratory: from :func:`blind_copy`.

    Raises:
        NotConfined: if this machine has no working sandbox, or the probe could break one of its restrictions.
    """
    found = Confinement(laboratory)
    reason = _missing() or _escape(found)
    if reason:
        raise NotConfined(ADVICE.format(reason=reason))
    return found


def _missing() -> str:
    if platform.system() != "Linux":
        return f"{platform.system()} has no bubblewrap."
    for tool in ("bwrap", "prlimit", *(["setpriv"] if os.geteuid() == 0 else [])):
        if shutil.which(tool) is None:
            return f"The program {tool} is not installed."
    if platform.machine() not in NUMBERS:
        return f"It is not known which calls to forbid on a machine of the kind {platform.machine()}."
    return ""


def _escape(found: Confinement) -> str:
    """Which restrictions the probe could break, or why there is no sandbox; "" if the sandbox holds."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as server:
        canary = Path(folder) / "canary"
        canary.write_text("sings")
        canary.chmod(0o644)
        Path(folder).chmod(0o755)
        places = ["/x", "/dev/x", "/etc/x", f"{folder}/x", f"{found.laboratory}/x", f"{sys.prefix}/x"]
        probe = PROBE.format(
            scratch=SCRATCH,
            processes=PROCESSES,
            judges=judges(),
            canary=str(canary),
            port=server.getsockname()[1],
            places=places,
        )
        try:
            with found.answering(0, Limits(seconds=30)) as process:
                (reply,) = process.ask(Request((probe,), "answer", None))
        except SetUpFailed as problem:
            return _complaint(found) or str(problem)
    try:
        done = unpack(reply.get("value"))
    except Misfit:
        done = None
    if not isinstance(done, dict) or set(done) != set(ESCAPES):
        return f"In the sandbox nothing can be run: {reply.get('problem', done)!s:.300}"
    could = [ESCAPES[name] for name, happened in done.items() if happened is not False]
    return f"In the sandbox an answer could {', '.join(could)}." if could else ""


def _complaint(found: Confinement) -> str:
    """The error message of bubblewrap itself; "" if there is none."""
    command = [*found._sandbox(0), sys.executable, "-c", "import innerlab"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.stderr.strip()[-500:]
