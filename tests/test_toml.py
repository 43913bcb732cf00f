"""Places in TOML: each value's span is its own text, whatever is written around it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnshape.errors import RequestError
from rnnshape.sources.toml import KeyPath, TOMLText
from tests.strategies import examples

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# Contents that look like the end of a string, a comment, a table or another value.
ODD = (
    "",
    '"',
    "'",
    '""',
    "''",
    "#",
    "[a]",
    "=",
    "\\",
    "a.b",
    "{}",
    "]]",
    "\u5c42",
    "\U0001f600",
    " ",
)
SCALARS = (
    *("1", "-1_000", "+0", "0xdead_BEEF", "0o17", "0b1", "1.5", "-1e10", "+1.0E-3", "inf", "-nan"),
    *("true", "false", "1979-05-27", "07:32:00", "00:32:00.999999", "1979-05-27T07:32:00Z"),
    *("1979-05-27 07:32:00", "1979-05-27T00:32:00.5-07:00"),
)


@dataclass
class Written:
    """A document as it is written, and where each value went."""

    draw: st.DrawFn
    newline: str
    text: str = ""
    places: dict[KeyPath, tuple[int, str]] = field(default_factory=dict)  # start, literal
    keys: int = 0

    def key(self) -> tuple[str, str]:
        """A key that no other table has, and how it is written."""
        self.keys += 1
        name = f"{self.draw(st.sampled_from(ODD))}{self.keys}"
        quoted = [json.dumps(name, ensure_ascii=False)]
        if "'" not in name:
            quoted.append(f"'{name}'")
        if name.isascii() and name.isalnum():
            quoted.append(name)
        return name, self.draw(st.sampled_from(quoted))

    def keys_(self) -> tuple[KeyPath, str]:
        """One key, or several with dots between."""
        pairs = [self.key() for _ in range(self.draw(st.integers(1, 3)))]
        dot = self.draw(st.sampled_from((".", " . ", "\t.")))
        return tuple(name for name, _ in pairs), dot.join(shown for _, shown in pairs)

    def write(self, text: str) -> None:
        self.text += text.replace("\n", self.newline)

    def gap(self) -> None:
        """Anything that may stand between the values of an array."""
        self.write(self.draw(st.sampled_from(("", " ", "\n", '  # it\'s "odd" ]\n', "\t\n\n"))))

    def value(self, path: KeyPath, depth: int) -> None:
        start = len(self.text)
        kinds = ("scalar", "scalar", "string", "string", "array", "inline")
        kind = self.draw(st.sampled_from(kinds if depth else kinds[:4]))
        if kind == "scalar":
            self.write(self.draw(st.sampled_from(SCALARS)))
        elif kind == "string":
            self.write(self.string())
        elif kind == "array":
            self.array(path, depth)
        else:
            self.inline(path, depth)
        self.places[path] = start, self.text[start:]

    def string(self) -> str:
        inside = "".join(self.draw(st.lists(st.sampled_from(ODD), max_size=4)))
        lines = f"{inside}\n{inside}"
        forms = [json.dumps(inside, ensure_ascii=False)]
        if "'" not in inside:
            forms.append(f"'{inside}'")
        if "'''" not in inside:
            forms += [f"'''\n{lines}'''"] if not inside.endswith("'") else [f"'''{inside}'''"]
        escaped = inside.replace("\\", "\\\\")
        if '"""' not in inside:
            forms.append(f'"""{escaped}\n \\"{escaped}\\\n  """')
            forms.append(f'"""{escaped}"""')
        usable = [form for form in forms if _is_value(form)]
        return self.draw(st.sampled_from(usable))

    def array(self, path: KeyPath, depth: int) -> None:
        self.write("[")
        self.gap()
        for index in range(count := self.draw(st.integers(0, 3))):
            self.value((*path, index), depth - 1)
            self.gap()
            if index < count - 1 or self.draw(st.booleans()):
                self.write(",")
                self.gap()
        self.write("]")

    def inline(self, path: KeyPath, depth: int) -> None:
        self.write("{")
        for index in range(self.draw(st.integers(0, 3))):
            self.write(", " if index else " ")
            self.pair(path, depth - 1)
        self.write(" }")

    def pair(self, table: KeyPath, depth: int) -> None:
        names, shown = self.keys_()
        self.write(f"{shown}{self.draw(st.sampled_from(('=', ' = ')))}")
        self.value((*table, *names), depth)

    def end_line(self) -> None:
        self.write(self.draw(st.sampled_from(("\n", "\n\n", "  # [no] = 'table'\n", "\t\n"))))


@st.composite
def documents(draw: st.DrawFn) -> Written:
    """Tables out of order, arrays of tables and tables within these, and all kinds of values."""
    written = Written(draw, newline=draw(st.sampled_from(("\n", "\r\n"))))
    if draw(st.booleans()):
        written.text = "\ufeff"
    headers: list[tuple[KeyPath, str]] = []
    arrays: list[tuple[KeyPath, str, int]] = []
    outermost: tuple[KeyPath, str] = ((), "")
    table: KeyPath = ()
    for _ in range(draw(st.integers(0, 5))):
        for _ in range(draw(st.integers(0, 3))):
            written.write(draw(st.sampled_from(("", "  ", "# comment\n"))))
            written.pair(table, 2)
            written.end_line()
        names, shown = written.keys_()
        around = draw(st.sampled_from([outermost, *headers]))
        path, shown = (*around[0], *names), f"{around[1]}{shown}"
        start = len(written.text)
        if draw(st.booleans()):
            written.write(f"[ {shown} ]")
            table = path
            headers.append((path, f"{shown}."))
        else:
            number = 0
            if draw(st.booleans()) and arrays:
                path, shown, number = arrays.pop()
            written.write(f"[[{shown}]]")
            arrays.append((path, shown, number + 1))
            table = (*path, number)
            headers = [each for each in headers if each[1] != f"{shown}."]
            headers = [each for each in headers if not each[1].startswith(f"{shown}.")]
            arrays = [each for each in arrays if not each[1].startswith(f"{shown}.")]
            headers.append((table, f"{shown}."))
        written.places[table] = start, written.text[start:]
        written.end_line()
    if draw(st.booleans()):
        written.pair(table, 2)  # no newline at the end
    return written


def _is_value(form: str) -> bool:
    try:
        tomllib.loads(f"x = {form}")
    except ValueError:
        return False
    return True


def at(values: Any, path: KeyPath) -> Any:
    for key in path:
        values = values[key]
    return values


def leaves(values: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """The paths of everything, tables and arrays too."""
    members = values.items() if isinstance(values, Mapping) else enumerate(values)
    for key, value in members:
        yield (*path, key)
        if isinstance(value, (dict, list)):
            yield from leaves(value, (*path, key))


def same(one: Any, other: Any) -> bool:
    """Equal, where nan equals itself."""
    return repr(one) == repr(other)


@examples(200)
@given(documents())
def test_the_span_of_a_value_is_its_text(written: Written) -> None:
    document = TOMLText.of(written.text, "a.toml")
    for path, (start, literal) in written.places.items():
        assert document.spans[path] == (start, start + len(literal)), path
        assert document.line(path) == written.text.count("\n", 0, start) + 1
    assert set(document.spans) == set(leaves(document.values))


@examples(200)
@given(documents())
def test_a_span_read_by_itself_gives_the_value(written: Written) -> None:
    document = TOMLText.of(written.text, "a.toml")
    for path, (_, literal) in written.places.items():
        value, (start, _) = at(document.values, path), document.spans[path]
        if not (isinstance(value, dict) and literal.startswith("[")):  # a header
            (own,) = tomllib.loads(f"x = {written.text[start : start + len(literal)]}").values()
            assert same(own, value), path


FRAGMENTS = (
    *(
        "a",
        "b",
        ".",
        "=",
        " = ",
        "1",
        "1.5",
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        ",",
        "\n",
        "\r\n",
        " ",
    ),
    *(
        '"',
        "'",
        '"""',
        "'''",
        "\\",
        "#",
        "\t",
        "[a]\n",
        "[[a]]\n",
        "a = 1\n",
        "[a.b]\n",
        "a.b = 1\n",
    ),
    *("true", "1979-05-27 07:32:00", "\ufeff", "\u5c42", "\x00", "x = [", "y = {", '"""\n', "\r"),
)


@examples(800)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join))
def test_any_text_is_refused_or_has_a_place_for_everything_in_it(text: str) -> None:
    try:
        document = TOMLText.of(text, "a.toml")
    except RequestError as error:
        assert error.problem.startswith("a.toml:")  # noqa: PT017 - either is right
        return
    assert set(document.spans) == set(leaves(document.values))
    for path in document.spans:
        assert 1 <= document.line(path) <= text.count("\n") + 1


@examples(150)
@given(documents(), st.data())
def test_a_text_that_has_lost_or_gained_something_is_refused_or_placed(
    written: Written, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(written.text)))
    gone = data.draw(st.integers(0, 3))
    gained = data.draw(st.sampled_from(("", *FRAGMENTS)))
    text = written.text[:place] + gained + written.text[place + gone :]
    try:
        document = TOMLText.of(text, "a.toml")
    except RequestError:
        return
    assert set(document.spans) == set(leaves(document.values))


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("a = 1\nb = 2", ("b",), 2),
        ("a = [\n  1,\n\n  2,\n]", ("a", 1), 4),
        ("[x]\n[x.y]\nz = 1", ("x", "y", "z"), 3),
        ("[x.y]\nz = 1\n[x]\nw = 2", ("x", "w"), 4),
        ("[x.y]\n[x]", ("x",), 1),
        ("[[x]]\na = 1\n[[x]]\na = 2", ("x", 1, "a"), 4),
        ("[[x]]\n[x.y]\na = 1\n[[x]]\n[x.y]\na = 2", ("x", 1, "y", "a"), 6),
        ("[[x]]\n[[x.y]]\n[[x]]\n[[x.y]]\na = 2", ("x", 1, "y", 0, "a"), 5),
        ('a = """\n\n"""\nb = 1', ("b",), 4),
        ("a = 1\r\nb = 2\r\n", ("b",), 2),
        ("a = 1\n\n[x]\nb = 1", ("x", "nothing"), 3),
        ("a = 1", ("nothing",), 1),
        ("\ufeffa = 1\nb = 2", ("b",), 2),
    ],
)
def test_a_line_is_that_of_the_value_or_of_the_table_around_it(
    text: str, path: KeyPath, line: int
) -> None:
    assert TOMLText.of(text, "a.toml").line(path) == line


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("a = 1\nb =\n", "2:4: invalid value", "correct the TOML there"),
        ("a = 1\r\nb =\r\n", "2:4: invalid value", "correct the TOML there"),
        ("a = 1\n[modules", "2:9: expected ']' at the end of a table", "correct the TOML there"),
        ("[a]\n\n[a]\n", "3:3: cannot declare", "correct the TOML there"),
        ("a.b = 1\n[a]\n", "2:3: cannot declare", "correct the TOML there"),
        ('["a b".c]\n["a b".c]\n', "2:9: cannot declare", "correct the TOML there"),
        ("a = 1\na = 2\n", "2:6: cannot overwrite a value", "correct the TOML there"),
        ("a = " + "9" * 5_000, "an integer has too many digits", "give a smaller number"),
        ("a = " + "[" * 100_000, "nested too deeply", "at most an array"),
        ("a = " + "{a=" * 100_000, "nested too deeply", "at most an array"),
    ],
    ids=lambda text: repr(text[:20]),
)
def test_bad_toml_is_told_with_its_place(text: str, problem: str, hint: str) -> None:
    with pytest.raises(RequestError) as caught:
        TOMLText.of(text, "a.toml")
    assert caught.value.problem.startswith("a.toml:")
    assert problem in caught.value.problem
    assert hint in caught.value.hint


@pytest.mark.parametrize("depth", [50, 99, 100, 300, 310, 320, 330, 400, 480, 495])
@pytest.mark.parametrize("form", [("[", "1", "]"), ("{a=", "1", "}")], ids=["array", "inline"])
def test_nesting_is_read_or_refused(form: tuple[str, str, str], depth: int) -> None:
    opening, inside, closing = form
    text = f"a = {opening * depth}{inside}{closing * depth}"
    try:
        document = TOMLText.of(text, "a.toml")
    except RequestError as error:
        assert "nested too deeply" in error.problem  # noqa: PT017 - either is right
        assert depth >= 100
    else:
        assert len(document.spans) == depth + 1


LONG = {
    "tables": lambda n: "".join(f"[m{i}]\na = 1\n" for i in range(n)),
    "arrays of tables": lambda n: "[[m]]\na = 1\n[m.b]\nc = 1\n" * n,
    "pairs": lambda n: "".join(f"a{i} = 1\n" for i in range(2 * n)),
    "an array": lambda n: f"a = [{'1, ' * 3 * n}]",
    "an array over lines": lambda n: "a = [\n" + '"x", # "\n' * 2 * n + "]",
    "a long string": lambda n: f'a = "{"ab " * 40 * n}"',
    "a long multi-line string": lambda n: f"""a = '''{"it''s" * 20 * n}'''""",
    "quotes": lambda n: "".join(f"a{i} = ['', '''''', \"\", '''x''''']\n" for i in range(n)),
    "escapes": lambda n: f'a = """{chr(92) * 2 * 40 * n}"""',
    "comments": lambda n: f"#{'# [' * 40 * n}\n" * 2,
    "blanks": lambda n: " \n" * 20 * n,
}


@pytest.mark.parametrize("make", LONG.values(), ids=LONG)
def test_places_take_time_in_proportion_to_the_text(make: Any) -> None:
    def seconds(size: int) -> float:
        text = make(size)
        values = []
        for _ in range(3):
            start = process_time()
            TOMLText.of(text, "a.toml").line(("m",))
            values.append(process_time() - start)
        return min(values)

    # Sixteen times the text takes sixteen times as long, or 256 times if it is quadratic.
    # Other work on the machine may slow down one attempt, but hardly three.
    assert any(seconds(8_000) < 80 * max(seconds(500), 0.001) for _ in range(3))
