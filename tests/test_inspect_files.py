"""`rnnshape inspect weights.pt`: what a file holds, as its user reads it."""

from __future__ import annotations

import io
import json
import struct
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import torch
from markdown_it import MarkdownIt
from torch import nn

from tests.checkpoints import model_state, saved, scripted
from tests.junit import junit
from tests.program import Result, call
from tests.schemas import problems

State = dict[str, torch.Tensor]

ENCODER: Final = "nn.LSTM(3, 4, num_layers=2, bidirectional=True)"
DECODER: Final = "nn.GRU(4, 5)"
FORMATS: Final = ("table", "json", "csv", "markdown", "html", "latex", "junit", "github", "svg")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def prefixed(prefix: str, module: nn.Module) -> State:
    return {f"{prefix}{name}": tensor for name, tensor in module.state_dict().items()}


def encoder() -> nn.LSTM:
    return nn.LSTM(3, 4, num_layers=2, bidirectional=True)


def broken(prefix: str = "encoder.") -> State:
    """An LSTM that lacks a weight."""
    state = prefixed(prefix, encoder())
    del state[f"{prefix}weight_hh_l0"]
    return state


def write(name: str, value: Any) -> None:
    Path(name).write_bytes(saved(value))


def answered(*words: str, code: int = 0) -> str:
    result = call("inspect", *words)
    assert (result.code, result.err) == (code, "")
    return result.out


def refused(*words: str) -> list[str]:
    result = call(*words)
    assert (result.code, result.out) == (2, "")
    return result.err.splitlines()


def document(*words: str, code: int = 0) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(answered(*words, "-f", "json", code=code))
    assert problems(whole, "report") == []
    return whole


def test_one_layer_is_shown_with_what_tells_it_and_how_to_load_it() -> None:
    write("one.pt", nn.LSTM(3, 4).state_dict())
    shown = answered("one.pt")
    assert "one.pt: PyTorch checkpoint, 4 tensors, 1 recurrent layer with 144 param" in shown
    assert "weight_hh_l0 (16, 4): 16 rows / 4 = 4 gates" in shown
    assert 'state = torch.load("one.pt", map_location="cpu")' in shown
    assert "nothing in the file was\n    run" in shown


def test_several_layers_are_a_table_with_a_total() -> None:
    write("model.pt", model_state())
    shown = answered("model.pt")
    rows = [line.split() for line in shown.splitlines()]
    assert ["encoder", "736", "0.817", *ENCODER.split()] in rows
    assert ["decoder.rnn", "165", "0.183", *DECODER.split()] in rows
    assert ["total", "901", "1"] in rows
    assert "evidence" not in shown
    assert "ok: all tensors of these 2 layers have the predicted names and shapes" in shown
    assert answered("model.pt", "--show", "evidence").count("weight_hh_l0") >= 2


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("encoder", ["encoder"]),
        ("encoder.", ["encoder"]),
        ("decoder", ["decoder.rnn"]),
        ("decoder.rnn", ["decoder.rnn"]),
    ],
)
def test_a_prefix_picks_a_layer_or_those_below_it(prefix: str, names: list[str]) -> None:
    write("model.pt", model_state())
    modules = document(f"model.pt:{prefix}")["modules"]
    assert [each["name"] for each in modules] == names


@pytest.mark.parametrize(
    ("prefix", "hint"),
    [
        ("enc", "model.pt:encoder"),
        ("decoder.rn", "model.pt:decoder.rnn"),
        ("out", "model.pt:encoder"),
        ("", "model.pt:encoder"),
        ("\x1b[31m", "model.pt:encoder"),
    ],
)
def test_a_prefix_without_a_layer_is_told_one_that_has_one(prefix: str, hint: str) -> None:
    write("model.pt", model_state())
    problem, advice = refused("inspect", f"model.pt:{prefix}")
    assert problem.startswith("error: model.pt has no recurrent layer at ")
    assert "\x1b" not in problem
    assert advice == f"hint: {hint}"


def test_the_same_names_in_two_state_dicts_are_told_apart() -> None:
    write("both.pt", {"model": model_state(), "ema": model_state(), "step": 3})
    names = [each["name"] for each in document("both.pt")["modules"]]
    assert names == ["model.encoder", "model.decoder.rnn", "ema.encoder", "ema.decoder.rnn"]
    assert len(document("both.pt:ema")["modules"]) == 2


def test_a_layer_that_cannot_be_read_is_named_beside_those_that_can() -> None:
    write("part.pt", {**broken(), **prefixed("decoder.rnn.", nn.GRU(4, 5))})
    shown = answered("part.pt", code=1)
    assert "note: encoder is left out: weight_hh_l0 (16, 4) is missing" in shown
    assert "decoder.rnn: nn.GRU(4, 5)" in shown
    assert shown.endswith("\nFAILED: 1 of 2 layers cannot be read\n")
    (holder,) = json.loads(answered("part.pt", "-f", "json", code=1))["holders"]
    assert holder["layers"] == ["decoder.rnn"]
    assert [each["name"] for each in holder["unread"]] == ["encoder"]


@pytest.mark.parametrize("target", ["bad.pt", "bad.pt:encoder"])
@pytest.mark.parametrize("command", ["inspect", "compare"])
def test_a_file_whose_layers_are_all_broken_is_refused(command: str, target: str) -> None:
    write("bad.pt", broken())
    problem, hint = refused(command, target, *["gru"] * (command == "compare"))
    assert "bad.pt:encoder: weight_hh_l0 (16, 4) is missing" in problem
    assert hint.startswith("hint: ")


FOREIGN: Final[Mapping[str, bytes]] = {
    "empty": b"",
    "text": b"hello world\n",
    "html": b"<!DOCTYPE html><html><body>404</body></html>",
    "lfs pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 3\n",
    "zeros": bytes(1000),
    "truncated": saved(nn.LSTM(3, 4).state_dict())[:500],
    "truncated pickle": saved(nn.LSTM(3, 4).state_dict(), legacy=True)[:200],
    "bytes": bytes(range(256)) * 4,
    "no layer": saved({"out.weight": torch.zeros(2, 3)}),
    "no tensor": saved({}),
    "huge header": struct.pack("<Q", 2**60) + b"{}",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_without_layers_is_refused_in_two_lines(name: str) -> None:
    for file in ("file.pt", "file.safetensors", "file"):
        Path(file).write_bytes(FOREIGN[name])
        problem, hint = refused("inspect", file)
        assert problem.startswith(("error: ", f"error: {file}"))
        assert file in problem
        assert hint.startswith("hint: ")
        assert (problem + hint).isprintable()


HOSTILE: Final = (
    "a\x1b[31mred\x1b]0;title\x07",
    "<script>alert(1)</script><b>",
    "a|b`c`*d*_e_[f](g)![h](i)",
    "$x$\\input{/etc/passwd}{}%&_^~#",
    "::error::owned",
    "a\n::error file=x::owned\r\nb",
    "x" * 5000,
    "\ud800\udc80",
    "\u202eabc\u2028\u2029\x85\x9b31m\x00",
    "]]>&amp;<!--",
    "=HYPERLINK(1)",
    "",
    " . ..",
    "{}{hidden_size}{:name}",
)
# What no output holds, whatever the names in a file are.
RAW: Final = ("\x1b", "\x07", "\x00", "\x9b", "\x85", "\u202e", "\u2028", "\ud800", "\r")


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name)[:20])
@pytest.mark.parametrize("format_", FORMATS)
def test_no_name_of_a_file_gets_into_an_output_raw(name: str, format_: str) -> None:
    write("one.pt", prefixed(f"{name}.", nn.LSTM(3, 4)))
    write("more.pt", {**prefixed(f"{name}.a.", nn.LSTM(3, 4)), **broken(f"{name}.b.")})
    write("two.pt", {name: model_state(), f"{name}2": model_state()})
    write("bad.pt", broken(f"{name}."))
    for words in (
        ("one.pt", "--show", "all", "--no-run"),
        ("one.pt", "--expect", "params > 1M"),
        ("more.pt", "--matches", "gru"),
        ("two.pt",),
        ("two.pt:nothing",),
        ("bad.pt",),
    ):
        result = call("inspect", *words, "-f", format_)
        assert result.code in (0, 1, 2)
        for text in (result.out, result.err):
            assert "Traceback" not in text
            assert not [raw for raw in RAW if raw in text]
            assert not [line for line in text.splitlines() if line.startswith("::error file=x")]
            text.encode()
        out = MarkdownIt("commonmark").render(result.out) if format_ == "markdown" else result.out
        if format_ in ("html", "markdown", "svg"):
            assert "<script>" not in out
            assert "<b>" not in out
            assert "href" not in out
        if format_ == "json" and result.code < 2:
            assert problems(json.loads(result.out), "report") == []
        if format_ == "junit" and result.out:
            junit(result.out)


def test_run_builds_a_layer_like_it_and_no_run_is_the_default() -> None:
    write("model.pt", model_state())
    assert document("model.pt:encoder")["environment"]["torch"] is None
    assert document("model.pt:encoder", "--no-run")["environment"]["torch"] is None
    ran = document("model.pt:encoder", "--run")
    assert ran["environment"]["torch"] == torch.__version__.partition("+")[0]
    assert ran["modules"][0]["verification"]["agrees"] is True
    assert "each of 2 layers like these its shapes" in " ".join(
        answered("model.pt", "--run").split()
    )


def test_an_expectation_is_of_every_layer_of_a_file() -> None:
    write("model.pt", model_state())
    assert answered("model.pt", "--expect", "params <= 736")
    shown = answered("model.pt", "--expect", "params <= 735", code=1)
    assert "735" in shown
    assert answered("model.pt:decoder", "--expect", "params = 165")


@pytest.mark.parametrize(
    ("target", "matches", "code", "differences", "undecided"),
    [
        ("model.pt:encoder", ENCODER, 0, [], ["batch_first"]),
        (
            "model.pt:encoder",
            "nn.LSTM(3, 4, 1)",
            1,
            ["num_layers", "bidirectional"],
            ["batch_first"],
        ),
        ("model.pt:encoder", "model.pt:encoder", 0, [], ["batch_first"]),
        ("model.pt:decoder", "lstm --input 4 --hidden 5", 1, ["class"], ["batch_first"]),
        (ENCODER, "model.pt:encoder", 0, [], ["batch_first"]),
        (ENCODER, ENCODER, 0, [], []),
        ("rnn.pt", "nn.RNN(3, 4)", 0, [], ["nonlinearity", "batch_first"]),
    ],
)
def test_matches_holds_fails_or_cannot_be_known(
    target: str, matches: str, code: int, differences: list[str], undecided: list[str]
) -> None:
    write("model.pt", model_state())
    write("rnn.pt", nn.RNN(3, 4).state_dict())
    words = (target, "--matches", matches, "--no-run")
    (module,) = document(*words, code=code)["modules"]
    found = module["matches"]
    assert found["holds"] is (code == 0)
    assert [each["argument"] for each in found["differences"]] == differences
    assert found["undecided"] == undecided
    shown = " ".join(answered(*words, code=code).split())
    assert (f"as far as is known: {' and '.join(undecided)}" in shown) is (
        code == 0 and bool(undecided)
    )


def test_what_is_judged_of_several_layers_names_each_and_what_is_alike_is_said_once() -> None:
    write("model.pt", model_state())
    assert answered("model.pt").count("batch_first is not known here") == 1
    shown = answered("model.pt", "--matches", ENCODER, code=1)
    passed, failed = shown.index(f"encoder: {ENCODER}"), shown.index(f"decoder.rnn: {DECODER}")
    assert passed < shown.index("ok: matches") < failed < shown.index("FAILED: does not match")


def test_what_must_be_matched_is_one_layer() -> None:
    write("model.pt", model_state())
    problem, hint = refused("inspect", "gru", "--matches", "model.pt")
    assert problem == "error: model.pt holds 2 recurrent layers"
    assert hint == "hint: one of model.pt:encoder, model.pt:decoder.rnn"


def test_other_commands_take_a_layer_of_a_file() -> None:
    write("model.pt", model_state())
    result = call("compare", "model.pt:encoder", "model.pt:decoder", "-f", "json")
    assert (result.code, result.err) == (0, "")
    compared = json.loads(result.out)
    assert problems(compared, "compare") == []
    assert "736" in result.out
    assert "165" in result.out
    result = call("budget", "gru", "--match", "model.pt:encoder", "--input", "3", "-f", "json")
    assert (result.code, result.err) == (0, "")
    assert problems(json.loads(result.out), "budget") == []
    assert refused("compare", "model.pt", "gru")[0].endswith("holds 2 recurrent layers")


def test_a_manifest_takes_files_relative_to_the_working_directory() -> None:
    write("model.pt", model_state())
    Path("sub").mkdir()
    Path("sub/rnnshape.toml").write_text(
        '[modules.encoder]\ntarget = "model.pt:encoder"\nexpect = ["params = 736"]\n'
        f'[modules.same]\ntarget = "{ENCODER}"\nmatches = "model.pt:encoder"\n'
    )
    result = call("check", "sub/rnnshape.toml", "-f", "json")
    assert (result.code, result.err) == (0, "")
    assert problems(json.loads(result.out), "check") == []
    Path("rnnshape.toml").write_text(
        '[modules.decoder]\ntarget = "nn.GRU(4, 6)"\nmatches = "model.pt:decoder"\n'
    )
    result = call("check")
    assert result.code == 1
    assert "hidden_size is 6 here, 5 there" in " ".join(result.out.split())


def test_lines_of_stdin_name_files(monkeypatch: pytest.MonkeyPatch) -> None:
    write("model.pt", model_state())
    write("bad.pt", broken())
    monkeypatch.setattr(sys, "stdin", io.StringIO("gru --hidden 5\nmodel.pt:decoder\nmodel.pt\n"))
    names = [each["name"] for each in document("--no-run")["modules"]]
    assert names == [None, "decoder.rnn", "encoder", "decoder.rnn"]
    monkeypatch.setattr(sys, "stdin", io.StringIO("gru\nbad.pt\nmodel.pt:nothing\n"))
    lines = refused("inspect")
    assert lines[0].startswith("error: line 2: bad.pt:encoder: weight_hh_l0 (16, 4) is missing")
    assert lines[2] == "error: line 3: model.pt has no recurrent layer at nothing"


def safetensors(state: State) -> bytes:
    """What safetensors writes: the size of a header, the header, and the data."""
    header, data = {}, b""
    for name, tensor in state.items():
        raw = tensor.numpy().tobytes()
        place = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": "F32", "shape": [*tensor.shape], "data_offsets": place}
        data += raw
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def _npz(state: State) -> bytes:
    file = io.BytesIO()
    arrays: dict[str, Any] = {name: tensor.numpy() for name, tensor in state.items()}
    np.savez(file, **arrays)
    return file.getvalue()


class Tagger(nn.Module):
    """A model with one recurrent layer."""

    def __init__(self, rnn: nn.LSTM) -> None:
        super().__init__()
        self.rnn = rnn

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        output, _ = self.rnn(x)
        first: torch.Tensor = output
        return first


@pytest.mark.parametrize(
    "kind", ["zip", "legacy", "nested", "prefix", "half", "safetensors", "npz", "torchscript"]
)
def test_the_printed_program_loads_the_weights(kind: str) -> None:
    layer = encoder()
    prefix = 'module.it\'s "one".rnn.'
    writers: Mapping[str, Callable[[], tuple[str, bytes]]] = {
        "zip": lambda: ("w.pt", saved(layer.state_dict())),
        "legacy": lambda: ("w.pt", saved(layer.state_dict(), legacy=True)),
        "nested": lambda: ("w.pt", saved({"a": {7: [1], "b\n": prefixed("rnn.", layer)}, "n": 1})),
        "prefix": lambda: ("w 'x\".pt", saved({**model_state(), **prefixed(prefix, layer)})),
        "half": lambda: ("w.pt", saved(layer.half().state_dict())),
        "safetensors": lambda: ("w.safetensors", safetensors(prefixed("rnn.", layer))),
        "npz": lambda: ("w.npz", _npz(prefixed("rnn.", layer))),
        "torchscript": lambda: ("w.pt", scripted(Tagger(layer))),
    }
    file, data = writers[kind]()
    if kind == "safetensors":
        pytest.importorskip("safetensors")
    Path(file).write_bytes(data)
    target = f"{file}:{prefix.removesuffix('.')}" if kind == "prefix" else file
    program = answered(target, "--show", "load", "-f", "markdown")
    names: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch.jit.load
        exec(program.partition("```python\n")[2].partition("```")[0], names)  # noqa: S102
    loaded = names["layer"]
    assert loaded.weight_ih_l0.dtype is layer.weight_ih_l0.dtype
    assert loaded.state_dict().keys() == layer.state_dict().keys()
    x = torch.randn(5, 2, 3, dtype=layer.weight_ih_l0.dtype)
    assert torch.equal(loaded(x)[0], layer(x)[0])


@pytest.mark.parametrize("section", ["evidence", "load", "matches"])
def test_a_section_that_has_nothing_to_show_is_refused(section: str) -> None:
    problem, hint = refused("inspect", "nn.LSTM(3, 4)", "--show", section)
    assert problem.startswith(f"error: --show {section} ")
    assert hint.startswith("hint: ")
    assert "is unknown" in refused("lstm", "--show", section)[0]


def test_a_folder_and_a_file_that_is_not_there_are_refused() -> None:
    Path("folder.pt").mkdir()
    assert "folder" in refused("inspect", "folder.pt")[0]
    assert refused("inspect", "nothing.pt:a")[0] == "error: there is no file nothing.pt"


def test_a_result_is_the_same_however_the_file_is_named() -> None:
    write("a:b.pt", model_state())
    shown: list[Result] = [call("inspect", name) for name in ("a:b.pt:encoder", "./a:b.pt:encoder")]
    assert [each.code for each in shown] == [0, 0]


def test_the_layer_to_match_tells_what_the_file_does_not() -> None:
    write("w.pt", encoder().state_dict())
    twin = "nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True)"
    expected = "output = 5,10,8"
    manifest = f'[modules.e]\ntarget = "w.pt"\nmatches = "{twin}"\nexpect = ["{expected}"]\n'
    Path("rnnshape.toml").write_text(manifest)
    result = call("check", "--no-run")
    assert result.code == 0, result
    assert "as far as is known: batch_first is not stored" in " ".join(result.out.split())
    assert answered("w.pt", "--matches", twin, "--expect", expected)


def test_the_printed_program_leaves_tensors_of_others_alone() -> None:
    layer = nn.LSTM(3, 4)
    layer.register_parameter("extra", nn.Parameter(torch.zeros(2)))
    write("w.pt", prefixed("own.", layer))
    program = answered("w.pt", "--show", "load", "-f", "markdown")
    names: dict[str, Any] = {}
    exec(program.partition("```python\n")[2].partition("```")[0], names)  # noqa: S102
    own = layer.state_dict()["weight_hh_l0"]
    assert torch.equal(names["layer"].weight_hh_l0, own)


def test_a_name_in_csv_is_no_command_of_a_job() -> None:
    write("w.pt", {**prefixed("::error::x.", nn.GRU(2, 3)), **prefixed("y.", nn.GRU(2, 3))})
    lines = answered("w.pt", "-f", "csv").splitlines()
    assert not [line for line in lines if line.startswith(("::", '"::'))]
    assert [line for line in lines if line.startswith("'::error::x")]


def test_a_layer_that_cannot_be_read_fails_what_is_said_of_its_file_not_of_another_layer() -> None:
    write("w.pt", {**prefixed("a.", nn.GRU(2, 3)), **prefixed("b.", nn.GRU(2, 3)), **broken()})
    *_, last = answered("w.pt", code=1).splitlines()
    assert last == "FAILED: 1 of 3 layers cannot be read"
    suites = junit(answered("w.pt", "-f", "junit", code=1)).findall("testsuite[@failures='1']")
    assert [each.attrib["name"] for each in suites] == ["rnnshape inspect w.pt:encoder"]
    assert "FAILED" not in answered("w.pt:a")


def test_the_last_line_of_several_layers_says_that_some_fail() -> None:
    write("w.pt", {**prefixed("a.", nn.GRU(2, 3)), **prefixed("b.", nn.LSTM(2, 3))})
    lines = answered("w.pt", "--matches", "nn.GRU(2, 3)", code=1).splitlines()
    assert lines[-1] == "FAILED: 1 of 2 layers are not as they must be"
    assert len([line for line in lines if line.startswith("matches ")]) == 1


def test_what_is_assumed_is_said_beside_any_section_that_rests_on_it() -> None:
    write("w.pt", encoder().state_dict())
    note = "note: batch_first is not known here"
    for section in ("shapes", "states", "grid", "diagram", "layouts"):
        assert note in answered("w.pt", "--show", section)
    assert note not in answered("w.pt", "--show", "weights")
    expected = ("--expect", "output = 5,10,8", "--show", "expectations")
    assert note in answered("w.pt", *expected, code=1)


def test_only_a_comparison_counts_copies_of_whatever_target() -> None:
    write("w.pt", encoder().state_dict())
    for target in ("6 x nn.LSTM(3, 4)", "6 x lstm", "6 x w.pt"):
        _, hint = refused("inspect", target)
        assert hint == f'hint: rnnshape compare "{target}"'
        assert call("compare", target).code == 0
    Path("rnnshape.toml").write_text('[modules.a]\ntarget = "6 x nn.LSTM(3, 4)"\n')
    assert call("check", "--no-run").code == 2
