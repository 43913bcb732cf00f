"""The Python API: reports of layers and models, which show themselves and check expectations.

report = rnnshape.inspect(nn.LSTM(20, 40, bidirectional=True))
report.output.shape                          # (10, 5, 80)
report.weights["weight_ih_l0"].shape         # (160, 20)
report.expect("output = 10,5,80", "params <= 150k")
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from rnnshape.analysis.expectation import chosen, judge, parse
from rnnshape.document.expectations import failure_text
from rnnshape.document.layer import DEFAULT_SECTIONS, layer_document
from rnnshape.document.model import Document
from rnnshape.errors import RequestError, written
from rnnshape.layer import report as layer_report
from rnnshape.layer.config import InputSpec, RNNConfig, Settings
from rnnshape.layer.facts import Tensor
from rnnshape.layer.report import predicted_report
from rnnshape.layer.run import with_run
from rnnshape.render import Format, render

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.text import Text
    from torch import nn


class _Shown:
    """What shows itself: as a table where it is printed, and in Jupyter and rich."""

    def _document(self) -> Document:
        raise NotImplementedError

    def __str__(self) -> str:
        return render(self._document(), Format.TABLE).rstrip("\n")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        from rnnshape.render.terminal import rich_text

        yield rich_text(self._document().sections, width=options.max_width)

    def _repr_markdown_(self) -> str:
        return render(self._document(), Format.MARKDOWN)

    def _repr_html_(self) -> str:
        from rnnshape.render.html import render_fragment

        return render_fragment(self._document())


@dataclass(frozen=True, kw_only=True, repr=False)
class Report(_Shown, layer_report.Report):
    """All that is known of one layer with one input.

    `print(report)` writes it as a table; Jupyter and rich show it by themselves. A tensor that
    this layer does not have, as c_n of a GRU, is an AttributeError.
    """

    @property
    def input(self) -> Tensor:
        """What the layer reads: (L, N, H_in), (N, L, H_in) with batch_first, (N, H_in) a cell."""
        return self._tensor("input")

    @property
    def data(self) -> Tensor:
        """The steps that a packed layer reads: (sum(lengths), H_in)."""
        return self._tensor("data")

    @property
    def output(self) -> Tensor:
        """What the last layer gives at each step: (L, N, D*H_out), batch first if so asked."""
        return self._tensor("output")

    @property
    def h_0(self) -> Tensor:
        """The initial hidden state, in the shape of h_n or h_1."""
        return self._tensor("h_0")

    @property
    def c_0(self) -> Tensor:
        """The initial cell state of an LSTM, in the shape of c_n or c_1."""
        return self._tensor("c_0")

    @property
    def h_n(self) -> Tensor:
        """The final hidden states: (D*num_layers, N, H_out)."""
        return self._tensor("h_n")

    @property
    def c_n(self) -> Tensor:
        """The final cell states of an LSTM: (D*num_layers, N, H_cell)."""
        return self._tensor("c_n")

    @property
    def h_1(self) -> Tensor:
        """The next hidden state of a cell: (N, H_out)."""
        return self._tensor("h_1")

    @property
    def c_1(self) -> Tensor:
        """The next cell state of an nn.LSTMCell: (N, H_cell)."""
        return self._tensor("c_1")

    def expect(self, *expectations: str) -> None:
        """Raise AssertionError unless each `NAME OP VALUE` holds: `params <= 150k`.

        It tells every failure, with what was expected, what it is, and the formula. A layer that
        PyTorch ran otherwise than predicted holds nothing. Raises RequestError for an expectation
        that cannot be read, or is of something that this layer does not have.
        """
        _expect({"": self}, expectations)

    def _tensor(self, name: str) -> Tensor:
        tensors = self.predicted.tensors
        if name not in tensors:
            raise AttributeError(
                f"{self.config.class_name} has no {name} here; it has {', '.join(tensors)}",
                name=name,
                obj=self,
            )
        return replace(tensors[name], shape=tuple(map(int, tensors[name].shape)))

    def _document(self) -> Document:
        return layer_document(self, show=DEFAULT_SECTIONS, full=False)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.config.constructor}>"


class Reports(_Shown, Mapping[str, Report]):
    """The reports of a model's recurrent layers, by name and in the model's order.

    `print(reports)` writes all of them; Jupyter and rich show them by themselves.
    """

    def __init__(self, reports: Mapping[str, Report]) -> None:
        self._reports = dict(reports)

    def __getitem__(self, name: str) -> Report:
        return self._reports[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._reports)

    def __len__(self) -> int:
        return len(self._reports)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._reports})"

    def _document(self) -> Document:
        return layer_document(*self.values(), names=tuple(self), show=DEFAULT_SECTIONS, full=False)

    def expect(self, *expectations: str) -> None:
        """Raise AssertionError unless each holds: `encoder.lstm/output = 10,5,80`.

        Of a model with one recurrent layer the name may be left out. See `Report.expect`.
        """
        _expect(self, expectations)


def inspect(
    layer: RNNConfig | nn.Module,
    input_spec: InputSpec | None = None,
    settings: Settings | None = None,
    *,
    run: bool = True,
) -> Report:
    """The report of a layer: one that is described, or an nn.LSTM, nn.GRU, nn.RNN or cell.

    Of a module its constructor's arguments are read, and, unless `settings` are given, the device
    and dtype of its weights; the module itself is not run. Unless `run` is False a layer like it
    is built with random weights and run once. Raises RequestError where it cannot be run, and for
    a module that has other weights than its sizes say. The global state of torch (random numbers,
    threads, backends, default device and dtype) is left as it was.
    """
    _require_asked(input_spec, settings)
    if isinstance(layer, RNNConfig):
        return _report(layer, input_spec, Settings() if settings is None else settings, run=run)
    _require_module(layer)
    from rnnshape.layer.instances import config_of, settings_of

    config = config_of(layer)
    return _report(
        config, input_spec, settings_of(layer) if settings is None else settings, run=run
    )


def inspect_model(
    model: nn.Module,
    input_spec: InputSpec | None = None,
    settings: Settings | None = None,
    *,
    run: bool = True,
) -> Reports:
    """The report of each recurrent layer in a model, by its name there: "encoder.lstm".

    Each is run alone and with the same input; the model is not run. See `inspect`.
    """
    _require_asked(input_spec, settings)
    _require_module(model)
    from rnnshape.layer.instances import recurrent_layers

    def report(name: str, layer: nn.Module) -> Report:
        try:
            return inspect(layer, input_spec, settings, run=run)
        except RequestError as error:
            raise error.retold(f"{name}: {error.problem}" if name else error.problem) from error

    return Reports({name: report(name, layer) for name, layer in recurrent_layers(model).items()})


def _report(
    config: RNNConfig, input_spec: InputSpec | None, settings: Settings, *, run: bool
) -> Report:
    predicted = predicted_report(
        config,
        InputSpec() if input_spec is None else input_spec,
        settings,
        assumed={"batch_size", "seq_len"} if input_spec is None else set(),
    )
    report = with_run(predicted) if run else predicted
    return Report(**{field.name: getattr(report, field.name) for field in fields(report)})


def _require_asked(input_spec: object, settings: object) -> None:
    """Raise RequestError for an input or settings in another form."""
    if not (input_spec is None or isinstance(input_spec, InputSpec)):
        raise RequestError(
            f"the input is an InputSpec, not {written(input_spec)}",
            hint="rnnshape.InputSpec(seq_len=10, batch_size=5)",
        )
    if not (settings is None or isinstance(settings, Settings)):
        raise RequestError(
            f"settings are Settings, not {written(settings)}",
            hint="rnnshape.Settings(device='cpu', dtype='float32')",
        )


def _require_module(value: object) -> None:
    """Raise RequestError for what is no nn.Module; torch is imported where there is one."""
    if not any(base.__module__ == "torch.nn.modules.module" for base in type(value).__mro__):
        raise RequestError(
            f"an RNNConfig or an nn.Module is inspected, not {type(value).__name__}",
            hint="rnnshape.inspect(nn.LSTM(20, 40))",
        )


def _expect(reports: Mapping[str, Report], expectations: Iterable[str]) -> None:
    parsed = [parse(_text(expectation)) for expectation in expectations]
    about = [(expectation, chosen(expectation, reports)) for expectation in parsed]
    judged = [(judge(expectation, report), report) for expectation, report in about]
    for _, report in judged:
        if report.disagrees:
            document = layer_document(report, show=["verification"], full=False)
            raise AssertionError(render(document, Format.TABLE).rstrip("\n"))
    failures = [failure_text(each, report) for each, report in judged if not each.holds]
    if failures:
        raise AssertionError("\n".join(failures))


def _text(expectation: object) -> str:
    if isinstance(expectation, str):
        return expectation
    several = isinstance(expectation, Iterable) and not isinstance(expectation, bytes)
    raise RequestError(
        f"an expectation is a text, NAME OP VALUE, not {written(expectation)}",
        hint="each is an argument of its own: expect(*expectations)"
        if several
        else 'expect("params <= 150k")',
    )
