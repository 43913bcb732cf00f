"""Models by import path, and every recurrent layer inside a model, however it is wrapped."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from torch import nn
from torch.nn.utils import prune

import rnnshape
from rnnshape import Kind, Reports, RequestError, RNNConfig
from rnnshape.sources.import_path import looks_like_import_path, read_import_path
from rnnshape.sources.model import read_model
from tests import reference
from tests.program import PYTHON, Result, call, spawn
from tests.strategies import configs, examples

# These have no annotations.
jit: Any = torch.jit
pruned: Any = prune.l1_unstructured
quantize_dynamic: Any = torch.ao.quantization.quantize_dynamic

NET = """\
import sys
from torch import nn

print("on import")


class Tagger(nn.Module):
    def __init__(self, vocab, hidden=64, *, tags=9):
        super().__init__()
        print("in __init__")
        self.embed = nn.Embedding(vocab, 32)
        self.lstm = nn.LSTM(32, hidden, bidirectional=True)
        self.head = nn.Linear(2 * hidden, tags)

    def forward(self, tokens):
        return self.head(self.lstm(self.embed(tokens))[0])


class Models:
    gru = nn.GRU(3, 4)

    @property
    def model(self):
        return nn.GRU(3, 4)


class Reads(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(3, int(nn.Linear(1, 1).weight.sum().item() * 0) + 4)


model = nn.Sequential(nn.Linear(2, 3), nn.GRU(3, 4))
quick = lambda: nn.RNN(3, 4)
nothing = 5


def make(kind="lstm", sizes=(3, 4)):
    return {"lstm": nn.LSTM, "gru": nn.GRU}[kind](*sizes)


def fails():
    raise ValueError("no {such} file\\nand more")


def leaves(code=3):
    sys.exit(code)


def interrupted():
    raise KeyboardInterrupt


def text():
    return "a model"


if __name__ == "__main__":
    raise SystemExit("not a script here")
"""


@pytest.fixture(autouse=True)
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(NET)
    return tmp_path


def inspected(target: str, *more: str) -> Result:
    """The headers of the layers; what stands above them, what the model holds, is left out."""
    result = call("inspect", target, "--no-run", "--show", "header", *more)
    return replace(result, out=result.out.partition("\n\n")[2])


def failure(target: str) -> list[str]:
    """The two lines of the error, after whatever the code printed."""
    result = inspected(target)
    assert (result.code, result.out) == (2, "")
    return result.err.splitlines()[-2:]


@pytest.mark.parametrize(
    ("target", "layer"),
    [
        ("net.py:Tagger(5000)", "lstm: nn.LSTM(32, 64, bidirectional=True)"),
        ("net.py:Tagger(vocab=10, hidden=7)", "lstm: nn.LSTM(32, 7, bidirectional=True)"),
        ("./net.py:Tagger(10, tags=2)", "lstm: nn.LSTM(32, 64, bidirectional=True)"),
        ("net:Tagger(10)", "lstm: nn.LSTM(32, 64, bidirectional=True)"),
        ("net.py:model", "1: nn.GRU(3, 4)"),
        ("net.py:Models.gru", "nn.GRU(3, 4)"),
        ("net.py:quick", "nn.RNN(3, 4)"),
        ("net.py:make", "nn.LSTM(3, 4)"),
        ("net.py:make()", "nn.LSTM(3, 4)"),
        ("net.py:make('gru', sizes=(5, 6))", "nn.GRU(5, 6)"),
        ("net.py:Reads", "cell: nn.GRUCell(3, 4)"),
    ],
)
def test_a_class_a_factory_or_an_instance_is_a_model(target: str, layer: str) -> None:
    result = inspected(target)
    assert result.code == 0
    first, second = result.out.splitlines()
    assert first.startswith(f"{layer}   ")
    assert second == f"{target} was imported and built: its own code ran"


def test_what_the_code_prints_goes_to_stderr() -> None:
    result = spawn("inspect", "net.py:Tagger(10)", "--no-run", "-f", "json")
    assert json.loads(result.out)["modules"][0]["name"] == "lstm"
    assert result.err.splitlines() == ["on import", "in __init__"]


def test_reading_and_calling_a_model_imports_no_compiler() -> None:
    """PyTorch imports it for less than one would think, and it takes most of a second."""
    program = (
        "import sys, torch, rnnshape\n"
        "from rnnshape.sources.model import read_model\n"
        "assert read_model('net.py:Tagger(10)').targets\n"
        "from net import Tagger\n"
        "reports = rnnshape.inspect_model(Tagger(10), inputs=(torch.zeros(5, 2).long(),))\n"
        "assert reports['lstm'].subject.calls\n"
        "print([name for name in ('torch._dynamo', 'torch._inductor') if name in sys.modules])"
    )
    result = spawn("-c", program, program=PYTHON)
    assert (result.code, result.out.splitlines()[-1]) == (0, "[]")


def filled(net: Path, line: str) -> str:
    """The target of a model whose constructor ends with this line, in which `w` is a weight."""
    (net / "filled.py").write_text(
        "from torch import nn\n"
        "class Filled(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.gru = nn.GRU(3, 4)\n"
        "        w = self.gru.weight_hh_l0\n"
        f"        {line}\n"
    )
    return "filled.py:Filled"


@pytest.mark.parametrize(
    "filling",
    [
        "nn.init.normal_(w)",
        "nn.init.normal_(tensor=w, std=0.1)",
        "nn.init.kaiming_normal_(w)",
        "w.data.normal_(0, 1)",
        "nn.init.trunc_normal_(w)",
        "nn.init.orthogonal_(w)",
    ],
)
def test_a_model_may_fill_its_weights_as_it_likes(net: Path, filling: str) -> None:
    target = filled(net, f"if {filling} is None: raise ValueError")
    assert inspected(target).out.startswith("gru: nn.GRU(3, 4)   ")


@pytest.mark.parametrize(
    ("filling", "problem"),
    [
        ("w.normal_()", "RuntimeError: a leaf Variable that requires grad"),
        ("nn.init.normal_(w, std=-1.0)", "RuntimeError: normal expects std"),
        ("nn.init.normal_(w, mean='a')", "TypeError: "),
        ("w.data.long().normal_()", "not implemented for 'Long'"),
    ],
)
def test_weights_that_cannot_be_filled_so_are_refused(
    net: Path, filling: str, problem: str
) -> None:
    error, _ = failure(filled(net, filling))
    assert "filled.py:7: " in error
    assert problem in error


def test_a_model_is_built_without_memory_where_its_code_allows() -> None:
    # 2**40 rows of 32 floats are 140 TB.
    result = inspected(f"net.py:Tagger({2**40})")
    assert (result.code, result.out.partition("   ")[0]) == (
        0,
        "lstm: nn.LSTM(32, 64, bidirectional=True)",
    )


def test_a_layer_that_was_built_on_meta_is_reported_on_cpu() -> None:
    (target,) = read_model("net.py:Tagger(10)").targets
    assert (target.device, target.found and target.found.code_ran) == ("cpu", True)


HINT = "hint: the model's own code fails: run it by itself to see the whole error"


@pytest.mark.parametrize(
    ("target", "problem", "hint"),
    [
        (
            "net.py:Tagger",
            "net.py:Tagger cannot be called: missing a required argument: 'vocab'",
            'hint: "net.py:Tagger(vocab=...)", with a number or a string for each ...',
        ),
        (
            "net.py:Tagger(hidden=3)",
            "net.py:Tagger(hidden=3) cannot be called: missing a required argument: 'vocab'",
            'hint: "net.py:Tagger(hidden=3, vocab=...)", with a number or a string for each ...',
        ),
        (
            "net.py:Tagger(1, hiden=2)",
            (
                "net.py:Tagger(1, hiden=2) cannot be called: got an unexpected keyword argument"
                " 'hiden'"
            ),
            "hint: it takes (vocab, hidden=64, tags=9)",
        ),
        (
            "net.py:fails",
            (
                f"net.py:fails: net.py:{NET[: NET.index('raise ValueError')].count(chr(10)) + 1}:"
                " ValueError: no {such} file"
            ),
            HINT,
        ),
        (
            "net.py:leaves(code=7)",
            (
                f"net.py:leaves: net.py:{NET[: NET.index('sys.exit')].count(chr(10)) + 1}:"
                " SystemExit: its code exits with 7"
            ),
            HINT,
        ),
        (
            "net.py:text",
            "net.py:text gives a str, not an nn.Module",
            "hint: name a function that returns the model",
        ),
        (
            "net.py:nothing",
            "net.py:nothing is a int, not a model",
            "hint: name a class, a function or an nn.Module",
        ),
        (
            "net.py:Models.model",
            "net.py:Models.model is a property, not a model",
            "hint: name a class, a function or an nn.Module",
        ),
        (
            "net.py:model()",
            "net.py:model is already a model, and calling it would run it",
            "hint: leave its arguments out: net.py:model",
        ),
        (
            "net.py:Taggr",
            "net.py has no Taggr",
            "hint: net.py:NAME, with one of: Tagger",
        ),
        (
            "net.py",
            "net.py names no model in that file",
            (
                "hint: add its class, or a function that returns it:"
                " net.py:Tagger, net.py:Models, net.py:Reads"
            ),
        ),
        ("nett.py:Tagger", "there is no file nett.py", "hint: there is net.py"),
        (
            "nett:Tagger",
            "there is no module nett in this folder, and none is installed",
            "hint: PYTHONPATH=FOLDER names its folder, or give the file: path/to/net.py:Tagger",
        ),
        (
            "net.py:make(sizes=range(3))",
            (
                "the arguments in net.py:make(sizes=range(3)) must be literals, such as 5000, True"
                " or 'gru'"
            ),
            "hint: write a function without arguments that returns the model, and name that",
        ),
        (
            "net.py:Tagger(10):lstn",
            "net.py:Tagger(10) has no recurrent layer at lstn",
            "hint: 'net.py:Tagger(10):lstm'",
        ),
    ],
)
def test_a_failure_is_told_in_two_lines(target: str, problem: str, hint: str) -> None:
    assert failure(target) == [f"error: {problem}", hint]


def test_a_file_that_cannot_be_imported_is_told_with_its_line(net: Path) -> None:
    (net / "bad.py").write_text("x = 1\ndef f(:\n")
    (net / "deep.py").write_text("import bad_too\n")
    (net / "bad_too.py").write_text("\n1 / 0\n")
    (net / "lacks.py").write_text("import no_such_package\n")
    assert failure("bad.py:f")[0].startswith("error: bad.py:f: bad.py:2: SyntaxError: ")
    assert failure("deep.py:f")[0] == (
        "error: deep.py:f: bad_too.py:2: ZeroDivisionError: division by zero"
    )
    assert "lacks.py:1: ModuleNotFoundError" in failure("lacks.py:f")[0]


def test_an_interruption_of_the_code_ends_with_130() -> None:
    assert inspected("net.py:interrupted").code == 130


def test_threads_that_the_code_leaves_do_not_keep_the_process(net: Path) -> None:
    (net / "busy.py").write_text(
        "import threading, time\nfrom torch import nn\n"
        "threading.Thread(target=time.sleep, args=(100,)).start()\nmodel = nn.GRU(3, 4)\n"
    )
    assert spawn("inspect", "busy.py:model", "--no-run", "--show", "header").code == 0


def test_a_file_of_a_package_may_import_its_neighbours(net: Path) -> None:
    package = net / "pack" / "inner"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()
    (package.parent / "sizes.py").write_text("HIDDEN = 9\n")
    (package / "net.py").write_text(
        "from torch import nn\nfrom ..sizes import HIDDEN\nmodel = nn.GRU(3, HIDDEN)\n"
    )
    for target in ("pack/inner/net.py:model", "pack.inner.net:model"):
        assert inspected(target).out.startswith("nn.GRU(3, 9)")


def test_each_file_imports_what_is_beside_itself(net: Path) -> None:
    for hidden in (5, 6):
        folder = net / f"of_{hidden}"
        folder.mkdir()
        (folder / "sizes.py").write_text(f"HIDDEN = {hidden}\n")
        (folder / "net.py").write_text(
            "from torch import nn\nfrom sizes import HIDDEN\nmodel = nn.GRU(3, HIDDEN)\n"
        )
    before = list(sys.path)
    result = call("inspect", "of_5/net.py:model", "of_6/net.py:model", "--no-run", "-f", "json")
    assert [each["config"]["hidden_size"] for each in json.loads(result.out)["modules"]] == [5, 6]
    assert sys.path == before
    assert "sizes" not in sys.modules


def test_a_file_with_the_name_of_a_library_does_not_replace_it(net: Path) -> None:
    (net / "json.py").write_text(
        "from dataclasses import dataclass\nfrom torch import nn\n\n"
        "@dataclass\nclass Sizes:\n    hidden: int = 4\n\n"
        "def make():\n    return nn.GRU(3, Sizes().hidden)\n"
    )
    assert inspected("json.py:make").out.startswith("nn.GRU(3, 4)")
    assert sys.modules["json"] is json


def test_code_that_reads_the_command_line_sees_none(net: Path) -> None:
    (net / "script.py").write_text(
        "import argparse\nfrom torch import nn\n"
        "parser = argparse.ArgumentParser()\nparser.add_argument('--hidden', default=4)\n"
        "model = nn.GRU(3, parser.parse_args().hidden)\n"
    )
    assert inspected("script.py:model").out.startswith("nn.GRU(3, 4)")


def test_one_layer_of_several_is_picked_by_its_name(net: Path) -> None:
    (net / "two.py").write_text(
        "from torch import nn\n"
        "model = nn.ModuleDict({'a': nn.ModuleList([nn.GRU(3, 4), nn.LSTM(4, 5)]),"
        " 'b': nn.RNN(1, 2)})\n"
    )
    for picked, names in (("", ["a.0", "a.1", "b"]), (":a", ["a.0", "a.1"]), (":a.1", ["a.1"])):
        source = read_model(f"two.py:model{picked}")
        assert [target.name for target in source.targets] == names
        for target in source.targets:
            assert target.origin.target is not None
            (again,) = read_model(target.origin.target).targets
            assert again.config == target.config


@pytest.mark.parametrize(
    ("text", "recognised"),
    [
        ("net.py:Tagger", True),
        ("a/b.c/net.py:Tagger(x='):(')", True),
        ("package.module:make", True),
        ("package.module:make(1)(2)", True),  # and refused, since its arguments are no literals
        ("weights.pt", False),
        ("lstm --hidden 40", False),
        ("nn.LSTM(20, 40)", False),
        ("package:", False),
        (":Tagger", False),
    ],
)
def test_what_looks_like_an_import_path(text: str, recognised: bool) -> None:
    assert looks_like_import_path(text) is recognised


@pytest.mark.parametrize("call", ["(1)(2)", "(**{})", "(*[1])", "(x)", "(1 +)", "(lambda: 1)"])
def test_arguments_are_literals_and_nothing_is_evaluated(call: str) -> None:
    with pytest.raises(RequestError, match="must be literals"):
        read_import_path(f"net.py:make{call}")


# Every recurrent layer inside


class Inner(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(6, 8, 2, batch_first=True, bidirectional=True, dropout=0.1)
        self.head = nn.Linear(16, 3)
        self.cell = nn.GRUCell(16, 5)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        output, _ = self.lstm(x)
        return self.head(output), self.cell(output[:, 0])


X = torch.randn(3, 4, 6)
LSTM = "nn.LSTM(6, 8, num_layers=2, batch_first=True, dropout=0.1, bidirectional=True)"


def reloaded(module: Any) -> nn.Module:
    buffer = io.BytesIO()
    jit.save(module, buffer)
    buffer.seek(0)
    loaded: nn.Module = jit.load(buffer)
    return loaded


def changed(change: Callable[[nn.Module], object]) -> nn.Module:
    model = Inner()
    change(model.lstm)
    return model


def compiled_in_place() -> nn.Module:
    model = Inner()
    model.compile()
    return model


def weight_norm(layer: nn.Module) -> None:
    nn.utils.parametrizations.weight_norm(layer, "weight_hh_l0")


WRAPPED: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "plain": (Inner, ""),
    "DataParallel": (lambda: nn.DataParallel(Inner()), "module."),
    "compiled": (lambda: torch.compile(Inner()), "_orig_mod."),  # type: ignore[dict-item, return-value]
    "compiled in place": (compiled_in_place, ""),
    "averaged": (lambda: torch.optim.swa_utils.AveragedModel(Inner()), "module."),
    "weight_norm": (lambda: changed(weight_norm), ""),
    "old weight_norm": (lambda: changed(lambda x: nn.utils.weight_norm(x, "weight_hh_l0")), ""),
    "spectral_norm": (
        lambda: changed(lambda x: nn.utils.parametrizations.spectral_norm(x, "weight_hh_l0")),
        "",
    ),
    "pruned": (lambda: changed(lambda x: pruned(x, "weight_hh_l0", 0.3)), ""),
    "scripted": (lambda: jit.script(Inner()), ""),
    "scripted, saved": (lambda: reloaded(jit.script(Inner())), ""),
    "scripted inside": (lambda: nn.Sequential(jit.script(Inner())), "0."),
    "quantized": (
        lambda: quantize_dynamic(Inner(), {nn.LSTM, nn.GRUCell}),
        "",
    ),
}
each_wrapper = pytest.mark.parametrize(("make", "prefix"), WRAPPED.values(), ids=WRAPPED)
deprecated = pytest.mark.filterwarnings("ignore")  # many of these are


def constructors(reports: Reports) -> dict[str, str]:
    assert not reports.unread
    return {name: report.config.constructor for name, report in reports.items()}


@each_wrapper
@deprecated
def test_layers_are_found_in_every_wrapper(make: Callable[[], nn.Module], prefix: str) -> None:
    reports = rnnshape.inspect_model(make(), run=False)
    assert constructors(reports) == {f"{prefix}lstm": LSTM, f"{prefix}cell": "nn.GRUCell(16, 5)"}
    assert all(not report.subject.unknown for report in reports.values())


@deprecated
@pytest.mark.parametrize("again", [False, True])
def test_what_a_traced_module_does_not_keep_is_unknown(again: bool) -> None:
    traced = jit.trace(Inner().eval(), X)
    reports = rnnshape.inspect_model(reloaded(traced) if again else traced, run=False)
    assert constructors(reports) == {
        "lstm": "nn.LSTM(6, 8, num_layers=2, bidirectional=True)",
        "cell": "nn.GRUCell(16, 5)",
    }
    assert reports["lstm"].subject.unknown == {"batch_first", "dropout"}
    (module, _) = reports._document().data()["modules"]
    assert (module["config"]["batch_first"], module["config"]["dropout"]) == (None, None)
    assert "batch_first is not known here" in " ".join(str(reports).split())


@deprecated
@given(config=configs())
@examples(15)
def test_scripted_layers_keep_their_arguments(config: RNNConfig) -> None:
    class Around(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = reference.built(config)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layer(x)[0]  # type: ignore[no-any-return]

    (report,) = rnnshape.inspect_model(jit.script(Around()), run=False).values()
    assert report.config == config


@deprecated
@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_a_scripted_cell_keeps_its_arguments(nonlinearity: Any) -> None:
    compiled = jit.script(nn.RNNCell(3, 4, bias=False, nonlinearity=nonlinearity))
    report = rnnshape.inspect(compiled)
    assert report.config == RNNConfig(
        kind=Kind.RNN, cell=True, input_size=3, hidden_size=4, bias=False, nonlinearity=nonlinearity
    )
    assert report.run is not None
    assert report.run.agrees


@pytest.mark.filterwarnings("ignore:FSDP is switching")
@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch without distributed")
def test_layers_are_found_in_distributed_wrappers(tmp_path: Path) -> None:
    from torch.distributed.fsdp import FullyShardedDataParallel, fully_shard

    group = torch.distributed
    group.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        sharded = Inner()
        fully_shard(sharded.lstm)
        cpu = torch.device("cpu")
        for model, prefix in (
            (nn.parallel.DistributedDataParallel(Inner()), "module."),
            (sharded, ""),
            (FullyShardedDataParallel(Inner(), device_id=cpu), "_fsdp_wrapped_module."),
        ):
            assert constructors(rnnshape.inspect_model(model, run=False)) == {
                f"{prefix}lstm": LSTM,
                f"{prefix}cell": "nn.GRUCell(16, 5)",
            }
    finally:
        group.destroy_process_group()


@deprecated
def test_quantizable_and_base_layers_are_found() -> None:
    from torch.ao.nn import quantizable

    model = nn.ModuleDict(
        {
            "quantizable": quantizable.LSTM(6, 8, batch_first=True, bidirectional=True),
            "base": nn.RNNBase("RNN_RELU", 3, 4),
            "lone": quantizable.LSTMCell(3, 4),
        }
    )
    assert constructors(rnnshape.inspect_model(model, run=False)) == {
        "quantizable": "nn.LSTM(6, 8, batch_first=True, bidirectional=True)",
        "base": "nn.RNN(3, 4, nonlinearity='relu')",
        "lone": "nn.LSTMCell(3, 4)",
    }


def test_a_tied_layer_is_listed_once_and_the_share_counts_it_once() -> None:
    layer = nn.LSTM(3, 4)
    read = models().read_model(nn.ModuleDict({"a": layer, "b": layer, "c": nn.Linear(4, 4)}))
    assert list(read.layers) == ["a"]
    assert read.parameters == sum(p.numel() for p in layer.parameters()) + 20
    assert read.tensors == 6


def models() -> Any:
    from rnnshape.pytorch import models as module

    return module


def test_parameters_that_cannot_be_counted_are_unknown() -> None:
    assert models().read_model(nn.Sequential(nn.LazyLinear(3), nn.GRU(3, 4))).parameters is None


def test_every_field_of_a_layer_has_its_evidence() -> None:
    (target,) = read_model("net.py:Tagger(10)").targets
    assert target.found is not None
    evidence = {each.field: each.text for each in target.found.recognised.evidence}
    assert evidence["kind"] == "its class, LSTM"
    assert evidence["hidden_size"] == "attribute hidden_size of the LSTM"
    assert set(evidence) == set(target.fields) - {"cell", "nonlinearity"} | {"kind"}


# What looks recurrent and is not torch's


class LiGRU(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Linear(3, 4)


class CfC(LiGRU):
    pass


class Loop(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.i2h, self.h2h = nn.Linear(3, 4), nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.zeros(x.shape[1], 4)
        for step in range(x.shape[0]):
            h = torch.tanh(self.i2h(x[step]) + self.h2h(h))
        return h


class LoopOverSteps(Loop):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.zeros(x.shape[1], 4)
        for x_t in x.unbind(0):
            h = self.step(x_t, h)
        return h

    def step(self, x_t: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.i2h(x_t) + self.h2h(h))


@pytest.mark.parametrize("own", [LiGRU, CfC, Loop, LoopOverSteps])
def test_a_recurrent_class_that_is_none_of_torchs_is_named(own: type[nn.Module]) -> None:
    reports = rnnshape.inspect_model(nn.Sequential(nn.Linear(3, 3), own()))
    assert not reports
    (sentence,) = reports.passed_over
    assert sentence.startswith(f"1 is a {own.__name__}, ")
    text = " ".join(str(reports).split())
    assert text.startswith("there is no recurrent layer of torch.nn")
    assert sentence in text


class Stack(nn.Module):
    """Layers in a loop, as transformers have them, each with a hidden_size."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden_size = 4
        self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))
        self.shared = nn.Linear(4, 4)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            hidden_states = layer(hidden_states)
        for number in range(3):
            hidden_states = self.layers[number](hidden_states)
        for _ in range(3):
            hidden_states = self.shared(hidden_states)
        return hidden_states


class EncoderRNN(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(3, 4)


class RNNTLoss(nn.Module):
    pass


@pytest.mark.parametrize(
    "model",
    [
        nn.Transformer(8, 2, 1, 1, 8, batch_first=True),
        Stack(),
        EncoderRNN(),
        nn.Sequential(EncoderRNN(), Stack(), RNNTLoss()),
        nn.Sequential(nn.Conv2d(1, 1, 1), nn.MultiheadAttention(4, 2)),
    ],
    ids=lambda model: type(model).__name__,
)
def test_nothing_else_is_taken_for_recurrent(model: nn.Module) -> None:
    assert rnnshape.inspect_model(model, run=False).passed_over == ()


@deprecated
def test_layers_that_were_frozen_into_code_are_named() -> None:
    frozen = jit.freeze(jit.script(Inner().eval()))
    reports = rnnshape.inspect_model(frozen, run=False)
    assert not reports
    assert "weights are constants of its code" in reports.passed_over[0]


def test_a_model_without_any_says_so_and_what_looks_recurrent(net: Path) -> None:
    (net / "own.py").write_text(
        "from torch import nn\nclass LiGRU(nn.Module):\n    pass\n"
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.body = LiGRU()\nplain = nn.Linear(2, 3)\n"
    )
    problem, _ = failure("own.py:Net")
    assert problem == (
        "error: own.py:Net has no recurrent layer of torch.nn: body is a LiGRU, which is not a"
        " recurrent layer of torch.nn"
    )
    assert failure("own.py:plain")[0] == "error: there is no recurrent layer in own.py:plain"


def test_the_code_of_a_model_does_not_see_where_it_was_called(net: Path) -> None:
    (net / "moved.py").write_text("import os\nfrom torch import nn\nmodel = nn.GRU(3, 4)\n")
    assert inspected(f"{net}/moved.py:model").code == 0
    assert Path.cwd() == net


@pytest.fixture(autouse=True)
def _modules() -> Iterator[None]:
    """No file of a test is imported in another one."""
    before = set(sys.modules)
    yield
    left = [
        name
        for name in set(sys.modules) - before
        if re.fullmatch(r"(net|pack|sizes|own|two)(\..*)?", name)
    ]
    assert not left


def test_layers_that_a_plain_list_hides_from_pytorch_are_told() -> None:
    class Hiding(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.seen = nn.LSTM(3, 4)
            self.layers = [nn.LSTM(3, 4), nn.GRUCell(4, 5), nn.Linear(2, 3)]
            self.again = (self.seen,)
            self.heads = {"a": nn.RNN(3, 4)}

    reports = rnnshape.inspect_model(nn.Sequential(Hiding()), run=False)
    hidden = "which PyTorch does not see: make it an"
    assert reports.passed_over == (
        f"0.layers is a plain list with 2 recurrent layers, {hidden} nn.ModuleList",
        f"0.heads is a plain dict with 1 recurrent layer, {hidden} nn.ModuleDict",
    )
    assert list(reports) == ["0.seen"]


def test_a_default_device_that_was_set_back_to_none_is_no_hindrance() -> None:
    with reference.default_device(None):
        reports = rnnshape.inspect_model(nn.Sequential(nn.LSTM(3, 4)), inputs=torch.zeros(5, 2, 3))
    assert list(reports) == ["0"]
