"""The interpreter of pickles: plain values are what Python's pickle gives, all else is a record."""

from __future__ import annotations

import io
import pickle
import struct
from collections import OrderedDict, defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnshape.errors import RequestError
from rnnshape.sources.files.pickled import Global, Known, Long, Pickles, Record, interpret
from tests.strategies import examples

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=()), max_size=20)
    | st.binary(min_size=1, max_size=20),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=5).map(tuple)
        | st.dictionaries(st.text(max_size=5) | st.integers(-9, 300), inner, max_size=5)
    ),
    max_leaves=20,
)


def read(data: bytes, known: Known | None = None) -> Any:
    return interpret(Pickles(io.BytesIO(data), len(data)), known or {}, lambda name: [name])


def refusal(data: bytes) -> str:
    with pytest.raises(RequestError) as refused:
        read(data)
    return refused.value.problem.removeprefix("the pickle in it ")


@given(value=PLAIN, protocol=st.integers(0, pickle.HIGHEST_PROTOCOL))
@examples(300)
def test_a_plain_value_is_what_was_pickled(value: Any, protocol: int) -> None:
    assert repr(read(pickle.dumps(value, protocol))) == repr(value)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_stands_twice_is_one_object(protocol: int) -> None:
    shared: list[Any] = ["text", 2.5]
    first, second = read(pickle.dumps([shared, shared], protocol))
    assert first is second
    assert first == shared


OPCODES = [
    *(b"I42\n.", b"I-7\n.", b"I01\n.", b"I00\n.", b"L42L\n.", b"L-7\n.", b"F-1.5\n."),
    *(b"K\xff.", b"M\x01\x02.", b"J\xfe\xff\xff\xff.", b"G\xbf\xf8\0\0\0\0\0\0."),
    *(b"\x8a\0.", b"\x8a\x02\0\xff.", b"\x8b\x01\0\0\0\x05.", b"\x88.", b"\x89.", b"N."),
    *(b"S'a b'\n.", b'S"a\'"\n.', rb"S'\\ \' \n\r\t\x41'" + b"\n.", b"V\\u00e9x\n."),
    *(b"U\x03abc.", b"T\x03\0\0\0abc.", b"X\x02\0\0\0\xc3\xa9.", b"\x8c\x03abc."),
    *(b"\x8d\x03\0\0\0\0\0\0\0abc.", b"C\x02\x00\xff.", b"B\x02\0\0\0ab."),
    *(b"\x8e\x02\0\0\0\0\0\0\0ab.", b"\x96\x02\0\0\0\0\0\0\0ab."),
    *(b"(I1\nI2\nt.", b"(I1\nI2\nl.", b"(I1\nI2\nd.", b"(t.", b"(l.", b"(d.", b").", b"].", b"}."),
    *(b"K\x01\x85.", b"K\x00K\x01K\x02\x86.", b"K\x00K\x01K\x02K\x03\x87."),
    *(b"]K\x01a.", b"](K\x01K\x02e.", b"}K\x01K\x02s.", b"}(K\x01K\x02K\x03K\x04u."),
    *(b"S''\n.", b'S""\n.', b"K\x01K\x022\x87."),
    *(b"K\x012\x86.", b"K\x01K\x020.", b"N(0.", b"K\x01(K\x02K\x031."),
    *(b"K\x01p7\n0g7\n.", b"K\x01q\x070h\x07.", b"K\x01r\x07\x01\0\0K\x02j\x07\x01\0\0."),
    *(b"K\x01\x94K\x02\x94h\x00h\x01\x86.", b"\x80\x05N.", b"\x95\x02\0\0\0\0\0\0\0N."),
    *(b"K\x01p0\n0K\x02p0\n0g0\n.", b"(K\x01(K\x02tt."),
]


@pytest.mark.parametrize("data", OPCODES)
def test_an_opcode_does_what_it_does_in_python(data: bytes) -> None:
    assert repr(read(data)) == repr(pickle.loads(data)).replace("bytearray(b'ab')", "b'ab'")  # noqa: S301


@pytest.mark.parametrize("data", [*OPCODES, b"cab\ncd\n.", b"Pid\n.", b"\x82\x07.", b"\x98N."])
def test_every_beginning_of_a_pickle_is_refused(data: bytes) -> None:
    for count in range(len(data)):
        before = io.BytesIO(b"....." + data[:count])
        before.seek(5)
        with pytest.raises(RequestError) as refused:
            interpret(Pickles(before, 5 + count), {}, lambda name: [name])
        near = f"the pickle in it is damaged near byte {max(count - 1, 0)}: it ends there"
        assert refused.value.problem == near


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"N\xff.", r"damaged near byte 1: b'\xff' is not an opcode"),
        (b"Ix\n.", "damaged near byte 2: a value cannot be read"),
        (b"C\x05ab", "damaged near byte 3: it ends there"),
        (b".", "damaged near byte 0: it needs a value that is not there"),
        (b"NN\x87.", "damaged near byte 2: it needs a value that is not there"),
        (b"t.", "damaged near byte 0: it needs a value that is not there"),
        (b"g5\n.", "damaged near byte 2: it needs a value that is not there"),
        (b"\x80\x06N.", "damaged near byte 1: its protocol is 6; only 0 to 5 exist"),
        (b"T\xff\xff\xff\xff.", "damaged near byte 4: a string has a negative length"),
        (b"\x8b\xff\xff\xff\xff.", "damaged near byte 4: an integer has -1 bytes"),
        (b"\x8b\x01\x04\0\0", "damaged near byte 4: an integer has 1,025 bytes"),
        (b"I" + b"1" * 1024 + b"\n.", "damaged near byte 1,024: a line is too long"),
        (b"I" + b"1" * 1023, "damaged near byte 1,023: it ends there"),
        (b"Sab\n.", "damaged near byte 3: a string has no quotes"),
        (b"Saba\n.", "damaged near byte 4: a string has no quotes"),
        (b"S'\n.", "damaged near byte 2: a string has no quotes"),
        (b"S'a\"\n.", "damaged near byte 4: a string has no quotes"),
        (b"K\x01\x8c\x01a\x93.", "damaged near byte 5: a name is not a string"),
        (b"\x8c\x01aK\x01\x93.", "damaged near byte 5: a name is not a string"),
        (b"}K\x01a.", "damaged near byte 3: it appends to something that is not a list"),
        (b"]K\x01K\x02s.", "damaged near byte 5: it stores something without a key"),
        (b"}(K\x01u.", "damaged near byte 4: it stores something without a key"),
        (b"(K\x01d.", "damaged near byte 3: it stores something without a key"),
    ],
)
def test_a_damaged_pickle_is_refused_with_the_place(data: bytes, problem: str) -> None:
    assert refusal(data) == f"is {problem}"


@pytest.mark.parametrize(
    ("data", "end"), [(b"N.", 1), (b"X\x88\x13\0\0" + b"a" * 5000 + b".", 2000)]
)
def test_what_follows_the_pickles_in_the_file_is_not_theirs(data: bytes, end: int) -> None:
    with pytest.raises(RequestError, match="it ends there"):
        interpret(Pickles(io.BytesIO(data), end), {}, list)


def test_an_integer_may_have_1024_bytes() -> None:
    assert read(b"\x8b\x00\x04\0\0" + b"\xff" * 1023 + b"\x7f.") == 2 ** (8 * 1024 - 1) - 1


@pytest.mark.parametrize("length", [1, 2, 1000, 200_000])
@pytest.mark.parametrize("kind", ["text", "bytes", "line"])
def test_of_a_text_of_more_than_1024_bytes_the_beginning_is_kept(kind: str, length: int) -> None:
    def pickled(count: int) -> bytes:
        if kind == "line":
            return b"V" + b"a" * count + b"\nK\x07\x86."
        letter = b"X" if kind == "text" else b"B"
        return letter + struct.pack("<I", count) + b"a" * count + b"K\x07\x86."

    longest = 1023 if kind == "line" else 1024  # of a line the end counts too
    whole, seven = read(pickled(longest))
    assert (len(whole), seven) == (longest, 7)
    cut, seven = read(pickled(longest + length))
    assert type(cut) is Long
    assert (cut.head, seven) == (b"a" * 1024, 7)
    assert refusal(pickled(longest + length)[: longest + length]).endswith("it ends there")


def test_what_is_read_of_several_pickles_is_limited_together() -> None:
    data = b"N.NN."
    source = Pickles(io.BytesIO(data), len(data))
    source.steps = 5
    assert interpret(source, {}, list) is None
    assert source.steps == 3
    assert interpret(source, {}, list) is None
    assert source.steps == 0
    source.file.seek(0)
    with pytest.raises(RequestError, match="has more than 4,000,000 steps"):
        interpret(source, {}, list)


@pytest.mark.parametrize(
    "data",
    [b"U\x04abcd.", b"C\x04abcd.", b"cab\ncd\n.", b"Vabc\n.", b"\x8c\x02ab\x8c\x02cd\x93."],
)
def test_the_texts_of_pickles_are_limited_together(data: bytes) -> None:
    kept = 8 if data.endswith(b"\x93.") else 4  # a name of the stack is kept twice
    source = Pickles(io.BytesIO(data * 3), 3 * len(data))
    assert source.text == 32 << 20
    source.text = 2 * kept
    interpret(source, {}, list)
    interpret(source, {}, list)
    assert source.text == 0
    source.text = kept - 1
    with pytest.raises(RequestError, match=r"has more than 32 MiB of strings"):
        interpret(source, {}, list)


def call(data: bytes) -> Record:
    made = read(data)
    assert type(made) is Record
    return made


@pytest.mark.parametrize(
    "data",
    [
        b"cm.n\nC\n(K\x01K\x02tR.",
        b"\x8c\x03m.n\x8c\x01C\x93K\x01K\x02\x86R.",
        b"cm.n\nC\nK\x01K\x02\x86\x81.",
        b"(K\x01K\x02im.n\nC\n.",
        b"(cm.n\nC\nK\x01K\x02o.",
    ],
)
def test_a_call_is_a_record_of_it_unless_it_is_known(data: bytes) -> None:
    made = call(data)
    assert (made.of.path, made.args, made.state) == ("m.n.C", (1, 2), None)
    assert read(data, {"m.n.C": sum}) == 3


def test_a_call_that_python_would_refuse_is_a_record() -> None:
    assert type(read(b"cm\nC\nK\x01R.", {"m.C": sum})) is Record
    assert call(b"K\x01)R.").of == 1


def test_a_record_has_what_is_stored_in_the_object() -> None:
    made = call(b"cm\nC\n)R(K\x01e(K\x02e(K\x03K\x04u(K\x05K\x06u}K\x07K\x08sb.")
    assert (made.items, made.pairs, made.state) == ([1, 2], {3: 4, 5: 6}, {7: 8})
    below, made = read(b"cm\nC\n)Rcm\nC\n)RK\x01b\x86.")
    assert (below.state, made.state) == (None, 1)
    named = call(b"cm\nC\nK\x01\x85}K\x02K\x03s\x92.")
    assert (named.args, named.state) == ((1,), {2: 3})
    assert read(b"cm\nC\n)}\x92.", {"m.C": list}) == []


def test_what_is_kept_outside_is_asked_for() -> None:
    assert read(b"Pid\n.") == ["id"]
    assert read(b"\x8c\x02idQ.") == ["id"]


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (b"\x82\x07.", "copyreg.extension 7"),
        (b"\x83\x07\x01.", "copyreg.extension 263"),
        (b"\x84\x07\0\x01\0.", "copyreg.extension 65543"),
    ],
)
def test_an_extension_is_a_name_with_its_number(data: bytes, path: str) -> None:
    assert read(data).path == path


def test_a_buffer_is_a_record() -> None:
    assert call(b"\x97\x98.").of.path == "builtins.buffer"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_collections_are_lists_and_dicts(protocol: int) -> None:
    ordered = OrderedDict(b=1, a=2)
    counted = defaultdict(list, {"a": [1]})
    values = [{1}, frozenset({2}), ordered, counted, set()]
    assert read(pickle.dumps(values, protocol)) == [[1], [2], {"b": 1, "a": 2}, {"a": [1]}, []]
    assert list(read(pickle.dumps(ordered, protocol))) == ["b", "a"]


def test_other_ways_to_make_collections_are_records() -> None:
    for path in ("collections.OrderedDict", "builtins.set"):
        module, name = path.encode().split(b".")
        made = call(b"c%b\n%b\nK\x05\x85R." % (module, name))
        assert (made.of.path, made.args) == (path, (5,))
    made = call(b"ccollections\ndefaultdict\nK\x05K\x06\x86R.")
    assert (made.of.path, made.args) == ("collections.defaultdict", (5, 6))
    made = call(b"c_codecs\nencode\n\x8c\x01a\x8c\x04utf8\x86R.")
    assert (made.of.path, made.args) == ("_codecs.encode", ("a", "utf8"))


def test_long_bytes_of_an_old_protocol_keep_their_beginning() -> None:
    made = read(pickle.dumps(b"\xe9" * 2000, protocol=2))
    assert type(made) is Long
    assert made.head == b"\xe9" * 512  # two bytes each in the 1,024 that are read


class Table(dict[str, int]):
    """A class derived from dict."""


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_object_is_a_record_of_its_class(protocol: int) -> None:
    table = Table(a=1)
    table.__dict__["b"] = 2
    made = call(pickle.dumps(table, protocol))
    assert made.of.path.endswith(".Table")
    assert made.pairs == {"a": 1}
    assert made.state == {"b": 2}


def test_an_object_without_a_class_is_a_record() -> None:
    assert call(b"ccopyreg\n__newobj__\n)R.").of is None


@pytest.mark.parametrize("key", ["a", b"a", 1.5, None, 2**60 - 1, -(2**60 - 1)])
def test_a_key_that_is_hashed_at_once_is_a_key(key: Any) -> None:
    assert read(pickle.dumps({key: 1}, 4)) == {key: 1}


@pytest.mark.parametrize("key", [2**60, -(2**60), (1, 2)])
def test_another_key_is_a_record_of_it(key: Any) -> None:
    (made,) = read(pickle.dumps({key: 1}, 4))
    assert (made.of.path, made.args) == ("builtins.tuple", (key,))


def test_a_name_is_no_more_than_its_path() -> None:
    made = read(b"cos\nsystem\n.")
    assert type(made) is Global
    assert made.path == "os.system"
