"""The manifest: what its keys may be, and that all that is wrong is told at once, with its line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnshape.sources.manifest import Manifest, manifest_of
from rnnshape.sources.toml import TOMLText
from rnnshape.words import basic_string
from tests.program import call, shell

MODULE = '[modules.a]\ntarget = "nn.LSTM(20, 40)"\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def manifest(text: str, *root: str) -> Manifest:
    return manifest_of(TOMLText.of(text, "rnnshape.toml"), root)


def refused(text: str | bytes, *words: str, name: str = "rnnshape.toml") -> list[tuple[str, str]]:
    """What a file is told, as pairs of an error and a hint, without their beginnings."""
    Path(name).write_bytes(text.encode() if isinstance(text, str) else text)
    result = call("check", name, "--no-run", *words)
    assert (result.code, result.out) == (2, "")
    return pairs(result.err)


def pairs(err: str) -> list[tuple[str, str]]:
    lines = err.splitlines()
    errors, hints = lines[::2], lines[1::2]
    assert all(line.startswith("error: ") for line in errors)
    assert all(line.startswith("hint: ") for line in hints)
    return [
        (error.removeprefix("error: "), hint.removeprefix("hint: "))
        for error, hint in zip(errors, hints, strict=True)
    ]


def lines(told: list[tuple[str, str]]) -> list[int]:
    return [int(error.split(":")[1]) for error, _ in told]


# Keys and what they mean


@pytest.mark.parametrize(
    ("keys", "shape"),
    [
        ("", [10, 5, 20]),
        ("input_shape = [7, 3, 20]", [7, 3, 20]),
        ("input_shape = [7, 20]", [7, 20]),
        ("batch_size = 0", [10, 0, 20]),
        ("batch_size = 3\nseq_len = 7", [7, 3, 20]),
        ("batch = 3\nseq = 7", [7, 3, 20]),
        ("batch = 3\ninput_shape = [7, 3, 20]", [7, 3, 20]),
        ("unbatched = true", [10, 20]),
        ("unbatched = false", [10, 5, 20]),
        ("lengths = [7, 3, 2]", [7, 3, 20]),
        ("lengths = [3]\nseq_len = 9", [9, 1, 20]),
    ],
)
def test_keys_tell_the_input(keys: str, shape: list[int]) -> None:
    sizes = ",".join(map(str, shape))
    Path("rnnshape.toml").write_text(f'{MODULE}expect = ["input = {sizes}"]\n{keys}\n')
    assert call("check", "--no-run").code == 0


@pytest.mark.parametrize(
    ("target", "shape", "h_1"),
    [("lstm --cell", [7, 20], "7,40"), ("nn.GRUCell(20, 40)", [20], "40,")],
)
def test_the_input_of_a_cell_has_no_steps(target: str, shape: list[int], h_1: str) -> None:
    Path("rnnshape.toml").write_text(
        f'[modules.a]\ntarget = "{target}"\ninput_shape = {shape}\nexpect = ["h_1 = {h_1}"]\n'
    )
    assert call("check", "--no-run").code == 0


@pytest.mark.parametrize(
    ("keys", "expectation"),
    [
        ('dtype = "float64"', "parameter_bytes = 79360"),  # 9,920 of 8 bytes
        ('dtype = "torch.half"', "parameter_bytes = 19840"),
        ("with_state = true", "h_0 = 1,5,40"),
    ],
)
def test_keys_tell_the_type_and_the_state(keys: str, expectation: str) -> None:
    Path("rnnshape.toml").write_text(f'{MODULE}{keys}\nexpect = ["{expectation}"]\n')
    assert call("check", "--no-run").code == 0


def test_an_option_wins_over_a_key() -> None:
    Path("rnnshape.toml").write_text(
        f'{MODULE}dtype = "float64"\nexpect = ["parameter_bytes = 19840"]\n'
    )
    assert call("check", "--no-run").code == 1
    assert call("check", "--no-run", "--dtype", "float16").code == 0


def test_inline_tables_and_dotted_keys_are_modules_too() -> None:
    read = manifest('modules.a = { target = "gru" }\nmodules.b.target = "lstm"\n')
    assert [(entry.name, entry.target) for entry in read.entries] == [("a", "gru"), ("b", "lstm")]
    assert [read.line(entry) for entry in read.entries] == [1, 2]


@pytest.mark.parametrize("name", ["a b", "a.b", 'say "hi"', "\u5c42", "", "-", "#", "a\\b"])
def test_a_name_may_be_anything(name: str) -> None:
    text = f'[modules.{basic_string(name)}]\ntarget = "gru"\nexpect = ["params = 1"]\n'
    Path("rnnshape.toml").write_text(text, encoding="utf-8")
    assert call("check", "--no-run").code == 1
    assert call("check", "--no-run", "--only", name).code == 1
    Path("rnnshape.toml").write_text(text.replace("= 1", ">= 1"), encoding="utf-8")
    assert call("check", "--no-run", f"--only={name}").code == 0


def test_only_the_modules_that_are_named_are_checked() -> None:
    Path("rnnshape.toml").write_text(
        '[modules.a]\ntarget = "gru"\nexpect = ["params = 1"]\n[modules.b]\ntarget = "lstm"\n'
        '[modules.c]\ntarget = "no such thing"\n'
    )
    assert call("check", "--no-run").code == 2
    assert call("check", "--no-run", "--only", "a").code == 1
    result = call("check", "--no-run", "--only", "b")
    assert (result.code, "a  " in result.out) == (0, False)
    result = call("check", "--no-run", "--only", "b", "--only", "a")
    assert result.code == 1
    assert result.out.index("\na ") < result.out.index("\nb ")  # in the order of the file


def test_a_name_that_no_module_has_is_told_with_the_nearest() -> None:
    text = '[modules.encoder]\ntarget = "gru"\n[modules."x y"]\ntarget = "gru"\n'
    told = refused(text, "--only", "encodr", "--only", "y x")
    assert told == [
        ("--only encodr: there is no such module in rnnshape.toml", "--only encoder"),
        ("--only y x: there is no such module in rnnshape.toml", told[1][1]),
    ]
    assert told[1][1] in ("--only encoder", "--only 'x y'")


# What is wrong, and where

KEYS = [
    ("target = 3", "target is 3, not a string", 'target = "nn.LSTM(20, 40)"'),
    (
        'expect = "output = 3"',
        'expect is "output = 3", not an array',
        'expect = ["output = 10,5,80"]',
    ),
    ("expect = [3]", "expect is [3], not an array of strings", 'expect = ["output = 10,5,80"]'),
    ('expect = ["a = 1", 3.5]', 'expect is ["a = 1", 3.5], not an array of strings', "expect = ["),
    ('matches = ["gru"]', 'matches is ["gru"], not a string', "matches = "),
    ('input_shape = "10,5,20"', 'input_shape is "10,5,20", not an array', "[10, 5, 20]"),
    ("input_shape = []", "input_shape is [], not an array", "input_shape = [10, 5, 20]"),
    ("input_shape = [10, -5, 20]", "input_shape is [10, -5, 20], not an array of int", "[10, 5"),
    ("input_shape = [10, 5.0, 20]", "input_shape is [10, 5.0, 20], not an array", "[10, 5, 20]"),
    ("input_shape = [10, true, 20]", "input_shape is [10, true, 20], not an array", "[10, 5, 20]"),
    ("input_shape = 20", "input_shape is 20, not an array", "input_shape = [10, 5, 20]"),
    ("batch_size = -1", "batch_size is -1, not an integer of 0 or more", "batch_size = 5"),
    ("batch_size = true", "batch_size is true, not an integer", "batch_size = 5"),
    ("batch = 1.0", "batch is 1.0, not an integer", "batch = 5"),
    ("seq_len = 0", "seq_len is 0, not an integer of 1 or more", "seq_len = 10"),
    ("seq = 2024-01-01", "seq is 2024-01-01, not an integer", "seq = 10"),
    ("lengths = [3, 0]", "lengths is [3, 0], not an array of integers of 1", "[7, 3, 2]"),
    ("lengths = 3", "lengths is 3, not an array", "lengths = [7, 3, 2]"),
    ("unbatched = 1", "unbatched is 1, not true or false", "unbatched = true"),
    ('with_state = "yes"', 'with_state is "yes", not true or false', "with_state = true"),
    ("device = 0", "device is 0, not a string", 'device = "cpu"'),
    ("dtype = 32", "dtype is 32, not a string", 'dtype = "float32"'),
    ("expct = []", "unknown key expct; the keys are target, expect,", "expect, or leave it out"),
    ("zzz = 1", "unknown key zzz; the keys are target, expect,", "leave it out"),
    ('"a b" = 1', "unknown key a b; the keys are", "leave it out"),
    ("expect = { a = 1 }", "expect is a table, not an array of strings", "expect = ["),
    (f"seq_len = 0x{'f' * 5000}", "is an integer of over 500 digits, not an", "seq_len = 10"),
    (f"batch = 0b{'1' * 50_000}", "batch is an integer of over 500 digits", "batch = 5"),
    (f"batch_size = 1{'0' * 501}", "batch_size is an integer of over 500 digits", "batch_size"),
    (f"device = 0o{'7' * 9000}", "device is an integer of over 500 digits", "device = "),
    (f"lengths = [3, 0x{'f' * 5000}]", "an array with an integer of over 500 digits", "[7, 3, 2]"),
]
WORDS = [
    ('device = "tpu"', "unknown device 'tpu'", "one of cpu, cuda, cuda:1, mps, xpu, meta"),
    ('device = ""', "unknown device ''", "one of cpu, cuda, cuda:1, mps, xpu, meta"),
    ('dtype = ""', "unknown dtype ''", "one of float16, "),
    ('dtype = "int8"', "dtype int8 is not floating-point or complex", "one of float16, "),
    ('dtype = "flaot32"', "unknown dtype 'flaot32'", "one of float16, "),
    ("input_shape = [1, 2, 3, 4]", "input_shape has 3 sizes, or 2 without", "= [10, 5, 20]"),
    ("input_shape = [0, 5, 20]", "input_shape has seq_len 0", "= [1, 5, 20]"),
    ("input_shape = [9, 5, 21]", "has input_size 21, but the target has 20", "= [9, 5, 20]"),
    ('expect = ["output"]', '"output" has no operator', '"params <= 150k"'),
    ('expect = ["outptu = 1,2"]', "LSTM(20, 40) has no outptu", '"output = 1,2"; it has input,'),
    ('expect = ["parmas = 3"]', "has no parmas", '"parameters = 3"; it has'),
    ('expect = ["params => 3"]', "has the unknown operator =>", '"params >= 3"'),
    ('expect = ["params ~ 3"]', "has no operator", '"params <= 150k"'),
    ('expect = ["output <= 1,2,3"]', "shapes are compared with = only", '"output = 10,5,40"'),
    ('expect = ["params < 9,921"]', "parameters is a number", '"parameters < 9921"'),
    ('expect = ["output = 3"]', "output is a shape, and 3 is a number", '"output = 10,5,40"'),
    ('expect = ["b/params > 3"]', "is about b, which is not here", '"parameters > 3"'),
    ('expect = ["params = x"]', "x is not a number", "a number like 136960, 150k or 2MiB"),
    ('expect = [""]', '"" is empty', '"params <= 150k"'),
    (
        'matches = "rnn --batch-frst"',
        "--batch-frst is not an option",
        "in the target: rnn --batch-first",
    ),
    ('matches = "gruu"', "gruu is not a layer", "in the target: gru"),
    (
        'matches = "lstm --batch 3"',
        "--batch is not an option of a target",
        "leave --batch out of the target",
    ),
]


@pytest.mark.parametrize(
    ("key", "problem", "hint"), KEYS + WORDS, ids=[k[:60] for k, _, _ in KEYS + WORDS]
)
def test_a_wrong_value_is_told_at_its_line(key: str, problem: str, hint: str) -> None:
    text = f"# first\n\n{MODULE}\n# before\n{key}  # behind\n"
    if key.startswith("target"):
        text = text.replace('target = "nn.LSTM(20, 40)"\n', "\n")
    ((error, said),) = refused(text)
    assert error.startswith("rnnshape.toml:7: a: ")
    assert problem in error
    assert hint in said


@pytest.mark.parametrize(
    ("target", "problem", "hint"),
    [
        ("nn.LSTM(20, 4O)", "is not Python", "nn.LSTM(20, 40"),
        ("nn.LSTM(20, 40", "'(' was never closed", "nn.LSTM(20, 40"),
        ("nn.Linear(20, 40)", "nn.Linear", ""),
        ("", "'' is not a layer", "a target is"),
        ("model.pt", "there is no file model.pt", "its path is relative"),
        ("package.module:layer", "there is no module package in this folder", ""),
        ("lstm --hidden 0", "--hidden must be a whole number of 1 or more", "--hidden 1"),
        ("lstm --hiden 3", "--hiden is not an option", "lstm --hidden 3"),
        ("lstm --seq 3", "--seq is not an option of a target", "leave --seq out of the target"),
        ("lstm --proj 40", "proj_size 40 must be smaller than hidden_size 40", "--proj"),
        ("lstm 'x", "no closing quotation", "as in"),
    ],
)  # fmt: skip
def test_a_bad_target_is_told_at_its_line(target: str, problem: str, hint: str) -> None:
    ((error, said),) = refused(f"[modules.a]\nexpect = []\ntarget = {basic_string(target)}\n")
    assert error.startswith("rnnshape.toml:3: a: ")
    assert problem in error
    assert hint in said


@pytest.mark.parametrize(
    ("keys", "problem", "hint", "line"),
    [
        (
            "batch_size = 4\nunbatched = true",
            "unbatched = true is one sequence without a batch, but batch_size = 4 is given",
            "leave out unbatched or batch_size", 4,
        ),
        (
            "batch = 4\nunbatched = true",
            "unbatched = true is one sequence without a batch, but batch = 4 is given",
            "leave out unbatched or batch", 4,
        ),
        (
            "unbatched = true\ninput_shape = [10, 5, 20]",
            "without a batch, but input_shape 10,5,20 has a batch axis",
            "input_shape = [10, 20], or leave unbatched out", 3,
        ),
        (
            "seq = 3\ninput_shape = [10, 5, 20]",
            "input_shape has seq_len 10, but seq is 3", "leave seq out, or give seq = 10", 4,
        ),
        (
            "lengths = [7, 3]\nbatch_size = 3",
            "there are 2 lengths, but batch_size is 3",
            "leave batch_size out, or give batch_size = 2", 4,
        ),
        (
            "lengths = [7]\nunbatched = true",
            "unbatched = true is one sequence without a batch, but lengths = [7] is given",
            "leave out unbatched or lengths", 4,
        ),
        (
            "seq = 3\nlengths = [7]",
            "length 7 is longer than the input's 3 steps",
            "lengths = [3]: PyTorch packs the steps there are", 4,
        ),
        ("seq = 3\nseq_len = 3", "seq and seq_len are the same", "leave out seq or seq_len", 3),
        ("batch_size = 3\nbatch = 3", "batch and batch_size are the same", "leave out batch", 4),
    ],
)  # fmt: skip
def test_keys_that_contradict_each_other_are_told_by_their_names(
    keys: str, problem: str, hint: str, line: int
) -> None:
    ((error, said),) = refused(f"{MODULE}{keys}\n")
    assert error.startswith(f"rnnshape.toml:{line}: a: ")
    assert problem in error
    assert hint in said
    assert "--" not in error + said


@pytest.mark.parametrize(
    ("target", "batch_first"),
    [("nn.GRU(20, 40)", "batch_first=True"), ("gru --bidir", "--batch-first in the target")],
)
def test_a_hint_writes_each_field_as_it_is_written_where_it_belongs(
    target: str, batch_first: str
) -> None:
    ((error, hint),) = refused(
        f'[modules.a]\ntarget = "{target}"\nlengths = [4, 2, 3]\ninput_shape = [3, 5, 20]\n'
    )
    assert error == "rnnshape.toml:4: a: input_shape has batch_size 5, but there are 3 lengths"
    assert hint == f"{batch_first} makes 3 the batch, or input_shape = [4, 3, 20]"


def test_a_cell_has_no_steps() -> None:
    ((error, hint),) = refused('[modules.a]\ntarget = "lstm --cell"\nseq = 3\n')
    assert error == "rnnshape.toml:3: a: a cell takes one step, but seq = 3 is given"
    assert hint.startswith("leave seq out")


@pytest.mark.parametrize(
    ("text", "root", "line", "problem", "hint"),
    [
        ("moduls = 1\n", (), 1, "key moduls; the only key is modules", "modules, or leave it out"),
        ("modules = 3\n", (), 1, "modules is 3, not a table", "[modules.encoder]"),
        ("[[modules]]\n", (), 1, "modules is an array of tables, not a t", "[modules.encoder]"),
        ("\n[modules]\na = 3\n", (), 3, "a: it is 3, not a table", "[modules.a] and"),
        ('[modules]\n"a b" = 3\n', (), 2, "a b: it is 3, not", '[modules."a b"] and below it'),
        ("\n[modules.a]\n", (), 2, "a: it has no target", 'target = "nn.LSTM(20, 40)"'),
        ("[[modules.a]]\n", (), 1, "a: it is an array of tables, not a table", "[modules.a] and"),
        ("tool = 3\n", ("tool",), 1, "tool is 3, not", "[tool.rnnshape.modules.encoder]"),
        ("\ntool.rnnshape = 3\n", ("tool",), 2, "tool.rnnshape is 3, not", "[tool.rnnshape.m"),
        (
            "[tool.rnnshape]\nmodule = 1", ("tool",), 2, "unknown key module", "modules, or leave",
        ),
        (
            '[tool.rnnshape]\nmodules = ""', ("tool",), 2,
            'tool.rnnshape.modules is "", not a table', "[tool.rnnshape.modules.encoder]",
        ),
    ],
)  # fmt: skip
def test_what_is_no_table_of_modules_is_refused(
    text: str, root: tuple[str, ...], line: int, problem: str, hint: str
) -> None:
    name = "pyproject.toml" if root else "rnnshape.toml"
    ((error, said),) = refused(text, name=name)
    assert error.startswith(f"{name}:{line}: ")
    assert problem in error
    assert hint in said


def test_all_that_is_wrong_is_told_at_once_in_the_order_of_the_lines() -> None:
    broken = "".join(
        f'[modules.m{n}]\ntarget = "nn.LSTM(20, 40)"\n{key}\n'
        for n, (key, _, _) in enumerate(KEYS + WORDS)
        if not key.startswith("target")
    )
    told = refused(f"top = 1\n{broken}[modules.b]\ntarget = 'model.pt'\nexpect = ['x', 'y']\n")
    # Each of the keys but the target's, the one at the top, and the last module's three.
    assert len(told) == len(KEYS + WORDS) - 1 + 1 + 3
    assert lines(told) == sorted(lines(told))


def test_one_module_is_told_everything() -> None:
    told = refused(
        '[modules.a]\nexpct = []\ntarget = "lstm --hidden 0"\nexpect = ["a", "b = 1", "c ="]\n'
        'matches = "model.pt"\nbatch = -1\n'
    )
    # Names are held against the layer, which is not known here.
    assert lines(told) == [2, 3, 4, 4, 5, 6]


def test_what_is_wrong_with_the_run_hides_nothing_but_what_depends_on_it() -> None:
    told = refused(
        '[modules.a]\ntarget = "gru"\ndevice = "gpu"\nbatch = 3\n'
        'expect = ["nope = 1", "output ="]\nmatches = "gruu"\n'
    )
    # Whether a gru has a nope is told once it is known which input it reads.
    assert lines(told) == [3, 5, 6]
    for (error, _), said in zip(
        told,
        ("unknown device 'gpu'", "has no value after =", "gruu is not a layer"),
        strict=True,
    ):
        assert said in error


def test_a_file_that_is_not_there_is_no_reason_to_write_a_first_one() -> None:
    assert pairs(call("check", "a.toml").err)[0][1].startswith("rnnshape check --help")
    Path("rnnshape.toml").write_text(MODULE)
    assert pairs(call("check", "a.toml").err)[0][1] == "rnnshape check"


@pytest.mark.parametrize("folder_name", ["-x", "a b", "d" * 70])
def test_the_manifest_in_a_folder_is_named_so_that_it_can_be_checked(folder_name: str) -> None:
    Path(folder_name).mkdir()
    (Path(folder_name) / "rnnshape.toml").write_text(MODULE)
    ((_, hint),) = pairs(call("check", "--", folder_name).err)
    assert shell(f"{hint} --no-run").code == 0


def test_more_than_a_hundred_problems_are_counted() -> None:
    told = refused("".join(f"[modules.m{n}]\n" for n in range(130)))
    assert len(told) == 101
    assert told[-1] == ("and 30 more problems", "fix these first")


# Files


@pytest.mark.parametrize(
    ("content", "problem", "hint"),
    [
        (
            b"",
            "rnnshape.toml has no modules",
            "[modules.encoder] begins one",
        ),
        (b"# nothing\n", "rnnshape.toml has no modules", "[modules.encoder] begins one"),
        (b"[modules]\n", "rnnshape.toml has no modules", "[modules.encoder] begins one"),
        (b"a = 1\n\xff\n", "rnnshape.toml:2: byte 0xff is not UTF-8", "save it as UTF-8"),
        (b"a = 1\n[modules", "rnnshape.toml:2:9: expected ']'", "correct the TOML there"),
        (b"\x00", "rnnshape.toml:1:1: invalid statement", "correct the TOML there"),
        (b"\xff\xfea\x00", "rnnshape.toml:1: byte 0xff is not UTF-8", "save it as UTF-8"),
    ],
)
def test_a_file_that_is_not_a_manifest_is_refused(content: bytes, problem: str, hint: str) -> None:
    ((error, said),) = refused(content)
    assert error.startswith(problem)
    assert hint in said


def test_a_pyproject_without_modules_names_its_own_table() -> None:
    told = refused("[tool.rnnshape]\n", name="pyproject.toml")
    assert told == [("pyproject.toml has no modules", "[tool.rnnshape.modules.encoder] begins one")]


def test_a_byte_order_mark_and_crlf_are_read() -> None:
    text = b'\xef\xbb\xbf[modules.a]\r\ntarget = "gru"\r\nexpect = ["params = 1"]\r\n'
    Path("rnnshape.toml").write_bytes(text)
    result = call("check", "--no-run")
    assert result.code == 1
    assert result.out.startswith("rnnshape.toml:3: a: FAILED: params = 1: it is 7,440\n")


@pytest.mark.parametrize(
    ("name", "problem", "hint"),
    [
        ("no.toml", "there is no file no.toml", "rnnshape check --help shows how to begin one"),
        ("folder", "folder is a folder, not a file", "rnnshape check folder/rnnshape.toml"),
        ("empty", "empty is a folder, not a file", "rnnshape check --help shows how to begin one"),
        ("a folder", "a folder is a folder, not a file", "check 'a folder/rnnshape.toml'"),
        ("a" * 300, "cannot read aaa", "rnnshape check FILE"),
        ("\x00", "cannot read '\\x00': embedded null byte", "rnnshape check FILE"),
        ("plain/rnnshape.toml", "cannot read plain/rnnshape.toml: not a directory", "FILE"),
        ("loop.toml", "cannot read loop.toml: too many levels of symbolic links", "FILE"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(name: str, problem: str, hint: str) -> None:
    Path("empty").mkdir()
    for folder in ("folder", "a folder"):
        Path(folder).mkdir()
        Path(folder, "rnnshape.toml").touch()
    Path("plain").touch()
    Path("loop.toml").symlink_to("loop.toml")
    result = call("check", name)
    ((error, said),) = pairs(result.err)
    assert (result.code, result.out) == (2, "")
    assert error.startswith(problem)
    assert hint in said


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind root")
def test_a_file_without_permission_is_refused() -> None:
    Path("a.toml").write_text(MODULE)
    Path("a.toml").chmod(0)
    result = call("check", "a.toml")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: cannot read a.toml: permission denied\n")


def test_two_files_are_refused() -> None:
    ((error, hint),) = pairs(call("check", "a b.toml", "c.toml").err)
    assert error == "2 files are given, but only one can be checked at a time"
    assert hint == "rnnshape check 'a b.toml'"


# Which file


def found(*words: str) -> str:
    """The file that is checked, by the place of its failure."""
    result = call("check", "--no-run", *words)
    assert result.code == 1, result.err
    return result.out.split(":")[0]


FAILING = '[modules.a]\ntarget = "gru"\nexpect = ["params = 1"]\n'
PYPROJECT = FAILING.replace("[modules", "[tool.rnnshape.modules")


def test_the_nearest_manifest_upwards_is_checked(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("pyproject.toml").write_text(PYPROJECT)
    assert found() == "pyproject.toml"
    (folder / "a/b/c").mkdir(parents=True)
    monkeypatch.chdir("a/b/c")
    assert found() == "../../../pyproject.toml"
    # One that does not speak of rnnshape, as each package of a repository has, is passed by.
    Path("../pyproject.toml").write_text("[tool.other]\nx = 1\n")
    assert found() == "../../../pyproject.toml"
    Path("../../rnnshape.toml").write_text(FAILING)
    assert found() == "../../rnnshape.toml"
    Path("../pyproject.toml").write_text(PYPROJECT)
    assert found() == "../pyproject.toml"
    Path("../rnnshape.toml").write_text(FAILING)
    assert found() == "../rnnshape.toml"
    assert found("../pyproject.toml") == "../pyproject.toml"


def test_a_folder_called_rnnshape_toml_is_passed_by(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("rnnshape.toml").write_text(FAILING)
    (folder / "a/rnnshape.toml").mkdir(parents=True)
    monkeypatch.chdir("a")
    assert found() == "../rnnshape.toml"


def test_a_folder_above_that_may_not_be_searched_has_no_manifest(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.is_file

    def is_file(self: Path) -> bool:
        if self.parent == folder:
            raise PermissionError(13, "Permission denied")
        return real(self)

    (folder / "a").mkdir()
    monkeypatch.chdir("a")
    monkeypatch.setattr(Path, "is_file", is_file)  # permissions do not bind root
    ((error, _),) = pairs(call("check").err)
    assert error.startswith("there is no rnnshape.toml, and no pyproject.toml with")


def test_a_working_directory_that_is_gone_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a").mkdir()
    monkeypatch.chdir("a")
    (folder / "a").rmdir()
    assert pairs(call("check").err) == [("the working directory is gone", "cd to one that exists")]


def test_no_manifest_here_or_above_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "is_file", lambda _self: False)
    ((error, hint),) = pairs(call("check").err)
    assert error == (
        "there is no rnnshape.toml, and no pyproject.toml with [tool.rnnshape], here or above"
    )
    assert hint == "rnnshape check --help shows how to begin one"


@pytest.mark.parametrize(
    "text", ["[tool", "tool = 3\n", "tool.rnnshape = 3\n", "[tool.rnnshape]\n"]
)
def test_a_broken_pyproject_is_refused_where_it_was_found(text: str) -> None:
    Path("pyproject.toml").write_text(text)
    result = call("check")
    assert result.code == 2
    assert result.out == ""
    if text != "tool = 3\n":  # which does not speak of rnnshape
        assert result.err.startswith("error: pyproject.toml")


def test_a_long_or_odd_path_is_shown_and_written_whole(folder: Path) -> None:
    long = folder / ("long name " * 9) / "a's manifest.toml"
    long.parent.mkdir()
    long.write_text(FAILING)
    result = call("check", str(long), "--no-run")
    assert result.out.startswith(f"{long}:3: a: FAILED: params = 1: it is")
    assert call("check", str(long), "--no-run", "--update").code == 0
    assert "params = 7440" in long.read_text()


# Whatever is in it


def _values() -> st.SearchStrategy[Any]:
    simple = st.sampled_from(
        ["3", "-1", "0", "1.5", "true", '"x"', '""', "[]", "[1]", "[10, 5, 20]", "{}", "2020-01-01"]
    )
    words = [
        "gru",
        "lstm --cell",
        "nn.LSTM(20, 40)",
        "gru --hidden",
        "x.pt",
        "a.b:c",
        "rnn --",
        "'",
    ]
    return simple | st.sampled_from(words).map(basic_string)


@st.composite
def manifests(draw: st.DrawFn) -> str:
    """Modules with any key and any value."""
    keys = (
        *("target", "target", "expect", "matches", "input_shape", "batch_size", "seq_len"),
        *("lengths", "unbatched", "with_state", "device", "dtype", "batch", "seq", "other"),
    )
    expectations = [
        "params = 1",
        "output = 1,2",
        "h_1 = 1",
        "x",
        "=",
        "",
        "a/b = 1",
        "output\\n= 3",
    ]
    text = draw(st.sampled_from(("", "modules = 1\n", "[modules]\na = 1\n", "[[modules.x]]\n")))
    for number in range(draw(st.integers(1, 3))):
        text += f"[modules.m{number}]\n"
        for key in draw(st.lists(st.sampled_from(keys), unique=True, max_size=6)):
            if key == "expect" and draw(st.booleans()):
                each = draw(st.lists(st.sampled_from(expectations), max_size=3))
                words = ", ".join(f'"{expectation}"' for expectation in each)
                text += f"expect = [{words}]\n"
            elif key == "target" and draw(st.booleans()):
                text += 'target = "nn.LSTM(20, 40)"\n'
            else:
                text += f"{key} = {draw(_values())}\n"
    return text


@given(manifests())
@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_manifest_is_checked_or_refused_in_pairs_with_lines(text: str) -> None:
    Path("rnnshape.toml").write_text(text)
    result = call("check", "--no-run")
    assert result.code in (0, 1, 2)
    if result.code == 2:
        assert result.out == ""
        told = pairs(result.err)
        for error, hint in told:
            assert error.startswith("rnnshape.toml")
            assert hint
            assert "Error" not in error
    else:
        assert result.err == ""
    before = text.splitlines()
    code = call("check", "--no-run", "--update").code
    assert code == result.code if result.code != 1 else code in (0, 1)
    after = Path("rnnshape.toml").read_text().splitlines()
    if result.code != 1:
        assert after == before
    changed = [old for old, new in zip(before, after, strict=True) if old != new]
    assert all(line.startswith("expect") for line in changed)


def test_ten_thousand_modules_are_read_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(f'[modules.m{n}]\ntarget = "gru"\nexpct = 1\n' for n in range(10_000))
    read = manifest(text)
    assert len(read.entries) == len(read.problems) == 10_000
    assert [problem.line for problem in read.problems] == list(range(3, 30_001, 3))
    assert read.line(read.entries[-1]) == 29_998
