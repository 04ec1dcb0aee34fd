"""The system calls that an answer may not make, as a seccomp filter for bubblewrap (see ``man 2 seccomp``).

The filter refuses calls that evade the limits on memory (files in memory, System V shared memory), that create
namespaces, in which an answer would have privileges, that leave data for other answers (keyrings), and that change the
limits of another process. All other calls are allowed.
"""

import errno
import platform
import struct

NAMES = (
    "memfd_create", "shmget", "unshare", "setns", "mount", "add_key", "request_key", "keyctl", "bpf", "userfaultfd",
    "perf_event_open", "memfd_secret", "fsopen", "fsmount", "move_mount", "open_tree", "io_uring_setup",
)  # fmt: skip
"""refused whatever the arguments"""
NUMBERS = {
    "x86_64": dict(
        zip(NAMES, (319, 29, 272, 308, 165, 248, 249, 250, 321, 323, 298, 447, 430, 432, 429, 428, 425), strict=True),
        clone=56, clone3=435, prlimit64=302,
    ),
    "aarch64": dict(
        zip(NAMES, (279, 194, 97, 268, 40, 217, 218, 219, 280, 282, 241, 447, 430, 432, 429, 428, 425), strict=True),
        clone=220, clone3=435, prlimit64=261,
    ),
}  # fmt: skip
"""the calls' numbers by machine"""
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
NEW_NAMESPACES = 0x7E020000  # any of clone's flags that make one
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # where these stand; on little-endian machines
ALLOW, KILL = 0x7FFF0000, 0x80000000
OTHER_NUMBERING = 0x40000000  # from here on x86's 64-bit machines count the calls of another kind of program


def call_filter(machine: str | None = None) -> bytes:
    """The filter as a BPF program in the bytes that bubblewrap reads.

    Args:
        machine: architecture as :func:`platform.machine` names it; that of this machine by default.

    Raises:
        ValueError: if the system call numbers of the architecture are not known.
    """
    machine = machine or platform.machine()
    if machine not in NUMBERS:
        raise ValueError(f"machine is {machine!r}; calls are known for {', '.join(NUMBERS)}")
    numbers = NUMBERS[machine]
    refuse, unknown = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
    # each line: what to do, how many lines to leave out if it holds, and if it does not, and with what
    lines = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, ARCHITECTURES[machine]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 0, 1, OTHER_NUMBERING),
        (RETURN, 0, 0, KILL),
    ]
    for name in NAMES:
        lines += [(EQUAL, 0, 1, numbers[name]), (RETURN, 0, 0, refuse)]
    lines += [
        (EQUAL, 0, 1, numbers["clone3"]),  # its flags cannot be looked at; without it, clone is used
        (RETURN, 0, 0, unknown),
        (EQUAL, 0, 4, numbers["clone"]),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (ANY_BIT, 0, 1, NEW_NAMESPACES),
        (RETURN, 0, 0, refuse),
        (RETURN, 0, 0, ALLOW),
        (EQUAL, 0, 4, numbers["prlimit64"]),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (EQUAL, 1, 0, 0),  # of the process itself
        (RETURN, 0, 0, refuse),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
