"""The program that converts a layer to another framework and back, and compares the outputs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from rnnshape.analysis.frameworks.arrays import Array, Given, Part, restored
from rnnshape.analysis.frameworks.framework import Framework, Port
from rnnshape.layer.config import RNNConfig
from rnnshape.layer.formulas import Sizes
from rnnshape.layer.settings import DType

_WIDTH: Final = 80
_ROWS: Final = (
    'def rows(w, wanted, stacked="{gates}"):',
    '    """The rows of the gates wanted, of an array that stacks those gates."""',
    "    part = dict(zip(stacked, np.split(w, len(stacked))))",
    "    return np.concatenate([part[gate] for gate in wanted])",
    "",
)


def program(
    framework: Framework, port: Port, sizes: Sizes, given: Given, dtype: DType
) -> list[str]:
    """The lines of Python, for a layer with these sizes and that dtype, as float32.

    A port that lacks a weight is converted to PyTorch only, and one that computes something else
    not at all: it has no lines. `given` is PyTorch's first layer.
    """
    if port.other or (port.lacks and not framework.runs):
        return []
    code = framework.code(sizes, port)
    converting = [*_imported(port.arrays, given), ""]
    if port.exact:
        converting = [*_exported(port.arrays, given), "", *converting]
        converting.append("layers = [[exported(place) for place in one] for one in places]")
    body = [*converting, *code.create]
    if port.exact:
        body += code.fill
    if code.call:
        body += [f"x = torch.randn({_input(sizes)})", *code.call]
    if code.call and port.exact:
        body += [
            "output = layer(x)[0].detach().numpy()",
            "np.testing.assert_allclose(theirs, output, atol=1e-5)",
        ]
    body += [
        "",
        "# And back to PyTorch.",
        *code.read,
        *_back(sizes.config, compared=bool(code.call)),
    ]
    lines = [
        *("import numpy as np", "import torch", "from torch import nn", *code.imports, ""),
        *(_layer(sizes.config, dtype) if port.exact else ()),
        *_constants(sizes.config, body),
        *(line.format(gates=given.gates) for line in _ROWS if _uses("rows(", body)),
        *body,
    ]
    return [short for line in lines for short in _broken(line)]


def _broken(line: str) -> list[str]:
    """A line of code no longer than `_WIDTH`, broken between the arguments of calls."""
    if len(line) <= _WIDTH:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    return textwrap.wrap(
        line, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _uses(text: str, lines: Sequence[str]) -> bool:
    return any(text in line for line in lines)


def _layer(config: RNNConfig, dtype: DType) -> Iterator[str]:
    yield "# Yours, with its trained weights."
    other = dtype is not DType.FLOAT32
    yours = f"{config.constructor[:-1]}{f', dtype=torch.{dtype.value}' * other})"
    if config.cell:
        yield f"cell = {yours}"
        yield f"layer = {_of_layer(config).constructor}"
        yield 'state = {f"{name}_l0": w for name, w in cell.state_dict().items()}'
        yield "layer.load_state_dict(state)"
    else:
        yield f"layer = {yours}"
    yield f"layer{'.float()' * (other and not config.cell)}.eval()"


def _constants(config: RNNConfig, body: Sequence[str]) -> Iterator[str]:
    if _uses(" H", body):
        yield f"H = {config.hidden_size}"
    ways = 'f"_l{n}", f"_l{n}_reverse"' if config.bidirectional else 'f"_l{n}"'
    yield f"places = [[{ways}] for n in range({config.num_layers})]"
    yield ""


def _of_layer(config: RNNConfig) -> RNNConfig:
    return replace(config, cell=False)


def _exported(arrays: Mapping[str, Array], given: Given) -> Iterator[str]:
    names = ", ".join(given.shapes)
    listed = ", ".join(f'"{name}"' for name in given.shapes)
    yield "def exported(place):"
    yield '    """The arrays of one layer and direction, _l0 or _l0_reverse."""'
    yield f"    names = {listed}"
    yield f"    {names} = ("
    yield "        getattr(layer, name + place).detach().numpy() for name in names"
    yield "    )"
    yield "    return {"
    for name, array in arrays.items():
        yield f'        "{name}": {array.code},'
    yield "    }"


def _imported(arrays: Mapping[str, Array], given: Given) -> Iterator[str]:
    parts: list[Part] = []
    for name, array in arrays.items():
        parts += array.parts(f'arrays["{name}"]', given)
    yield "def imported(arrays):"
    yield '    """The weights of PyTorch that these arrays make."""'
    yield "    return {"
    for weight in given.shapes:
        yield f'        "{weight}": {restored(weight, parts, given)},'
    yield "    }"


def _input(sizes: Sizes) -> str:
    steps, batch = int(sizes.L), int(sizes.N)
    first = (batch, steps) if sizes.config.batch_first else (steps, batch)
    return ", ".join(map(str, (*first, sizes.config.input_size)))


def _back(config: RNNConfig, *, compared: bool) -> Iterator[str]:
    yield "state = {"
    yield "    name + place: torch.tensor(value)"
    yield "    for one, directions in zip(places, layers)"
    yield "    for place, arrays in zip(one, directions)"
    yield "    for name, value in imported(arrays).items()"
    yield "}"
    yield f"back = {_of_layer(config).constructor}"
    yield "back.load_state_dict(state)"
    if compared:
        yield "output = back.eval()(x)[0].detach().numpy()"
        yield "np.testing.assert_allclose(theirs, output, atol=1e-5)"
