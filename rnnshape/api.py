"""The Python API: reports of layers and models, which show themselves and check expectations.

report = rnnshape.inspect(nn.LSTM(20, 40, bidirectional=True))
report.output.shape                          # (10, 5, 80)
report.weights["weight_ih_l0"].shape         # (160, 20)
report.expect("output = 10,5,80", "params <= 150k")
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from rnnshape.analysis.expectation import judge, parse_expectation
from rnnshape.analysis.inspection import Inspection
from rnnshape.document.expectations import failure_text
from rnnshape.document.model import Document
from rnnshape.document.report import report_document
from rnnshape.document.sections import DEFAULT_SECTIONS
from rnnshape.errors import RequestError, RequestErrors, written
from rnnshape.layer.config import RNNConfig
from rnnshape.layer.facts import Tensor
from rnnshape.layer.input import InputSpec
from rnnshape.layer.report import LayerReport, predicted_report
from rnnshape.layer.settings import Settings
from rnnshape.layer.subject import INPUT_FIELDS, Subject
from rnnshape.pytorch.run import with_run
from rnnshape.render import Format, render
from rnnshape.words import PYTHON

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.text import Text
    from torch import nn


class _Shown:
    """A result that can be printed as tables, and that Jupyter and rich show as such."""

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


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Report(_Shown, LayerReport):
    """All that is known of one layer with one input.

    `print(report)` writes it as tables; Jupyter and rich show it by themselves. A tensor that this
    layer does not have, such as c_n of a GRU, is an AttributeError.
    """

    @property
    def config(self) -> RNNConfig:
        """The constructor's arguments."""
        return self.subject.config

    @property
    def input_spec(self) -> InputSpec:
        """The input that the layer reads."""
        return self.subject.input_spec

    @property
    def settings(self) -> Settings:
        """Where the layer runs and in what type."""
        return self.subject.settings

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

        The error lists every failure with what was expected, the real value and its formula. Where
        PyTorch did not do what was predicted no expectation holds. Raises RequestError for an
        expectation that cannot be read, or that names something this layer does not have.
        """
        _expect([self], expectations)

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
        return report_document(Inspection(report=self), show=DEFAULT_SECTIONS)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.config.constructor}>"

    def __hash__(self) -> int:
        """Of what was inspected; reports are equal where what was found is equal as well."""
        return hash((self.config, self.input_spec, self.settings))


class Reports(_Shown, Mapping[str, Report]):
    """The reports of a model's recurrent layers, by name and in the model's order.

    `print(reports)` writes all of them; Jupyter and rich show them by themselves. `unread` has the
    layers that have no report, each with the RequestError that says why.
    """

    def __init__(
        self, reports: Mapping[str, Report], unread: Mapping[str, RequestError] | None = None
    ) -> None:
        self._reports = dict(reports)
        self.unread: Mapping[str, RequestError] = dict(unread or {})

    def __getitem__(self, name: str) -> Report:
        return self._reports[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._reports)

    def __len__(self) -> int:
        return len(self._reports)

    def __hash__(self) -> int:
        return hash(tuple(self._reports.items()))

    def __repr__(self) -> str:
        unread = f", unread={self.unread}" if self.unread else ""
        return f"{type(self).__name__}({self._reports}{unread})"

    def _document(self) -> Document:
        inspections = (Inspection(report=report) for report in self.values())
        return report_document(*inspections, show=DEFAULT_SECTIONS, unread=self.unread)

    def expect(self, *expectations: str) -> None:
        """Raise AssertionError unless each holds: `encoder.lstm/output = 10,5,80`.

        Of a model with one recurrent layer the name may be left out. Raises RequestError for a
        layer that is `unread`, and without a name where there is one. See `Report.expect`.
        """
        for expectation in expectations if self.unread else ():
            module = parse_expectation(_text(expectation)).module
            name = next(iter(self.unread)) if module is None else module
            if name in self.unread:
                raise _behind(name, self.unread[name])
        _expect(list(self.values()), expectations)


def inspect(
    layer: RNNConfig | nn.Module | str,
    input_spec: InputSpec | None = None,
    settings: Settings | None = None,
    *,
    run: bool = True,
) -> Report:
    """The report of one layer.

    `layer` is a description, an nn.LSTM, nn.GRU, nn.RNN or cell, or a target as text:
    `"nn.GRU(20, 40)"`, `"lstm --hidden 40"`. Of a module its constructor's arguments are read, and,
    unless `settings` are given, the device and dtype of its weights; the module itself is not run.
    Unless `run` is False a layer like it is built with random weights and run once. Raises
    RequestError where it cannot be run, and for a module that has other weights than its sizes
    say. A module whose tensors are not all of one dtype and on one device is not run. The global
    state of torch (random numbers, threads, backends, default device and dtype) is left as it was.
    """
    _require_asked(input_spec, settings)
    return _report(_subject(layer, input_spec, settings), run=run)


def inspect_model(
    model: nn.Module,
    input_spec: InputSpec | None = None,
    settings: Settings | None = None,
    *,
    run: bool = True,
) -> Reports:
    """The report of each recurrent layer in a model, by its name there: "encoder.lstm".

    Each is run alone and with the same input; the model is not run. A layer that `inspect` would
    refuse is in `Reports.unread`; RequestErrors is raised where there is no other. See `inspect`.
    """
    _require_asked(input_spec, settings)
    if not _is_module(model):
        raise RequestError(
            f"a model is an nn.Module, not {type(model).__name__}",
            hint="rnnshape.inspect takes a layer in other forms too",
        )
    from rnnshape.pytorch.existing import recurrent_layers

    reports: dict[str, Report] = {}
    unread: dict[str, RequestError] = {}
    for name, layer in recurrent_layers(model).items():
        try:
            subject = _subject(layer, input_spec, settings)
            reports[name] = _report(replace(subject, name=name), run=run)
        except RequestError as error:  # noqa: PERF203 - each may be refused
            unread[name] = error
    if unread and not reports:
        raise RequestErrors(_behind(name, error) for name, error in unread.items())
    return Reports(reports, unread)


def check(path: str | os.PathLike[str] | None = None, *, run: bool = True) -> None:
    """Raise AssertionError unless all holds that a manifest expects of its modules.

    `path` is an `rnnshape.toml` or a `pyproject.toml`, or None for the nearest one here or above.
    The error is the report that `rnnshape check` prints. Raises RequestError for a manifest that
    cannot be read, with all that is wrong with it.
    """
    from rnnshape.analysis.check import checked, run_modules
    from rnnshape.document.check import check_document
    from rnnshape.sources.manifest_file import load

    manifest = load(path)
    result = checked(manifest)
    if run:
        result = run_modules(manifest, result, shared=False)
    if result.held < result.demands or result.disagreeing:
        raise AssertionError(render(check_document(result), Format.TABLE).rstrip("\n"))


def _subject(
    layer: RNNConfig | nn.Module | str, input_spec: InputSpec | None, settings: Settings | None
) -> Subject:
    subject = _layer(layer)
    of_layer = subject.given - INPUT_FIELDS
    sizes = frozenset({"batch_size", "seq_len"}) if input_spec is None else frozenset()
    return replace(
        subject,
        input_spec=input_spec or InputSpec(),
        settings=settings or subject.settings,
        given=of_layer | (INPUT_FIELDS - sizes),
    )


def _layer(layer: RNNConfig | nn.Module | str) -> Subject:
    """The layer with the default input, where it is itself."""
    if isinstance(layer, RNNConfig):
        return Subject(config=layer)
    if isinstance(layer, str):
        from rnnshape.sources.registry import read_target
        from rnnshape.sources.subjects import settings_for, subject_of

        target = read_target(layer)
        target = replace(target, origin=replace(target.origin, words=PYTHON))
        return subject_of(target, {}, settings_for(target, device=None, dtype=None))
    if not _is_module(layer):
        raise RequestError(
            f"a layer is an nn.Module, an RNNConfig or a string, not {type(layer).__name__}",
            hint="rnnshape.inspect(nn.LSTM(20, 40))",
        )
    from rnnshape.pytorch.existing import existing

    return existing(layer)


def _report(subject: Subject, *, run: bool) -> Report:
    predicted = predicted_report(subject)
    mixed = subject.held is not None and subject.held.elsewhere
    report = with_run(predicted) if run and not mixed else predicted
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


def _is_module(value: object) -> bool:
    """Whether this is an nn.Module; torch is not imported to find out."""
    return any(base.__module__ == "torch.nn.modules.module" for base in type(value).__mro__)


def _behind(name: str, error: RequestError) -> RequestError:
    return error.behind(name) if name else error


def _expect(reports: list[Report], expectations: Iterable[str]) -> None:
    judgements = [judge(_text(expectation), reports) for expectation in expectations]
    about = {id(judgement.subject): judgement.subject for judgement in judgements}
    for report in reports:
        if id(report.subject) in about and report.disagrees:
            document = report_document(Inspection(report=report), show=["verification"])
            raise AssertionError(render(document, Format.TABLE).rstrip("\n"))
    failures = [failure_text(each) for each in judgements if not each.holds]
    if failures:
        raise AssertionError("\n".join(failures))


def _text(expectation: object) -> str:
    if isinstance(expectation, str):
        return expectation
    several = isinstance(expectation, Iterable) and not isinstance(expectation, bytes)
    raise RequestError(
        f"an expectation is a string, NAME OP VALUE, not {written(expectation)}",
        hint="each is an argument of its own: expect(*expectations)"
        if several
        else 'expect("params <= 150k")',
    )
