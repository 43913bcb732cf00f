"""What people paste means the constructor call in it: code, a session, a printed model."""

from __future__ import annotations

import ast
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from rnnshape.errors import RequestError
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.sources.constructor import CONSTRUCTORS
from rnnshape.sources.expression import looks_like_call, read_call
from rnnshape.words import COMMAND
from tests.calls import built, refused, valid_calls
from tests.strategies import cells, configs, examples

# Each holds one constructor call: as a value, as a statement, as lines.
VALUES = [
    "{}",
    "{}(x)",
    "{}(x, hx=h_0)",
    "{}.forward(x)[0].shape",
    "{}.eval()",
    "{}.train(False)(x)",
    "{}.weight_ih_l0",
    "({})",
    "lambda: {}",
    "{} if deep else None",
    "(layer := {})",
    "await {}",
    "[{} for _ in range(3)]",
    "wrap({}, 1, 2, half=3)",
    "nn.Sequential(nn.Embedding(9, 3), {})",
    "sum(p.numel() for p in {}.parameters())",
]
STATEMENTS = [
    "{}",
    "rnn = {}",
    "lstm={}",
    "self.gru = {}",
    "a = b = {}",
    "rnn: nn.Module = {}",
    "output, (h_n, c_n) = {}",
    "return {}",
    "print({})",
    "'lstm': {}",
    '"a layer": {}',
    "(encoder): {}",
    "(0): {}",
]
ENDS = ["{}", "{},", "{};", "{}  # comment", "{},  # nn.LSTM(1, 2)", "  {}\n", "\t{}\r\n", "\n\n{}"]
LINES = [
    "{}",
    ">>> {}",
    "... {}",
    "  >>> {}\n",
    "In [3]: {}",
    "In [12]: {}\nOut[12]: LSTM(1, 2)",
    "Examples::\n\n    >>> {}\n    >>> x = torch.randn(5, 3, 10)\n    >>> x.shape\n    (5, 3, 10)",
]
PROGRAMS = [
    "import torch.nn as nn\n{}\ninput = torch.randn(5, 3, 10)",
    "    {}\n    self.head = nn.Linear(1, 2)",
    "{}\n        self.head = nn.Linear(1, 2)",
    "class Model(nn.Module):\n    def __init__(self):\n        super().__init__()\n        {}\n",
    "import torch\n\nif True:\n    {}\nelse:\n    pass",
]


def forms() -> st.SearchStrategy[str]:
    """Forms within forms, each with one place for a call."""
    inner = st.tuples(st.sampled_from(VALUES), st.sampled_from(STATEMENTS))
    lines = st.tuples(inner, st.sampled_from(ENDS), st.sampled_from(LINES)).map(
        lambda form: form[2].format(form[1].format(form[0][1].format(form[0][0])).strip())
    )
    # A key or a label belongs to a line, not to a program.
    whole = st.tuples(
        st.sampled_from(VALUES), st.sampled_from(STATEMENTS[:9]), st.sampled_from(PROGRAMS)
    ).map(lambda form: form[2].format(form[1].format(form[0])))
    return lines | whole


@examples(500)
@given(forms(), valid_calls())
def test_every_form_around_a_call_means_the_call(form: str, call: str) -> None:
    text = form.format(call)
    parsed = read_call(text)
    assert parsed == read_call(call)
    assert parsed.origin.target == ast.unparse(ast.parse(call))
    assert looks_like_call(text)


def containers(module: nn.Module) -> dict[str, nn.Module]:
    """Models that hold one such layer, or several that are printed as one."""
    copies = nn.ModuleList([module, module, module])
    return {
        "itself": module,
        "sequential": nn.Sequential(nn.Linear(1, 2), module, nn.Dropout(0.5)),
        "named": nn.ModuleDict({"a layer (new)": module, "head": nn.Conv1d(1, 2, 3)}),
        "nested": nn.Sequential(nn.Sequential(nn.ReLU(), nn.Sequential(module))),
        "copies": nn.Sequential(copies, nn.Flatten()),
    }


@examples(300)
@given(configs() | cells(), st.data())
def test_what_print_shows_means_the_layer(config: RNNConfig, data: st.DataObject) -> None:
    module = built(config.constructor)
    printed = data.draw(st.sampled_from(sorted(containers(module))))
    text = str(containers(module)[printed])
    line = next(line for line in text.splitlines() if f"{type(module).__name__}(" in line)
    for shown in (text, line, line.strip(), f"{line},", f">>> print(model)\n{text}"):
        parsed = read_call(shown)
        assert looks_like_call(shown)
        assert parsed == read_call(parsed.origin.target or "")
        for name in ("input_size", "hidden_size", "bias", "num_layers", "batch_first", "dropout"):
            assert getattr(parsed.config, name) == getattr(module, name, getattr(config, name))
        assert parsed.config.bidirectional == config.bidirectional
        assert parsed.config.proj_size == config.proj_size
        assert (parsed.config.kind, parsed.config.cell) == (config.kind, config.cell)
        # The layer nn.RNN prints alike with tanh and with relu; the cell shows relu.
        if config.kind is Kind.RNN and not config.cell:
            assert "nonlinearity" not in parsed.fields
        else:
            assert parsed.config.nonlinearity == config.nonlinearity
            assert ("nonlinearity" in parsed.fields) == (config.nonlinearity == "relu")


@pytest.mark.parametrize(
    "text",
    [
        "nn.LSTM(3, 4).eval()",
        "list(nn.LSTM(3, 4).requires_grad_(False).train().parameters())",
        "nn.LSTM(3, 4)(x, states)",
        "nn.LSTM(3, 4).eval()(*inputs)",
        # What comes after the forward is a tensor's, not the layer's.
        "nn.LSTM(3, 4)(x).half()",
        "nn.LSTM(3, 4).forward(x.half())[0].cuda()",
    ],
)
def test_what_is_done_with_a_layer_does_not_change_it(text: str) -> None:
    assert read_call(text) == read_call("nn.LSTM(3, 4)")


@pytest.mark.parametrize("method", ["half", "cuda", "to", "double", "apply", "to_empty"])
def test_a_method_that_may_change_the_layer_is_refused_by_name(method: str) -> None:
    error = refused(f"nn.LSTM(3, 4).eval().{method}('meta')(x)")
    assert error.problem.startswith(f".{method}() may change the layer")
    assert (
        error.message(COMMAND).hint
        == f"leave .{method}() out; --dtype and --device choose dtype and device"
    )


@pytest.mark.parametrize(
    "text",
    [
        ">>> rnn = nn.LSTM(\n...     3,\n...     4,\n... )\n>>> rnn\nLSTM(3, 4)\n",
        "In [1]: rnn = nn.LSTM(3,\n   ...:               4)\n\nIn [2]: rnn\nOut[2]: LSTM(3, 4)",
        "'lstm': nn.LSTM(\n    3,\n    4,\n),",
        "from torch.nn import *\nfor _ in range(2):\n    rnn = LSTM(3, 4)\n    rnn(x)\n",
        "Out[7]: LSTM(3, 4)",
        "(1): 12 x LSTM(3, 4)",
        "layers = [\n    nn.Linear(2, 3),\n    nn.LSTM(3, 4),\n",
    ],
)
def test_what_takes_several_lines_is_read_as_one(text: str) -> None:
    assert read_call(text) == read_call(f"{'nn.' * ('nn.LSTM' in text)}LSTM(3, 4)")


def test_a_session_without_its_prompts_has_two_layers() -> None:
    text = "rnn = nn.LSTM(3, 4)\nrnn\nLSTM(3, 4)"
    assert refused(text).problem.endswith("constructed: nn.LSTM(3, 4), LSTM(3, 4)")


def test_a_model_of_several_layers_is_refused_by_their_names() -> None:
    model = nn.Sequential(nn.LSTM(3, 4), nn.ReLU(), nn.GRUCell(4, 5))
    assert refused(str(model)).problem == (
        "2 recurrent layers are constructed: LSTM(3, 4), GRUCell(4, 5)"
    )


UNREADABLE = [
    "n",
    "self.n",
    "2 * n",
    "c['n']",
    "len(words)",
    "n if n else 3",
    "[4]",
    "b'4'",
    "-'4'",
]


@examples(300)
@given(valid_calls(), st.sampled_from(UNREADABLE), st.data())
def test_what_has_no_value_gets_an_example(call: str, unread: str, data: st.DataObject) -> None:
    tree, meant = ast.parse(call, mode="eval").body, read_call(call)
    assert isinstance(tree, ast.Call)
    names = CONSTRUCTORS[meant.config.class_name].arguments[: len(tree.args)]
    given = [*names, *(str(word.arg) for word in tree.keywords)]
    free = [name for name in given if name not in ("device", "dtype", "proj_size")]
    chosen = data.draw(st.sets(st.sampled_from(free), min_size=1))
    values = [*tree.args, *(word.value for word in tree.keywords)]
    words = [
        f"{name}=" * (place >= len(names)) + (unread if name in chosen else ast.unparse(value))
        for place, (name, value) in enumerate(zip(given, values, strict=True))
    ]
    error = refused(f"{ast.unparse(tree.func)}({', '.join(words)})")
    first, *others = [name for name in given if name in chosen]
    subject, _, what = error.problem.partition("; the same goes for ")
    assert subject.startswith(f"{first} must be ")
    assert subject.endswith(f", not {'the name ' * unread.isidentifier()}{unread}")
    assert what == ", ".join(others)
    example = read_call(error.hint.partition(", as in ")[2])
    if meant.config.proj_size:  # the example of hidden_size may be too small for it
        return
    assert example.fields.keys() == meant.fields.keys()
    for name in meant.fields.keys() - chosen:
        assert getattr(example.config, name) == getattr(meant.config, name)


@pytest.mark.parametrize(
    "text",
    [
        "nn.LSTM(",
        "nn.LSTM(20)",
        "nn.Linear(20, 40)",
        "lstm(20, 40)",
        "rnn = build(3)",
        "rnn = encoder",
        "rnn: nn.Module = encoder.rnn",
        "keras.layers.LSTM(40)",
        ">>> rnn",
        "... )",
        "In [2]: rnn.hidden_size",
        "(0): Linear(in_features=20, out_features=40, bias=True)",
    ],
)
def test_what_is_meant_as_python_looks_like_it_though_it_is_wrong(text: str) -> None:
    assert looks_like_call(text)
    with pytest.raises(RequestError):
        read_call(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-",
        "lstm",
        "LSTM",
        "nn.LSTM",
        "torch.nn.LSTM",
        "lstm --hidden 40",
        "  GRU\t--hidden=40 --bidir",
        "rnn --cell --nonlinearity relu",
        "lstm 40",
        "lstm --hidden '40",
        "weights.pt",
        "weights (1).pt",
        "weights (1)",
        "lstm(1).pt",
        "runs/LSTM(20, 40)/best.safetensors:encoder.lstm",
        "epoch=3-step=100.ckpt",
        "hidden=40",
        "package.module:attr",
        "package.Model",
        "rnnshape.toml",
        "# nn.LSTM",
    ],
)
def test_options_files_and_import_paths_do_not_look_like_a_call(text: str) -> None:
    assert not looks_like_call(text)


BLANKS = [letter for letter in map(chr, range(sys.maxunicode + 1)) if letter.isspace()]


@pytest.mark.parametrize("blank", [b for b in BLANKS if not b.isascii()], ids=ascii)
def test_blanks_of_web_pages_are_blanks(blank: str) -> None:
    assert read_call(f"rnn{blank}={blank}nn.LSTM(3,{blank}4)") == read_call("nn.LSTM(3, 4)")
