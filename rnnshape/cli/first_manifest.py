"""`rnnshape check --init`: write a first manifest."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import chain, count

from rnnshape.analysis.value import TensorShape
from rnnshape.errors import gathered
from rnnshape.layer.report import predicted_report
from rnnshape.layer.subject import Subject
from rnnshape.sources.registry import read_target
from rnnshape.sources.target import Target
from rnnshape.words import basic_string


def first_manifest(targets: Sequence[str]) -> str:
    """A manifest of these targets, which expects each to stay as it is now.

    Raises RequestErrors with every text that is not a target.
    """
    names: set[str] = set()
    tables = []
    for text, target in zip(targets, gathered(read_target, targets), strict=True):
        name = _free_name(target, names)
        names.add(name)
        tables.append("\n".join(_table(name, text, target)) + "\n")
    return "\n".join(tables)


def _free_name(target: Target, taken: Collection[str]) -> str:
    stem = target.config.class_name.removeprefix("nn.").lower()
    names = (f"{stem}{number}" for number in count(2))
    return next(name for name in chain([stem], names) if name not in taken)


def _table(name: str, text: str, target: Target) -> Iterator[str]:
    report = predicted_report(Subject(config=target.config))
    tensors = report.tensors
    yield f"[modules.{name}]"
    yield f"target = {basic_string(text)}"
    yield f"input_shape = [{', '.join(str(int(size)) for size in tensors['input'].shape)}]"
    yield "expect = ["
    for tensor, known in tensors.items():
        if tensor in ("output", "h_n", "h_1"):
            yield f'  "{tensor} = {TensorShape(known.shape).typed}",'
    yield f'  "parameters = {int(report.parameters)}",'
    yield f'  "macs = {int(report.macs)}",'
    yield "]"
