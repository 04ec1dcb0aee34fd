"""Notebooks as students might hand them in, lucky, unlucky and hostile, with what must become of each."""

import json
import os
import platform
from functools import cache
from pathlib import Path

from banks import LIAR
from chapters.pseudo_alignment.bank import BANKS

from innerlab.checks.judging import NOT_ATTEMPTED, NOT_YET, PASSED
from innerlab.checks.release import released, source_notebook, text_of
from innerlab.marking.calls import NUMBERS
from innerlab.marking.marks import BY_PERSON, NO_ANSWER, NO_VALUE, NOT_HANDED_IN, NOT_READ

ROOT = Path(__file__).parents[2]
CHAPTER = "pseudo_alignment"
SOURCE = ROOT / "solutions" / f"{CHAPTER}.md"
QUICK = ("prediction", "lean", "climb", "interval", "control", "labels")
"""exercises whose answers take no more than a moment"""


@cache
def solutions():
    return {cell.id: cell.source for cell in source_notebook(SOURCE).cells}


@cache
def _blank():
    return text_of(released(SOURCE))


def notebook(**answers):
    """The notebook that was handed out, with these answers filled in."""
    found = json.loads(_blank())
    for cell in found["cells"]:
        if cell["id"] in answers:
            cell["source"] = answers[cell["id"]]
    return found


def right(*names):
    return {name: solutions()[name] for name in names}


def cell_of(found, name):
    return next(cell for cell in found["cells"] if cell["id"] == name)


def expected(**statuses):
    """What must become of each exercise; of those not named, nothing was attempted."""
    names = [cell["metadata"]["nbgrader"]["grade_id"] for cell in json.loads(_blank())["cells"] if _is_answer(cell)]
    return dict.fromkeys(names, NOT_ATTEMPTED) | statuses


def _is_answer(cell):
    return cell["metadata"].get("nbgrader", {}).get("solution")


def all_of(status):
    return dict.fromkeys(expected(), status)


OTHERS = {"labels": PASSED, "control": PASSED}
"""answered rightly beside each attack: nobody loses a point that was earned"""


def attack(source, status=NO_VALUE):
    """An attack in the place of an answer."""
    return notebook(lean=source, **right(*OTHERS)), expected(lean=status, **OTHERS)


def then_right(source):
    """Something unseemly, and then the right answer."""
    return attack(f"{source}\n{solutions()['lean']}", PASSED)


WRONG = "def lean(outcomes, floor):\n    return [0.5] * len(outcomes)"


def written_in_other_words():
    answers = {name: BANKS[name].right[0] for name in QUICK}
    return notebook(**answers), expected(**dict.fromkeys(QUICK, PASSED))


def with_cells_of_ones_own():
    found = notebook(lean="def lean(outcomes, floor):\n    return helper(outcomes, floor)", **right("labels"))
    helper = solutions()["lean"].replace("def lean", "def helper")
    found["cells"].insert(2, own_cell(helper))
    return found, expected(lean=PASSED, labels=PASSED)


def own_cell(source):
    return {"cell_type": "code", "id": "own", "metadata": {}, "outputs": [], "execution_count": 1, "source": source}


def with_a_name_given_another_value():
    """The notebook's own ``shares`` is a list of numbers."""
    found = notebook(labels="labels = shares")
    found["cells"].insert(
        found["cells"].index(cell_of(found, "labels")), own_cell(solutions()["labels"] + "\nshares = labels")
    )
    return found, expected(labels=PASSED)


def with_a_slow_cell_that_nothing_needs():
    found = notebook(labels="labels = mine()", **right("lean"))
    at = found["cells"].index(cell_of(found, "labels"))
    found["cells"][at:at] = [
        own_cell("def mine():\n    " + solutions()["labels"].replace("\n", "\n    ") + "\n    return labels")
    ]
    found["cells"].insert(at, own_cell("import time\nplot = time.sleep(99)"))
    return found, expected(labels=PASSED, lean=PASSED)


def with_magic():
    magic = "%%time\n%matplotlib inline\nfiles = !ls\nnp?\n"
    return notebook(lean=f"{magic}{solutions()['lean']}\n!ls"), expected(lean=PASSED)


def with_numbers_without_end():
    """What would take the judge gigabytes to look at."""
    return notebook(
        lean="def lean(outcomes, floor):\n    return ['x' * 900_000] + [''] * 20_000",
        repair="repair = {'counts': torch.zeros(3 * 10**8, 0), 'smallest': 0.4}",
        **right(*OTHERS),
    ), expected(lean=NOT_YET, repair=NOT_YET, **OTHERS)


def with_an_error_below_the_answer():
    return notebook(lean=f"{solutions()['lean']}\ndisplay(lean)\nprint(lean(3))"), expected(lean=PASSED)


def without_checks():
    found = notebook(**right(*QUICK))
    found["cells"] = [cell for cell in found["cells"] if not cell["id"].startswith("check-")]
    return found, expected(**dict.fromkeys(QUICK, PASSED))


def with_checks_that_always_pass():
    found = notebook(lean=WRONG, **right("labels"))
    for cell in found["cells"]:
        if cell["id"].startswith("check-"):
            cell["source"] = "print('passed')"
    return found, expected(lean=NOT_YET, labels=PASSED)


def shuffled():
    found = notebook(**right(*QUICK))
    found["cells"] = found["cells"][::-1]
    return found, expected(**dict.fromkeys(QUICK, PASSED))


def with_an_answer_twice():
    found = notebook(**right("lean"))
    found["cells"].insert(3, {**cell_of(found, "lean"), "id": "copy", "source": WRONG})
    return found, expected(lean=PASSED)


def with_a_stub_below_the_answer():
    found = notebook(**right("lean"))
    found["cells"].append({**cell_of(notebook(), "lean"), "id": "copy"})
    return found, expected(lean=PASSED)


def with_other_points():
    found = notebook(**right("labels"))
    for cell in found["cells"]:
        if "points" in cell["metadata"].get("nbgrader", {}):
            cell["metadata"]["nbgrader"]["points"] = 1000
    return found, expected(labels=PASSED)


def with_other_grade_ids():
    found = notebook(**right("lean", "labels"))
    cell_of(found, "lean")["metadata"]["nbgrader"]["grade_id"] = "labels-2"
    return found, expected(lean=NO_ANSWER, labels=PASSED)


def with_an_answer_as_text():
    found = notebook(**right("lean", "labels"))
    cell_of(found, "lean")["cell_type"] = "markdown"
    return found, expected(lean=NO_ANSWER, labels=PASSED)


def with_metadata_of_all_kinds():
    found = notebook(**right("labels"))
    odd = [None, 3, "x", [], {"nbgrader": 3}, {"nbgrader": {"grade_id": ["lean"]}}, {"nbgrader": {"grade_id": None}}]
    found["cells"] += [{"cell_type": "code", "metadata": about, "source": {"a": 1}} for about in odd]
    found["cells"] += [None, 3, [], "cell"]
    return found, expected(labels=PASSED)


def for_another_kernel():
    found = notebook(**right("labels"))
    found["metadata"]["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
    return found, expected(labels=PASSED)


def with_outputs_that_carry_a_script():
    found = notebook(
        **right("labels"), explain=f"{SCRIPT}\n```\n\n[link](javascript:alert(1)) <img src=x onerror=alert(1)>"
    )
    data = {"text/html": SCRIPT, "application/javascript": "alert(1)"}
    cell_of(found, "labels")["outputs"] = [{"output_type": "display_data", "data": data, "metadata": {}}]
    return found, expected(labels=PASSED, explain=BY_PERSON)


KEYRING = NUMBERS.get(platform.machine(), {}).get("add_key")
SCRIPT = "<script>alert(1)</script>"


def with_a_very_long_answer():
    return notebook(lean=f"{solutions()['lean']}\n#{'x' * 200_000}", **right("labels")), expected(
        lean=NO_ANSWER, labels=PASSED
    )


def by_the_judge(module="innerlab.chapters.pseudo_alignment.checks"):
    return attack(
        f"def lean(outcomes, floor):\n    from {module} import _lean\n    return _lean(outcomes.numpy(), floor)"
    )


def by_reading(path):
    return attack(f"def lean(outcomes, floor):\n    return [len(open({str(path)!r}).read())]")


IN_ALL_DESCRIPTORS = "import contextlib, os\nfor number in range(3, 64):\n with contextlib.suppress(OSError)"
FORGED = '[{\\"value\\": [0.1], \\"changed\\": []}]'
FILL = """
import contextlib
with contextlib.suppress(OSError), open({place!r}, "wb") as file:
    while True:
        file.write(bytes(2**20))
"""
HUNT = """
import os
if os.fork() == 0:
    os.setsid()
    while True:
        for entry in os.listdir("/proc"):
            if entry.isdecimal() and int(entry) not in (1, os.getpid()):
                try:
                    os.kill(int(entry), 9)
                except OSError:
                    pass
"""
MONKEYS = {
    "the check": "import innerlab.checks\ninnerlab.checks.check = innerlab.checks.mark = lambda *a, **k: True",
    "packing": "from innerlab.checks import asking\nasking.pack = lambda value: {'array': '', 'dtype': 'x'}",
    "numpy": "import numpy as np\nnp.allclose = np.isclose = lambda *a, **k: True\nnp.ndarray = list",
    "torch": "import torch\ntorch.allclose = torch.equal = lambda *a, **k: True\ntorch.tensor = lambda *a, **k: 0.5",
    "builtins": "import builtins\nbuiltins.all = builtins.any = builtins.isinstance = lambda *a: True",
    "display": "import sys\nsys.displayhook = sys.excepthook = print\nsys.modules['innerlab.checks.judging'] = None",
}


def everything(submitted):
    """All notebooks: name, content (bytes, or a function that puts something at a path) and what must become of it."""
    solved = {name: solutions()[name] for name in QUICK}
    cases = {
        "ada": (notebook(**solved), expected(**dict.fromkeys(QUICK, PASSED))),
        "in-other-words": written_in_other_words(),
        "untouched": (notebook(), expected()),
        "partial": (notebook(**right("labels", "interval")), expected(labels=PASSED, interval=PASSED)),
        "wrong": attack(WRONG, NOT_YET),
        "own-cells": with_cells_of_ones_own(),
        "rebound": with_a_name_given_another_value(),
        "slow-cells": with_a_slow_cell_that_nothing_needs(),
        "without-end": with_numbers_without_end(),
        "magic": with_magic(),
        "looks-at-itself": then_right(
            "import inspect, pickle, __main__\nclass Own: pass\ndef own(): return 1\n"
            "assert pickle.loads(pickle.dumps(Own())) and inspect.getsource(own) and __main__.own() == 1"
        ),
        "pool": then_right(
            "from multiprocessing import Pool\ndef f(x): return x\nwith Pool(2) as pool: pool.map(f, [1])"
        ),
        "error-below": with_an_error_below_the_answer(),
        "no-checks": without_checks(),
        "lax-checks": with_checks_that_always_pass(),
        "shuffled": shuffled(),
        "twice": with_an_answer_twice(),
        "stub-below": with_a_stub_below_the_answer(),
        "other-points": with_other_points(),
        "other-ids": with_other_grade_ids(),
        "as-text": with_an_answer_as_text(),
        "metadata": with_metadata_of_all_kinds(),
        "other-kernel": for_another_kernel(),
        "script": with_outputs_that_carry_a_script(),
        "long": with_a_very_long_answer(),
        "judge": by_the_judge(),
        "judge-by-path": by_reading(ROOT / "innerlab" / "chapters" / CHAPTER / "checks.py"),
        "solution-by-path": by_reading(SOURCE),
        "solution-by-walking": by_reading(f"../../../../{SOURCE}"),
        "others-by-path": by_reading(submitted / "ada" / CHAPTER / f"{CHAPTER}.ipynb"),
        "home": by_reading(Path.home() / ".bashrc"),
        "passwords": by_reading("/etc/passwd"),
        "parent-memory": attack("import os\nlean = list(open(f'/proc/{os.getppid()}/mem', 'rb').read(9))"),
        "parent-descriptors": attack("import os\nlean = os.listdir(f'/proc/{os.getppid()}/fd')"),
        "parent-environment": by_reading("/proc/1/environ"),
        "environment": (notebook(labels="import os\nlabels = dict(os.environ)"), expected(labels=NOT_YET)),
        "endless": attack("def lean(outcomes, floor):\n    while True: pass"),
        "endless-cell": attack("while True: pass"),
        "asleep": attack("import time\ntime.sleep(1000)"),
        "fork-bomb": attack("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"),
        "thread-bomb": attack(
            "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(99,)).start()"
        ),
        "memory": attack("lean = [0] * 10**10"),
        "memory-of-many": attack(
            "import os, time\nfor _ in range(20): os.fork() or (bytearray(3 * 10**8), time.sleep(99))\ntime.sleep(99)"
        ),
        "burners": attack(
            "import os\nfor _ in range(50):\n    if os.fork() == 0:\n        os.setsid()\n        while True: pass\n"
            "while True: pass"
        ),
        "memory-in-a-file": attack("import os\nos.memfd_create('x')"),
        "memory-that-is-shared": attack(
            "import mmap, os, time\nfor n in range(40):\n    if os.fork() == 0:\n        own = mmap.mmap(-1, 10**8)\n"
            "        for i in range(0, len(own), 4096): own[i] = 1\n        time.sleep(99)\ntime.sleep(99)"
        ),
        "parents-limits": attack("import os, resource\nresource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (0, 0))"),
        "keyring": attack(
            f"import ctypes\nassert ctypes.CDLL(None).syscall({KEYRING}, b'user', b'note', b'hi', 2, -4) > 0"
        ),
        "namespace": attack("import ctypes\nassert ctypes.CDLL(None).unshare(0x10000000) == 0"),
        "carriage-return": attack("raise ValueError('x\\r=1+1\\rada,pseudo_alignment,lean,2,2,passed')"),
        "flood": attack("while True: print('x' * 10**6)"),
        "some-flood": then_right("import sys\nfor _ in range(50): print('x' * 10**6); sys.stderr.write('x' * 10**6)"),
        "flooded-reply": attack("def lean(outcomes, floor):\n    return np.zeros(1_000_000)"),
        "disk": then_right(FILL.format(place="/tmp/scratch/full")),
        "shared-memory": then_right(FILL.format(place="/dev/shm/full")),
        "writes": then_right(f"try: open({str(submitted / 'ada' / 'x')!r}, 'w')\nexcept OSError: pass"),
        "exit": attack("import sys\nsys.exit(0)"),
        "exit-in-call": attack("def lean(outcomes, floor):\n    raise SystemExit"),
        "hard-exit": attack("import os\nos._exit(0)"),
        "kills-itself": attack("import os\nos.kill(os.getpid(), 11)"),
        "kills-parent": attack("import os, time\nos.kill(os.getppid(), 9)\ntime.sleep(99)"),
        "kills-all": attack("import os, time\nos.kill(-1, 9)\ntime.sleep(99)"),
        "stops-parent": attack("import os, time\nos.kill(os.getppid(), 19)\ntime.sleep(99)"),
        "hunter": attack(f"{HUNT}\nimport time\ntime.sleep(99)"),
        "hunter-left-behind": attack(f"{HUNT}\nos._exit(0)"),
        "closes-all": attack(f"{IN_ALL_DESCRIPTORS}: os.close(number)\nwhile True: pass"),
        "forges": attack(f"{IN_ALL_DESCRIPTORS}: os.write(number, b'{FORGED}\\n')\nos._exit(0)"),
        "forges-the-next": attack(f"{IN_ALL_DESCRIPTORS}: os.write(number, b'{FORGED}\\n' * 9)\n{WRONG}"),
        "network": attack("import socket\nsocket.create_connection(('1.1.1.1', 53), 2)"),
        "asks-the-user": attack("lean = input()"),
        "recursion": attack("def lean(outcomes, floor):\n    return lean(outcomes, floor)"),
        "lying-value": (notebook(labels=f"{LIAR}\nlabels = Liar()"), expected(labels=NOT_YET)),
        "lying-array": attack(
            f"{LIAR}\ndef lean(outcomes, floor): return np.zeros(len(outcomes)).view(LyingArray)", NOT_YET
        ),
        "lying-float": attack(f"{LIAR}\ndef lean(outcomes, floor): return [LyingFloat(0.5)] * len(outcomes)", NOT_YET),
        "lying-class": attack(
            "class Liar:\n    __class__ = list\n    def __len__(self): return 1\ndef lean(**_): return Liar()",
            NOT_YET,
        ),
        **{f"patches-{name.replace(' ', '-')}": attack(f"{code}\n{WRONG}", NOT_YET) for name, code in MONKEYS.items()},
        "=cmd|'calc'!A0": (notebook(**right("labels")), expected(labels=PASSED)),
        "x..<b>é\n": (notebook(**right("labels")), expected(labels=PASSED)),
    }
    for name in ("builtins", "torch"):
        cases[f"patches-{name}"] = attack(f"{MONKEYS[name]}\n{WRONG}", None)  # no value, or a wrong one
    found = {name: (json.dumps(one).encode(), wanted) for name, (one, wanted) in cases.items()}
    unread = {
        "empty": b"",
        "cut": found["ada"][0][:-100],
        "not-json": b"def lean(): pass",
        "not-text": b"\xff\xfe\x00\xd8",
        "a-list": b"[]",
        "a-number": b"3",
        "no-cells": b'{"nbformat": 4}',
        "old": b'{"nbformat": 3, "worksheets": []}',
        "deep": b"[" * 10**6,
        "huge": lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY), 200 * 2**20),
        "a-folder": lambda path: path.mkdir(),
        "a-pipe": os.mkfifo if hasattr(os, "mkfifo") else lambda path: path.mkdir(),
        "a-link": lambda path: path.symlink_to(submitted / "ada" / CHAPTER / f"{CHAPTER}.ipynb"),
    }
    found |= {name: (how, all_of(NOT_READ)) for name, how in unread.items()}
    found["absent"] = (lambda path: None, all_of(NOT_HANDED_IN))
    found["other-name"] = (lambda path: path.with_name("final.ipynb").write_bytes(b"{}"), all_of(NOT_HANDED_IN))
    return found


IN_CLASS = {
    *("ada", "untouched", "wrong", "rebound", "lax-checks", "script", "others-by-path", "endless", "memory", "disk"),
    *("kills-parent", "hunter-left-behind", "forges-the-next", "carriage-return", "=cmd|'calc'!A0", "x..<b>é\n"),
}
"""those readable notebooks that are marked in one run of the command, each in a sandbox of its own"""


def split(cases):
    """The notebooks of a class, and all others, which can be marked one after the other in one sandbox."""
    assert cases.keys() >= IN_CLASS
    apart = {name: case for name, case in cases.items() if name not in IN_CLASS and isinstance(case[0], bytes)}
    apart = {name: case for name, case in apart.items() if NOT_READ not in case[1].values()}
    return {name: case for name, case in cases.items() if name not in apart}, apart


def complaints(student, wanted, found, points):
    """Where the marks of a student are not what was to become of the exercises, or say nothing of why.

    Args:
        student: the name.
        wanted: a status by exercise, or None where an answer may give no value or a wrong one.
        found: status, points (None if a person has to say), possible points and reason, by exercise.
        points: of each exercise.
    """
    wrong = []
    for exercise, status in wanted.items():
        got, earned, of, reason = found[exercise]
        fits = got == status if status is not None else got in (NOT_YET, NO_VALUE)
        due = None if status == BY_PERSON else points[exercise] if status == PASSED else 0
        told = reason or got in (PASSED, NOT_ATTEMPTED, BY_PERSON)
        if not fits or earned != due or not told or of != points[exercise]:
            wrong.append((student, exercise, f"wanted {status}", found[exercise]))
    return wrong


def put(submitted, name, content):
    """Hands a notebook in."""
    path = submitted / name / CHAPTER / f"{CHAPTER}.ipynb"
    path.parent.mkdir(parents=True)
    if callable(content):
        content(path)
    else:
        path.write_bytes(content)
