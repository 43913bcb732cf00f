"""Constructor calls: those that PyTorch accepts, what it builds, and what a refusal says."""

from __future__ import annotations

import warnings

import pytest
import torch
from hypothesis import strategies as st
from torch import nn

from rnnshape.errors import RequestError
from rnnshape.layer.config import Kind
from rnnshape.sources.constructor import CONSTRUCTORS, Constructor
from rnnshape.sources.expression import read_call

PREFIXES = ("nn.", "torch.nn.", "", "nn.modules.", "torch.nn.modules.rnn.")


def built(text: str) -> nn.Module:
    """The module that PyTorch makes of the text. Only here is an expression evaluated."""
    names = {"nn": nn, "torch": torch, **vars(nn)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = eval(text, names)  # noqa: S307
    assert isinstance(module, nn.Module)
    return module


def refused(text: str) -> RequestError:
    """What is said of a text that is refused."""
    with pytest.raises(RequestError) as caught:
        read_call(text)
    return caught.value


@st.composite
def valid_calls(draw: st.DrawFn) -> str:
    """Calls that PyTorch accepts: by place up to a random argument, then by name in any order."""
    constructor = draw(st.sampled_from(list(CONSTRUCTORS.values())))
    hidden = draw(st.integers(1, 6))
    projects = constructor.kind is Kind.LSTM
    values = {
        "input_size": draw(st.integers(1, 6)),
        "hidden_size": hidden,
        "num_layers": draw(st.integers(1, 3)),
        "bias": draw(st.booleans()),
        "batch_first": draw(st.booleans()),
        "dropout": draw(st.sampled_from([0, 0.0, 0.25, 1, 1.0])),
        "bidirectional": draw(st.booleans()),
        "proj_size": draw(st.integers(0, hidden - 1)) if projects else 0,
        "nonlinearity": draw(st.sampled_from(["tanh", "relu"])),
        "device": "meta",
    }
    written = {name: repr(value) for name, value in values.items()}
    written["dtype"] = draw(st.sampled_from(["None", "torch.float64", "torch.half", "float"]))
    places = draw(st.integers(0, len(constructor.arguments)))
    by_place = constructor.arguments[:places]
    optional = set(constructor.keywords) - {"input_size", "hidden_size", "device"}
    left_out = draw(st.sets(st.sampled_from(sorted(optional)))) - set(by_place)
    by_name = [n for n in constructor.keywords if n not in by_place and n not in left_out]
    order = [*by_place, *draw(st.permutations(by_name))]
    chosen = {name: written[name] for name in order}
    return call(constructor, draw(st.sampled_from(PREFIXES)), chosen, places)


def call(constructor: Constructor, prefix: str, values: dict[str, str], places: int) -> str:
    names = constructor.arguments
    words = [values[name] for name in names[:places]]
    words += [f"{name}={value}" for name, value in values.items() if name not in names[:places]]
    return f"{prefix}{constructor.name.removeprefix('nn.')}({', '.join(words)})"
