"""A layer with its input, its settings and where it was described."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from rnnshape.computed import cached_property
from rnnshape.errors import word
from rnnshape.fields import fields_of
from rnnshape.layer.config import RNNConfig
from rnnshape.layer.facts import Tensor
from rnnshape.layer.formulas import (
    Sizes,
    arguments,
    macs,
    named_sizes,
    plain_sizes,
    results,
    weights,
)
from rnnshape.layer.input import InputSpec
from rnnshape.layer.settings import Settings
from rnnshape.layer.traps import Trap
from rnnshape.layer.weights import Weights
from rnnshape.words import PYTHON, Words

if TYPE_CHECKING:
    from rnnshape.layer.calls import Call
    from rnnshape.layer.found import Found
    from rnnshape.layer.held import Held

INPUT_FIELDS: Final = frozenset(field.name for field in fields(InputSpec))
ALL_FIELDS: Final = INPUT_FIELDS | {field.name for field in fields(RNNConfig)}


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a layer was described, and how fields are written there."""

    words: Words = field(default=PYTHON, hash=False)  # may hold a dict
    target: str | None = None  # the text that describes it, `nn.LSTM(20, 40)`, if one does
    request: str = ""  # the request to repeat, where the subject does not say
    traps: tuple[Trap, ...] = ()  # of that text


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One layer with one input and settings: what a prediction, a run or a report is about.

    Derived values are plain ints, computed once, at the same cost for any size.
    """

    config: RNNConfig
    input_spec: InputSpec = InputSpec()
    settings: Settings = Settings()
    name: str = ""  # in its model, file or manifest
    origin: Origin = Origin()
    given: frozenset[str] = ALL_FIELDS  # the fields of config and input_spec that were given
    unknown: frozenset[str] = frozenset()  # the fields whose values are not known
    axes_by_place: bool = False  # only the order of an input shape says which axis is the batch
    held: Held | None = None  # by an existing module that is not as its constructor made it
    found: Found | None = None  # where, if it was found in a file or a model

    @property
    def calls(self) -> tuple[Call, ...] | None:
        """Those in the forward pass of its model; None where it did not run, or cannot be seen."""
        return None if self.found is None else self.found.calls

    @property
    def assumed(self) -> frozenset[str]:
        """The fields of config and input_spec that have their default value."""
        return ALL_FIELDS - self.given

    @cached_property
    def sizes(self) -> Sizes:
        """The sizes that the formulas are computed from."""
        return plain_sizes(self.config, self.input_spec)

    @cached_property
    def named_sizes(self) -> Sizes:
        """The sizes as Dims, which remember how they are computed."""
        return named_sizes(self.sizes)

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """The tensors of a forward pass, by name: what it reads, and what it returns."""
        return self.arguments | self.results

    @cached_property
    def arguments(self) -> dict[str, Tensor]:
        """The tensors that the layer reads, by name."""
        return arguments(self.sizes)

    @cached_property
    def results(self) -> dict[str, Tensor]:
        """The tensors that the layer returns, by name."""
        return results(self.sizes)

    def tensor(self, name: str) -> Tensor | None:
        """One of the tensors of a forward pass, None if the layer has none of this name."""
        return self.results.get(name) or self.arguments.get(name)

    @cached_property
    def weights(self) -> Weights:
        """The weights, as blocks of layers that are alike."""
        return weights(self.sizes)

    @property
    def constructor(self) -> str:
        """The call that builds the layer."""
        return self.config.constructor

    @property
    def reads(self) -> int:
        """The features of what it reads."""
        return self.config.input_size

    @property
    def gives(self) -> int:
        """The features of what it gives, of both directions together."""
        return self.config.directions * self.config.output_size

    @property
    def parameters(self) -> int:
        """Elements of all weights."""
        return self.weights.parameters

    @property
    def parameter_bytes(self) -> int:
        """Bytes of all weights, or of the parameters that an existing module holds."""
        if self.held is not None:
            return self.held.nbytes
        return self.parameters * self.settings.dtype.itemsize

    @property
    def macs(self) -> int:
        """Multiply-adds of the matrix products over the whole input."""
        return macs(self.weights, self.sizes)

    @property
    def counts(self) -> dict[str, int]:
        """The counts that a run can confirm, as `Facts.counts` has them with their formulas."""
        return {"parameters": self.parameters, "macs": self.macs}

    def changed(self, **values: Any) -> Subject:
        """The same subject with other values in its config."""
        return replace(self, config=replace(self.config, **values))

    @property
    def request(self) -> str:
        """The request that gives this again: a command line, or a call of the Python API."""
        words, target = self.origin.words, self.origin.target
        if self.origin.request:
            return self.origin.request
        if words.input == "argument":
            layer = repr(target) if target else self.config.constructor
            arguments = [layer]
            if self.input_spec != InputSpec():
                arguments.append(_call(self.input_spec))
            if self.settings != Settings():
                arguments.append(f"settings={_call(self.settings)}")
            return f"rnnshape.inspect({', '.join(arguments)})"
        command = self.config.kind.value.lower() if target is None else f"inspect {word(target)}"
        return " ".join(("rnnshape", command, *self._given_words(whole=target is None)))

    def _given_words(self, *, whole: bool) -> Iterator[str]:
        """What to give again: fields of the input and the run, and of the layer if `whole`."""
        where = {
            "device": self.settings.device,
            "dtype": self.settings.dtype.value,
            "optimizer": self.settings.optimizer.value,
        }
        values = {**vars(self.config), **_input_options(self.input_spec), **where}
        for row in fields_of("layer", "input", "run") if whole else fields_of("input", "run"):
            value = values.get(row.name)
            is_size = row.takes in ("size", "count")
            if value not in (None, row.default) or (is_size and value and row.name in self.given):
                yield self.origin.words.field(row.name, value)


def _call(value: InputSpec | Settings) -> str:
    """The call that makes an equal record; fields with their default are left out."""
    given = {
        row.name: getattr(value, row.name)
        for row in fields(value)
        if getattr(value, row.name) != row.default
    }
    plain = {n: v.value if isinstance(v, Enum) else v for n, v in given.items()}
    words = (f"{n}={v!r}" for n, v in plain.items())
    return f"rnnshape.{type(value).__name__}({', '.join(words)})"


def _input_options(spec: InputSpec) -> dict[str, Any]:
    """The values of the options that give this input; lengths imply batch and, usually, steps."""
    lengths = spec.lengths
    return {
        "batch_size": spec.batch_size if spec.batched and lengths is None else None,
        "seq_len": None if lengths is not None and spec.seq_len == max(lengths) else spec.seq_len,
        "lengths": lengths,
        "unbatched": not spec.batched,
        "with_state": spec.with_state,
    }
