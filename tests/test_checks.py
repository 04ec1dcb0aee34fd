"""The framework of the checks: values that cannot lie, processes that cannot talk their way out, cards, records."""

import contextlib
import json
import math
import os
import re
import stat
import subprocess
import sys
import time
import tracemalloc
from functools import partial
from html import unescape

import numpy as np
import psutil
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from innerlab import checks
from innerlab.checks import asking, records, values
from innerlab.checks.asking import Answering, Limits, Request, SetUpFailed, ask, ask_elsewhere
from innerlab.checks.cards import Card, Summary
from innerlab.checks.judging import NOT_ATTEMPTED, NOT_YET, PASSED, Case, Exercise, Lesson, Verdict, mark
from innerlab.checks.values import Array, Choice, Fields, Items, Misfit, Number, Text, pack, unpack

# Values

scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text()
tables = st.sampled_from(values.DTYPES).flatmap(lambda dtype: arrays(dtype, st.lists(st.integers(0, 3), max_size=3)))
plain = st.recursive(
    scalars | tables,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def same(one, other):
    """Whether two plain values are the same to the bit, NaN included."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return repr(one) == repr(other)


@given(plain)
def test_plain_values_arrive_as_they_were_sent(value):
    assert same(unpack(json.loads(json.dumps(pack(value)))), value)


def test_what_a_learner_may_well_return_arrives():
    sent = (np.float32(0.5), np.int64(3), np.bool_(True), torch.tensor(2.0, requires_grad=True), torch.nn.Parameter)
    assert same(unpack(pack(sent[:3])), [0.5, 3, True])
    assert same(unpack(pack(sent[3])), np.array(2.0, dtype=np.float32))
    assert same(unpack(pack(torch.nn.Parameter(torch.ones(2)))), np.ones(2, dtype=np.float32))
    assert same(unpack(pack(np.arange(6).reshape(2, 3).T)), np.arange(6).reshape(2, 3).T)  # not contiguous
    assert same(unpack(pack(np.broadcast_to(1.0, (2, 2)))), np.ones((2, 2)))


class Named(type):
    """A type that lies about its name, and raises when asked for its members."""

    __name__ = property(lambda cls: 1 / 0)

    def __getattribute__(cls, name):
        return 1 / 0 if name == "__qualname__" else super().__getattribute__(name)

    def __eq__(cls, other):
        return True

    def __hash__(cls):
        return hash(float)


def circle():
    ring = []
    ring.append(ring)
    return ring


def deep(levels):
    value = 0
    for _ in range(levels):
        value = [value]
    return value


class Whole(int):
    """An int that agrees with everyone."""

    def __eq__(self, other):
        return True

    __hash__ = int.__hash__


HOSTILE = {
    "int-subclass": (Whole(3), "wrong-type"),
    "list-subclass": (type("L", (list,), {})([1]), "wrong-type"),
    "dict-subclass": (type("D", (dict,), {})(a=1), "wrong-type"),
    "text-subclass": (type("T", (str,), {})("a"), "wrong-type"),
    "float-by-metaclass": (Named("float", (float,), {})(0.5), "wrong-type"),
    "key-subclass": ({type("T", (str,), {})("a"): 1}, "wrong-type"),
    "whole-key": ({1: 2}, "wrong-type"),
    "tensor-subclass": (torch.ones(2).as_subclass(type("S", (torch.Tensor,), {})), "wrong-type"),
    "array-subclass": (np.ones(2).view(type("A", (np.ndarray,), {})), "wrong-type"),
    "matrix": (np.ma.masked_array([1.0, 2.0]), "wrong-type"),
    "objects": (np.array([object()], dtype=object), "wrong-type"),
    "records": (np.zeros(2, dtype=[("a", "f8")]), "wrong-type"),
    "text-array": (np.array(["a"]), "wrong-type"),
    "dates": (np.array(["2020-01-01"], dtype="datetime64"), "wrong-type"),
    "date": (np.datetime64("2020-01-01"), "wrong-type"),
    "complex": (1j, "wrong-type"),
    "complex-array": (np.array([1j]), "wrong-type"),
    "complex-tensor": (torch.tensor([1j]), "wrong-type"),
    "long-double": (np.longdouble(1), "wrong-type"),
    "bytes": (b"a", "wrong-type"),
    "set": ({1}, "wrong-type"),
    "function": (len, "wrong-type"),
    "type": (Named, "wrong-type"),
    "circle": (circle(), "wrong-type"),
    "deep": (deep(values.DEEPEST + 1), "wrong-type"),
    "hole": ({"a": [1, ...]}, "not-attempted"),
    "huge": (2**63, "out-of-range"),
    "large-array": (np.zeros(values.LARGEST + 1, dtype=bool), "out-of-range"),
    "large-view": (np.broadcast_to(0.0, (10**6, 10**6)), "out-of-range"),
    "long-text": ("a" * (values.LARGEST + 1), "out-of-range"),
    "long-key": ({"a" * (values.LARGEST + 1): 1}, "out-of-range"),
    "wide": ([[[0] * 110] * 100] * 100, "out-of-range"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_not_plain_is_not_packed(name):
    value, lesson = HOSTILE[name]
    for given_as in (value, [value], {"a": (value,)}):
        with pytest.raises(Misfit) as caught:
            pack(given_as)
        assert caught.value.lesson == lesson
    assert asking.call(lambda: value, {})["problem"]["lesson"] == lesson


def test_as_deep_as_allowed_is_packed():
    assert unpack(pack(deep(values.DEEPEST))) == deep(values.DEEPEST)


@pytest.mark.parametrize(
    "tensor", [torch.ones(2, dtype=torch.bfloat16), torch.ones(2).to_sparse(), torch.ones(2, device="meta")]
)
def test_tensors_that_have_no_array_are_a_wrong_type(tensor):
    assert asking.call(lambda: tensor, {})["problem"]["lesson"] == "wrong-type"


jsons = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.integers().map(lambda n: n * 10**200),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["dict", "array", "dtype", "shape", "a"]), inner, max_size=3)
        | st.fixed_dictionaries(
            {
                "array": st.sampled_from(["", "AAAA", "AAAAAAAAAAA=", "é", "A"]) | inner,
                "dtype": st.sampled_from([*values.DTYPES, "object", "V8"]) | inner,
                "shape": st.lists(st.integers(-2, 4) | st.just(10**30) | inner, max_size=3) | inner,
            }
        )
    ),
    max_leaves=10,
)
EVERY_KIND = [
    Number(), Number(0, 1, whole=True), Array((2,)), Array((0,)), Array((), nan=True), Text(3), Choice(("a", "b")),
    Items(Number(), longest=3), Fields({"a": Number()}),
]  # fmt: skip


@given(jsons)
def test_whatever_json_arrives_is_plain_or_a_misfit(data):
    def plain_types(value):
        if type(value) is list:
            return all(map(plain_types, value))
        if type(value) is dict:
            return all(type(key) is str and plain_types(item) for key, item in value.items())
        if type(value) is np.ndarray:
            return value.dtype.name in values.DTYPES
        return value is None or type(value) in (bool, int, float, str)

    try:
        value = unpack(data)
    except Misfit:
        return
    assert plain_types(value)
    for kind in EVERY_KIND:
        with contextlib.suppress(Misfit):
            kind.read(value)


def lesson_of(kind, value):
    """The lesson that a specification gives for a value; "" if it takes it."""
    try:
        kind.read(unpack(pack(value)))
    except Misfit as misfit:
        return misfit.lesson if str(misfit) else "says nothing"
    return ""


@pytest.mark.parametrize(
    ("kind", "value", "lesson"),
    [
        (Number(0, 1), 0, ""),
        (Number(0, 1), np.array([[1.0]]), ""),
        (Number(0, 1), 1.0000001, "out-of-range"),
        (Number(0, 1), True, "wrong-type"),
        (Number(0, 1), "0.5", "wrong-type"),
        (Number(0, 1), None, "wrong-type"),
        (Number(0, 1), np.array([0.5, 0.5]), "wrong-type"),
        (Number(), math.nan, "not-finite"),
        (Number(), -math.inf, "not-finite"),
        (Number(whole=True), 2.5, "wrong-type"),
        (Number(whole=True), 2.0, ""),
        (Array((2,)), (0, 1.5), ""),
        (Array((2,)), [True, False], ""),
        (Array((2,)), [0.0, math.nan], "not-finite"),
        (Array((2,), nan=True), [0.0, math.nan], ""),
        (Array((2,), nan=True), [0.0, math.inf], "not-finite"),
        (Array((2,), low=0, high=1, nan=True), [math.nan, 1.5], "out-of-range"),
        (Array((2,), low=0), [0.0, -1e-9], "out-of-range"),
        (Array((2,)), [[0.0, 1.0]], "wrong-shape"),
        (Array((2,)), 0.5, "wrong-shape"),
        (Array((2,)), [[0.0], [1.0, 2.0]], "wrong-shape"),
        (Array((2,)), ["a", "b"], "wrong-type"),
        (Array((2,)), [None, 1.0], "wrong-type"),
        (Array((2,)), {"a": 1}, "wrong-type"),
        (Text(3), "abc", ""),
        (Text(3), "abcd", "out-of-range"),
        (Text(3), 3, "wrong-type"),
        (Choice(("a", "b")), "b", ""),
        (Choice(("a", "b")), "c", "wrong-type"),
        (Choice(("a", "b")), ["a"], "wrong-type"),
        (Items(Number(), 1, 2), [1, 2.0], ""),
        (Items(Number(), 1, 2), np.array([1.0]), ""),
        (Items(Number(), 1, 2), [], "wrong-shape"),
        (Items(Number(), 1, 2), [1, 2, 3], "wrong-shape"),
        (Items(Number(), 1, 2), "12", "wrong-type"),
        (Items(Number(0, 1), 1, 2), [2], "out-of-range"),
        (Fields({"a": Number(), "b": Text()}), {"b": "x", "a": 1}, ""),
        (Fields({"a": Number(), "b": Text()}), {"a": 1}, "wrong-type"),
        (Fields({"a": Number()}), {"a": 1, "c": 2}, "wrong-type"),
        (Fields({"a": Number()}), {"a": math.nan}, "not-finite"),
        (Fields({"a": Number()}), [1], "wrong-type"),
    ],
)
def test_each_specification_gives_its_lessons(kind, value, lesson):
    assert lesson_of(kind, value) == lesson


def test_a_specification_gives_one_fixed_type():
    assert type(Number().read(3)) is float
    assert type(Number(whole=True).read(3.0)) is int
    assert Array((2,)).read([1, 2]).dtype == np.float64
    assert list(Fields({"a": Number(), "b": Number()}).read({"b": 1, "a": 2})) == ["a", "b"]
    with pytest.raises(Misfit, match="Under 'a'"):
        Fields({"a": Number()}).read({"a": "x"})


# Asking


def test_whatever_an_answer_raises_is_a_reply():
    class Silent(Exception):
        def __str__(self):
            raise SystemExit

    class Own(BaseException):
        pass

    Shouting = Named("Shouting", (Exception,), {"__traceback__": property(lambda self: 1 / 0)})

    def raises(error):
        def answer():
            raise error

        return asking.call(answer, {})["problem"]

    for error in (Silent(), Own("x"), Shouting("x"), ZeroDivisionError("x"), SystemExit(1), GeneratorExit()):
        assert raises(error)["lesson"] == "raises"
    assert "cannot be shown" in raises(Silent())["message"]
    assert raises(NotImplementedError())["lesson"] == "not-attempted"
    assert asking.call(lambda: ... + 1, {})["problem"]["lesson"] == "not-attempted"
    assert len(raises(ValueError("long " * 1000))["message"]) < 300
    with pytest.raises(KeyboardInterrupt):
        raises(KeyboardInterrupt())


def test_an_answer_that_is_no_function_is_told_so():
    liar = Named("liar", (), {})()
    for answer in (3, None, "text", liar):
        (reply,) = ask(answer, [{}])
        assert reply["problem"]["lesson"] == "wrong-type"
    assert ask(..., [{}, {}])[1]["problem"]["lesson"] == "not-attempted"


ROOMS = {"rooms": {"swapped_share": 1.0}, "layouts": 3, "seed": 5}


@pytest.mark.parametrize(
    ("described", "change"),
    [
        ({"tensor": [[1.0, float("nan")]]}, lambda x: x.add_(1)),
        ({"tensor": [1, 2], "dtype": "int64"}, lambda x: x.resize_(1)),
        ([1, [2]], lambda x: x[1].append(3)),
        ([1, 2], lambda x: x.append(len)),
        ([1, 2], lambda x: x.append(torch.ones(1, dtype=torch.bfloat16))),
        ({"inner": {"tensor": [1.0]}}, lambda x: x["inner"].mul_(2)),
        (ROOMS, lambda x: x.object_color.fill_(0)),
        ({"agents": "red_doors/plain"}, lambda x: x.weight_2.data.mul_(1.001)),
        ({"agents": "red_doors/plain"}, lambda x: next(iter(x.state_dict().values())).view(-1)[-1].add_(1)),
    ],
)
def test_a_change_of_the_input_is_seen_and_no_other(described, change):
    assert asking.call(lambda x: 0.0, {"x": described})["changed"] == []
    assert asking.call(lambda x: [change(x), 0.0][1], {"x": described})["changed"] == ["x"]


def test_nan_in_an_input_is_no_change():
    assert asking.call(lambda x, y: 0.0, {"x": float("nan"), "y": [float("nan")]})["changed"] == []


def test_every_call_gets_inputs_of_its_own():
    replies = ask(lambda x: x.add_(1), [{"x": {"tensor": [1.0]}}] * 2)
    assert [unpack(reply["value"]).tolist() for reply in replies] == [[2.0], [2.0]]


def elsewhere(*cells, name="answer", calls=({},), seconds=60):
    (replies,) = ask_elsewhere([Request(cells, name, calls)], seconds)
    return replies


def lessons(replies):
    return [reply["problem"]["lesson"] if "problem" in reply else reply["value"] for reply in replies]


def test_a_process_answers_each_request_in_a_namespace_of_its_own_and_prints_nowhere():
    noisy = (
        "import sys\nfor n in range(20_000): print('[]' * 10)\nsys.__stdout__.write('[{}]\\n'); sys.__stdout__.flush()"
    )
    requests = [
        Request(
            (noisy, "def answer(x): print(x); import os; os.write(1, b'[{}]\\n'); return x"),
            "answer",
            ({"x": 1}, {"x": 2}),
        ),
        Request(("def answer(x): return sys",), "answer", ({"x": 1},)),
        Request(("raise SystemExit",), "answer", ({}, {})),
        Request(("def answer(): exit()",), "answer", ({},)),
        Request(("1 /",), "answer", ({},)),
        Request(("x = 1",), "answer", ({},)),
        Request(("class E(BaseException): pass\nraise E",), "answer", ({},)),
        Request(("answer = [1, 2]",), "answer", None),
        Request(("import math\ndef answer():\n    return 1 / 0",), "answer", ({},)),
    ]
    replies = ask_elsewhere(requests)
    assert [lessons(own) for own in replies] == [
        [1, 2], ["raises"], ["raises"] * 2, ["raises"], ["raises"], ["raises"], ["raises"], [[1, 2]], ["raises"],
    ]  # fmt: skip
    assert "line 3 of the cell" in replies[-1][0]["problem"]["message"]


EVERY_DESCRIPTOR = "import contextlib, os\nfor number in range(3, 20):\n with contextlib.suppress(OSError)"


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("import os\ndef answer(): os._exit(0)", "crashed"),
        ("import os\nos.kill(os.getpid(), 9)", "crashed"),
        ("def answer():\n    while True: pass", "too-slow"),
        ("import os\nif os.fork() == 0:\n    while True: pass\nos._exit(0)", "crashed"),
        (f"{EVERY_DESCRIPTOR}: os.close(number)\nwhile True: pass", "too-slow"),
        (f"{EVERY_DESCRIPTOR}: os.write(number, b'[' * 20_000_000)", "crashed"),
        ("x = [0] * 10**9", "raises"),
        ("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nwhile True: pass", "crashed"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="Windows has neither fork nor these signals")
def test_a_process_that_does_not_answer_is_ended(cell, wanted):
    begun = time.monotonic()
    assert lessons(elsewhere(cell, calls=({}, {}), seconds=3 if wanted == "too-slow" else 1000)) == [wanted] * 2
    assert time.monotonic() - begun < 600  # one that is waited for in vain takes 1000


@pytest.mark.parametrize(
    "stays",
    [
        "os.fork() == 0",
        pytest.param(
            "os.kill(os.getppid(), 9) is None",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="no process there can ask to end with another"),
        ),
    ],
    ids=["another process", "itself, with nobody to end it"],
)
@pytest.mark.skipif(os.name == "nt", reason="Windows has no process groups")
def test_what_an_answer_leaves_running_is_ended(stays, tmp_path):
    left = tmp_path / "left"
    cell = (
        f"import os, time\nif {stays}:\n    open({str(tmp_path / 'part')!r}, 'w').write(str(os.getpid()))\n"
        f"    os.replace({str(tmp_path / 'part')!r}, {str(left)!r})\n    time.sleep(1000)\n"
        f"while not os.path.exists({str(left)!r}): time.sleep(0.01)\nanswer = 1"
    )
    elsewhere(cell, calls=None)
    assert left.exists() or "getppid" in stays  # which may have ended itself before it came to this
    until = time.monotonic() + 300
    while left.exists() and is_running(int(left.read_text())):  # one that was sent a signal may still be dying
        assert time.monotonic() < until
        time.sleep(0.05)


def is_running(number):
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


FORGED = [
    "not json",
    "[]",
    "[[], []]",
    '[{"value": 1}]',
    '[{"value": 1}, {"value": 2}, {"value": 3}]',
    "[" * 100_000,
    '{"value": 1}',
    "\xff",
]


FORGER = """
import json, sys
for order in map(json.loads, sys.stdin):
    said = b'"ready"' if "set_up" in order else {line!r}
    sys.stdout.buffer.write({stray!r} + order["token"].encode() + said + b"\\n")
    sys.stdout.buffer.flush()
"""


@pytest.mark.parametrize("line", [*FORGED, *(json.dumps({"sent": line}) for line in FORGED), '{"sent": []}'])
@pytest.mark.parametrize("stray", [b"", b'{"sent": "[{}, {}]"}\n'])
def test_what_is_not_as_many_replies_as_calls_is_no_reply(line, stray):
    code = FORGER.format(line=line.encode("latin1"), stray=stray)
    (replies,) = ask_elsewhere([Request((), "answer", ({}, {}))], command=[sys.executable, "-c", code])
    assert lessons(replies) == ["crashed"] * 2


@pytest.mark.parametrize(
    "code", ["", "print(3)", "raise SystemExit(1)", "print('[' * 10**8)", "while True: print('ready')"]
)
def test_a_process_that_never_was_ready_is_nobodys_answer(code):
    with (
        pytest.raises(SetUpFailed),
        Answering([sys.executable, "-c", code], limits=Limits(set_up_seconds=3)) as process,
    ):
        process.ask(Request((), "answer", None))


FALTERING = """
import os, sys
if not os.path.exists(sys.argv[1]):
    open(sys.argv[1], "w").close()
    sys.exit(2)
from innerlab.checks.__main__ import main
main()
"""


def test_a_process_that_ends_before_it_is_there_is_started_again(tmp_path):
    with Answering([sys.executable, "-c", FALTERING, str(tmp_path / "tried")]) as process:
        assert lessons(process.ask(Request(("answer = 2",), "answer", None))) == [2]


def test_why_a_process_cannot_be_started_is_told():
    words = "print('no such place', file=__import__('sys').stderr); raise SystemExit(2)"
    with (
        pytest.raises(SetUpFailed, match=r"ended with exit code 2.*: no such place"),
        Answering([sys.executable, "-c", words]) as process,
    ):
        process.ask(Request((), "answer", None))


def test_an_answer_that_harms_the_process_harms_no_later_one():
    if not hasattr(os, "fork"):
        pytest.skip("without copies there is no process to harm")
    harm = "import os, resource\nresource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (0, 0))\nanswer = 1"
    later = Request(("answer = 2",), "answer", None, ("import decimal, wave",))
    replies = ask_elsewhere([Request((harm,), "answer", None), later])
    assert lessons(replies[1]) == [2]
    with pytest.raises(SetUpFailed):
        ask_elsewhere([Request(("answer = 2",), "answer", None, ("1 / 0",))])


ASKED = Exercise("chapter/answer", Number(0, 1), lambda case, value: None, lambda seed: [Case({})])
LIES = [
    {},
    {"value": 10**400},
    {"value": {"dict": []}},
    {"value": {"array": "AAAA", "dtype": [], "shape": {}}},
    {"problem": 3},
    {"problem": {"lesson": ["raises"], "message": {}}},
    {"problem": {"lesson": "passed"}},
    {"value": 0.5, "changed": {"x": 1}},
    {"value": 0.5, "changed": "x"},
    {"value": True},
    {"value": "\ud800"},
]


@pytest.mark.parametrize("lie", LIES)
def test_a_forged_reply_never_passes_and_never_breaks_the_judge(lie):
    verdict = mark(ASKED, lambda calls: [lie], 0)
    assert verdict.state == NOT_YET
    assert repr(Card(verdict))
    Card(verdict)._repr_html_().encode("utf-8")


def test_a_forged_reply_on_the_replies_own_channel_is_judged_like_any_other():
    forge = f'{EVERY_DESCRIPTOR}: os.write(number, b\'[{{"value": 7, "changed": []}}]\')\nos._exit(0)'
    request = Request((forge,), "answer", ({},))
    if not hasattr(os, "fork"):
        pytest.skip("without copies there is no such channel")
    verdict = mark(ASKED, lambda calls: ask_elsewhere([request])[0], 0)
    assert (verdict.state, verdict.lesson.name) == (NOT_YET, "out-of-range")


def test_an_exercise_without_cases_is_an_error_and_not_a_pass():
    empty = Exercise("chapter/answer", Number(), lambda case, value: None, lambda seed: [])
    with pytest.raises(ValueError, match="no cases"):
        mark(empty, lambda calls: [], 0)


# Cards

NASTY = "<script>alert('1')</script> & \"quotes\" \x1b[31m \ud800"


def texts_of(page):
    """The words of some HTML, tags left out."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", page))).strip()


@pytest.mark.parametrize(
    "verdict",
    [
        Verdict("chapter/own", PASSED),
        Verdict("chapter/own", PASSED, remark=NASTY),
        Verdict("chapter/own", NOT_ATTEMPTED),
        Verdict("chapter/own", NOT_YET, Lesson("a", NASTY, NASTY, NASTY), NASTY, NASTY),
        Verdict("chapter/own", NOT_YET, Lesson("a", "It is wrong."), "x = 1\ny = 2", "[1]"),
    ],
)
def test_a_card_says_the_same_as_text_and_as_html(verdict):
    card = Card(verdict)
    page = card._repr_html_()
    assert (page + repr(card)).encode("utf-8")
    assert texts_of(page) == re.sub(r"\s+", " ", repr(card)).strip()
    assert set(re.findall(r"</?(\w+)", page)) <= {"div", "span", "b"}
    assert not re.search(r"\son\w+=|javascript:|<script", page)


def test_a_card_shows_what_there_is_to_learn():
    lesson = Lesson("a", "It is wrong.", "Think of ties.", "A section")
    text = repr(Card(Verdict("chapter/own", NOT_YET, lesson, "x = 1", "[1]")))
    for part in ("Not yet: chapter/own", "x = 1", "[1]", "It is wrong.", "Think of ties.", "A section"):
        assert part in text


def test_the_summary_says_what_is_visible_and_what_a_person_marks():
    whole = Summary(dict.fromkeys("abc", PASSED), 1)
    assert repr(whole) == "3 of 3 visible checks; 1 written answer is marked by a person"
    part = Summary({"a": PASSED, "b": NOT_YET, "c": NOT_ATTEMPTED, "d": None}, 2)
    assert repr(part).splitlines() == [
        "1 of 4 visible checks; 2 written answers are marked by a person",
        "  not yet: b",
        "  not attempted: c",
        "  not run: d",
    ]
    assert texts_of(part._repr_html_()) == re.sub(r"\s+", " ", repr(part))
    assert "person" not in repr(Summary({"a": PASSED}, 0))


# check()


@pytest.fixture
def quiet(monkeypatch, tmp_path):
    """Records go to a folder of their own, and nbgrader is not there; returns the folder."""
    monkeypatch.setenv("INNERLAB_PROGRESS", str(tmp_path / "kept"))
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    return tmp_path / "kept"


def test_check_raises_only_when_nbgrader_runs_it(quiet, monkeypatch):
    wrong = {"1": "sound"}
    for answer in (wrong, ...):
        card = checks.check("pseudo_alignment/labels", answer)
        assert card.verdict.state != PASSED
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    for answer in (wrong, ...):
        with pytest.raises(checks.NotPassed, match="pseudo_alignment/labels"):
            checks.check("pseudo_alignment/labels", answer)
    assert "not attempted: labels" in repr(checks.summary("pseudo_alignment"))
    assert [record["state"] for record in records.read(quiet, "pseudo_alignment")] == [NOT_YET, NOT_ATTEMPTED] * 2


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("pseudo_alignment/nothing", "the exercises of 'pseudo_alignment' are .*labels"),
        ("pseudo_alignment", "the exercises of 'pseudo_alignment' are"),
        ("nowhere/labels", "there is no chapter"),
        ("asking/call", "there is no chapter"),
        ("../x", "there is no chapter"),
        ("", "there is no chapter"),
        (len, "the name comes first"),
    ],
)
def test_an_unknown_name_is_a_clear_error(name, says, quiet):
    with pytest.raises(ValueError, match=says):
        checks.check(name, 1)
    assert not quiet.exists()


def test_hostile_answers_get_a_card_and_no_traceback(quiet):
    class Everything:
        def __getattr__(self, name):
            return self

        def __call__(self, *args, **kwargs):
            return self

    liar = Named("liar", (), {"__call__": lambda self, *args, **kwargs: self})()
    for answer in (Everything(), liar, partial(print), type):
        assert "Not yet" in repr(checks.check("pseudo_alignment/lean", answer))


# Records


def passed(own="own"):
    return Verdict(f"chapter/{own}", PASSED)


def test_records_are_added_to_and_what_cannot_be_read_is_left_out(quiet):
    records.keep(passed("first"), "x = 1")
    file = quiet / "chapter.jsonl"
    first = file.read_bytes()
    with file.open("a") as out:
        out.write('{"exercise": "half\n[1, 2]\n\n{"exercise": "other"}\n')
    records.keep(Verdict("chapter/second", NOT_YET, Lesson("a-lesson", "")), "x = 2")
    assert file.read_bytes().startswith(first)
    found = records.read(quiet, "chapter")
    assert [record["exercise"] for record in found] == ["first", "second"]
    assert found[1]["lesson"] == "a-lesson"
    assert found[0]["source"] == records.source_hash("x = 1  \n") != found[1]["source"]
    assert records.read(quiet, "elsewhere") == []


def test_a_record_that_cannot_be_kept_fails_no_check(quiet, capsys):
    quiet.write_text("a file stands in the way")
    checks.check("pseudo_alignment/labels", ...)
    assert "could not be kept" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root, and Windows, write anywhere")
def test_a_folder_that_cannot_be_written_to_fails_no_check(quiet, capsys):
    quiet.mkdir()
    quiet.chmod(stat.S_IRUSR | stat.S_IXUSR)
    checks.check("pseudo_alignment/labels", ...)
    assert "could not be kept" in capsys.readouterr().err


def test_where_records_are_kept(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INNERLAB_PROGRESS", "")
    records.keep(passed(), "")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.delenv("INNERLAB_PROGRESS")
    records.keep(passed(), "")
    assert (tmp_path / ".progress" / "chapter.jsonl").is_file()
    monkeypatch.setenv("INNERLAB_PROGRESS", str(tmp_path / "there" / "too"))
    records.keep(passed(), "")
    assert (tmp_path / "there" / "too" / "chapter.jsonl").is_file()


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("def lean(x): return x", {"lean"}),
        ("lean, other = 1, 2", {"lean", "other"}),
        ("lean: int = 3", {"lean"}),
        ("lean", set()),
        ("print(lean)", set()),
        ("def other():\n    lean = 1", {"other"}),
        ("%%time\nlean = 1", {"lean"}),
        ("%matplotlib inline\n!ls\nlean = 1", {"lean"}),
        ("lean = (7\n  % 2)", {"lean"}),
        ("lean = ", set()),
    ],
)
def test_the_names_that_a_cell_binds(cell, names):
    assert records.bound(cell) == names


def test_the_cell_that_bound_the_answer_is_found_in_a_shell(tmp_path):
    cells = [
        "lean = 1",
        "%%time\ndef lean(x):\n    return x",
        "lean",
        "print(source('lean', lean))",
        "lean = partial(lean, 2)",
        "print(source('lean', lean))",
        "print(repr(source('nothing', 3)))",
    ]
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_cell('from functools import partial; from innerlab.checks.records import answer_source as source')\n"
        f"for cell in {cells!r}: shell.run_cell(cell, store_history=True)\n"
    )
    environment = os.environ | {"IPYTHONDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    text = done.stdout.replace("\r\n", "\n")
    assert cells[1] + "\n" in text
    assert text.rstrip().endswith(f"{cells[4]}\n''")


# What a hostile answer may send to be looked at


@pytest.mark.parametrize(
    ("value", "lesson"),
    [
        (["x" * 900_000] + [""] * 20_000, "wrong-type"),  # as an array of text: 72 GB
        ([1.0] * 100_000, "wrong-shape"),
        ([[[[1.0]]]], "wrong-shape"),
        ([np.zeros(90_000)] * 9, "wrong-shape"),
        ([None], "wrong-type"),
    ],
)
def test_an_array_is_made_of_no_more_than_was_asked_for(value, lesson):
    tracemalloc.start()
    with pytest.raises(Misfit) as misfit:
        Array((3,)).read(value)
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert misfit.value.lesson == lesson
    assert taken < 10_000_000


def test_sides_without_end_do_not_travel():
    with pytest.raises(Misfit):
        pack(np.zeros((10**7, 0)))
    for shape in ([10**7, 0], [-1], ["3"], [True], 3):
        with pytest.raises(Misfit):
            unpack({"array": "", "dtype": "float64", "shape": shape})
    with pytest.raises(Misfit):
        pack([""] * 1_000_001)
    with pytest.raises(Misfit):
        Items(Number(), 0, 5).read(np.zeros(10**6))
