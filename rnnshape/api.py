"""The Python API: reports of layers and models, which can be printed and can check expectations.

report = rnnshape.inspect(nn.LSTM(20, 40, bidirectional=True))
report.output.shape                          # (10, 5, 80)
report.weights["weight_ih_l0"].shape         # (160, 20)
report.expect("output = 10,5,80", "params <= 150k")
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rnnshape import synonyms
from rnnshape.analysis.expectation import judge, parse_expectation
from rnnshape.analysis.explanation.records import Explanation
from rnnshape.analysis.inspection import Inspection
from rnnshape.dims import ints
from rnnshape.document.expectations import failure_text
from rnnshape.document.model import Caption, Document
from rnnshape.document.report import report_document
from rnnshape.document.sections import DEFAULT_SECTIONS, SECTIONS, probes_of
from rnnshape.errors import RequestError, RequestErrors, near, written
from rnnshape.files import require_writable, write_files
from rnnshape.layer.config import RNNConfig
from rnnshape.layer.facts import Tensor
from rnnshape.layer.input import InputSpec
from rnnshape.layer.report import LayerReport, predicted_report
from rnnshape.layer.settings import Settings
from rnnshape.layer.subject import INPUT_FIELDS, Subject
from rnnshape.pytorch.run import with_run
from rnnshape.pytorch.threads import series
from rnnshape.render import Format, format_of, render
from rnnshape.words import PYTHON

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.text import Text
    from torch import nn

    from rnnshape.sources.target import Target


# What only a command measures, and what `expect` judges.
_NOT_IN_PYTHON: Final = frozenset({"time", "training", "expectations"})


class _Printed:
    """A result that `print`, Jupyter and rich show as tables and sentences."""

    def _document(self) -> Document:
        raise NotImplementedError

    def __str__(self) -> str:
        return render(self._document(), Format.TABLE).rstrip("\n")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        from rnnshape.render.terminal import rich_text

        colour = console.color_system is not None and not console.no_color
        yield rich_text(self._document().sections, width=options.max_width, colour=colour)

    def _repr_markdown_(self) -> str:
        return render(self._document(), Format.MARKDOWN)

    def _repr_html_(self) -> str:
        from rnnshape.render.html import render_fragment

        return render_fragment(self._document())


class _Shown(_Printed):
    """A result of which sections can be chosen, and which can be written to a file.

    `show` names its sections, as text, `"default,gates"`, or several, `["shapes", "weights"]`;
    "all" names every one. Raises RequestError for a section that is unknown or would be empty.
    """

    def _document(self, show: Collection[str] = DEFAULT_SECTIONS) -> Document:
        raise NotImplementedError

    def to_markdown(self, *, show: str | Iterable[str] = "default") -> str:
        """The sections in Markdown, with GitHub's tables."""
        return self._rendered(Format.MARKDOWN, show)

    def to_latex(
        self,
        *,
        show: str | Iterable[str] = "default",
        caption: str | None = None,
        label: str | None = None,
    ) -> str:
        r"""The sections as a fragment of LaTeX, whose first line says which packages it needs.

        With a caption it is a floating table, which the label is for: `\ref{tab:lstm}`.
        """
        from rnnshape.render.latex import captioned

        table = captioned(caption, label, names=("caption", "label"))
        return self._rendered(Format.LATEX, show, caption=table)

    def to_html(self, *, show: str | Iterable[str] = "default") -> str:
        """The sections as a whole page that loads nothing."""
        return self._rendered(Format.HTML, show)

    def save(self, path: str | os.PathLike[str], *, show: str | Iterable[str] = "default") -> None:
        """Write the sections to a file, in the format of its suffix: `report.save("lstm.html")`.

        The file is replaced once it is complete. Raises RequestError for a suffix that names no
        format, and where the file cannot be written.
        """
        name = os.fspath(path)
        output = format_of(name, "save")
        require_writable(Path(name), "save")
        write_files([(Path(name), self._rendered(output, show).encode())], "save")

    def _rendered(
        self, output: Format, show: str | Iterable[str], *, caption: Caption | None = None
    ) -> str:
        document = replace(self._document(_sections(show)), caption=caption)
        if not document.sections:
            raise RequestError(f"show={written(show)} is empty here", hint="show='default'")
        return render(document, output)


class _TensorProperty(property):
    """A property of a report that is one of its tensors, with plain ints as sizes."""

    def __init__(self, name: str, doc: str) -> None:
        def read(report: Report) -> Tensor:
            tensors = report.tensors
            if name not in tensors:
                raise AttributeError(
                    f"{report.config.class_name} has no {name} here; it has {', '.join(tensors)}",
                    name=name,
                    obj=report,
                )
            return replace(tensors[name], shape=ints(tensors[name].shape))

        read.__doc__ = doc  # property has no other way in a subclass before Python 3.12
        super().__init__(read)

    if TYPE_CHECKING:  # what it reads, where property has Any

        def __get__(self, report: Any, owner: Any = None, /) -> Tensor: ...  # type: ignore[override]


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Report(_Shown, LayerReport):
    """Everything known of one layer with one input.

    `print(report)` writes it as tables; Jupyter and rich show it without being asked. A tensor that
    this layer does not have, such as c_n of a GRU, raises AttributeError.
    """

    @property
    def config(self) -> RNNConfig:
        """The arguments of the constructor."""
        return self.subject.config

    @property
    def unknown(self) -> frozenset[str]:
        """The fields of the config that nothing shows, such as batch_first in a checkpoint."""
        return self.subject.unknown

    @property
    def evidence(self) -> Mapping[str, str]:
        """The evidence for each field of the config, from the file or model with the layer."""
        found = self.subject.found
        return {each.field: each.text for each in found.recognised.evidence} if found else {}

    @property
    def input_spec(self) -> InputSpec:
        """The input that the layer reads."""
        return self.subject.input_spec

    @property
    def settings(self) -> Settings:
        """The device and the dtype."""
        return self.subject.settings

    input = _TensorProperty(
        "input", "The input: (L, N, H_in), (N, L, H_in) with batch_first, (N, H_in) for a cell."
    )
    data = _TensorProperty("data", "The steps that a packed layer reads: (sum(lengths), H_in).")
    output = _TensorProperty(
        "output", "The last layer's h at each step: (L, N, D*H_out), or (N, L, D*H_out)."
    )
    h_0 = _TensorProperty("h_0", "The initial hidden state, in the shape of h_n or h_1.")
    c_0 = _TensorProperty("c_0", "The initial cell state of an LSTM, in the shape of c_n or c_1.")
    h_n = _TensorProperty("h_n", "The final hidden states: (D*num_layers, N, H_out).")
    c_n = _TensorProperty("c_n", "The final cell states of an LSTM: (D*num_layers, N, H_cell).")
    h_1 = _TensorProperty("h_1", "The next hidden state of a cell: (N, H_out).")
    c_1 = _TensorProperty("c_1", "The next cell state of an nn.LSTMCell: (N, H_cell).")

    def expect(self, *expectations: str) -> None:
        """Raise AssertionError unless each `NAME OP VALUE` holds: `params <= 150k`.

        The error lists every failure with what was expected, the actual value and its formula. If
        PyTorch did not do what was predicted, no expectation holds. Raises RequestError for an
        expectation that cannot be read, or that names something this layer does not have.
        """
        _expect([self], expectations)

    def _document(self, show: Collection[str] = DEFAULT_SECTIONS) -> Document:
        return report_document(Inspection(report=self), show=show)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.config.constructor}>"


class Reports(_Shown, Mapping[str, Report]):
    """The reports of a model's recurrent layers by name, in the model's order.

    `print(reports)` writes all of them; Jupyter and rich show them without being asked. `unread`
    holds the layers that could not be reported, each with the RequestError that says why;
    `passed_over` a sentence on each module that looks recurrent but is not a layer of torch.nn.
    """

    def __init__(
        self,
        reports: Mapping[str, Report],
        unread: Mapping[str, RequestError] | None = None,
        passed_over: Iterable[str] = (),
    ) -> None:
        self._reports = dict(reports)
        self.unread: Mapping[str, RequestError] = dict(unread or {})
        self.passed_over = tuple(passed_over)

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

    def _document(self, show: Collection[str] = DEFAULT_SECTIONS) -> Document:
        inspections = (Inspection(report=report) for report in self.values())
        return report_document(
            *inspections, show=show, unread=self.unread, passed_over=self.passed_over
        )

    def expect(self, *expectations: str) -> None:
        """Raise AssertionError unless each holds: `encoder.lstm/output = 10,5,80`.

        The name may be left out if the model has one recurrent layer. Raises RequestError for an
        expectation about a layer in `unread`. See `Report.expect`.
        """
        for expectation in expectations if self.unread else ():
            module = parse_expectation(_require_text(expectation)).module
            name = next(iter(self.unread)) if module is None else module
            if name in self.unread:
                raise self.unread[name].behind(name)
        _expect(list(self.values()), expectations)


def inspect(
    layer: RNNConfig | nn.Module | str | os.PathLike[str],
    input_spec: InputSpec | None = None,
    settings: Settings | None = None,
    *,
    run: bool | None = None,
) -> Report:
    """The report of one layer.

    `layer` is an RNNConfig, an nn.LSTM, nn.GRU, nn.RNN or cell, or a target as text, such as
    `"nn.GRU(20, 40)"`, `"lstm --hidden 40"` or `"weights.pt:encoder.lstm"`. For a module, the
    arguments of its constructor are read and, unless `settings` are given, the device and dtype of
    its weights; the module itself is not run. Instead a layer like it is built with random weights
    and run once, unless `run` is False or the tensors of the module differ in dtype or device. A
    file is read without running anything in it, and its layer is run only if `run` is True. Raises
    RequestError where a layer cannot be read or run, and for a module whose weights contradict its
    sizes. The global state of torch (random numbers, threads, backends, default device and dtype)
    stays as it was, whichever threads inspect at the same time. But while an LSTM runs, or a layer
    `with_state`, those of other threads run without oneDNN too, which may change their last bits.
    """
    _require_types(input_spec, settings)
    return _report(_subject(layer, input_spec, settings), run=run)


def from_state_dict(
    mapping: Mapping[str, Any],
    input_spec: InputSpec | None = None,
    settings: Settings | None = None,
    *,
    run: bool = False,
) -> Reports:
    """The report of each recurrent layer whose weights a state dict holds, by its name there.

    The values of the mapping need only a `shape`. Fields that weights lack, such as batch_first,
    are in `report.subject.unknown`. Layers whose weights are incomplete or contradict each other
    are in `Reports.unread`; raises RequestErrors if all are, and RequestError if there is no layer.
    """
    _require_types(input_spec, settings)
    if not isinstance(mapping, Mapping):
        raise RequestError(
            f"a state dict must be a mapping of names to tensors, not {type(mapping).__name__}",
            hint="rnnshape.from_state_dict(model.state_dict())",
        )
    from rnnshape.sources.weights_file import source_of

    inner = next((key for key in mapping if _holds_weights(mapping[key])), None)
    if inner is not None:
        raise RequestError(
            f"the state dict is deeper in this mapping, at [{inner!r}]",
            hint=f"rnnshape.from_state_dict(mapping[{inner!r}])",
        )
    source = source_of(mapping)
    reports = {
        target.name: _report(_of_target(target, input_spec, settings), run=run)
        for target in source.targets
    }
    return _reports(reports, source.unread)


def inspect_model(
    model: nn.Module,
    input_spec: InputSpec | None = None,
    settings: Settings | None = None,
    *,
    inputs: Any = None,
    run: bool = True,
) -> Reports:
    """The report of each recurrent layer in a model, by its name there: "encoder.lstm".

    Where `inputs` are given, the arguments of the model's forward as `(x, lengths)`, the model is
    called once with them, in eval() and without gradients, and again with another first row. The
    reports then have what each layer was given and returned, and unless there is an `input_spec`
    they are about its first call. The model and torch's random state are left as they were. Each
    layer is also run alone, as `inspect` does. A layer that `inspect` would refuse
    is in `Reports.unread`. Raises RequestErrors if all are refused, and RequestError where the
    model fails. See `inspect`.
    """
    _require_types(input_spec, settings)
    if not _is_module(model):
        raise RequestError(
            f"a model must be an nn.Module, not {type(model).__name__}",
            hint="rnnshape.inspect also takes a layer as text",
        )
    from rnnshape.pytorch.models import read_model

    read = read_model(model, _arguments(inputs))
    reports: dict[str, Report] = {}
    unread = dict(read.unread)
    with series():
        for name, layer in read.layers.items():
            try:
                reports[name] = _report(_with_input(layer, input_spec, settings), run=run)
            except RequestError as error:  # noqa: PERF203 - any of them may be refused
                unread[name] = error
    return _reports(reports, unread, read.passed_over)


def _holds_weights(value: object) -> bool:
    """Whether this is a state dict of recurrent layers itself."""
    if not isinstance(value, Mapping):
        return False
    from rnnshape.layer.state_dict import recognise, shapes_of

    return bool(recognise(shapes_of(value)).layers)


def _reports(
    reports: Mapping[str, Report],
    unread: Mapping[str, RequestError],
    passed_over: Iterable[str] = (),
) -> Reports:
    """The reports. Raises RequestErrors where no layer could be read."""
    if unread and not reports:
        raise RequestErrors(error.behind(name) for name, error in unread.items())
    return Reports(reports, unread, passed_over)


def check(path: str | os.PathLike[str] | None = None, *, run: bool = True) -> None:
    """Raise AssertionError unless everything that a manifest expects of its modules holds.

    `path` is an `rnnshape.toml` or a `pyproject.toml`; by default it is the nearest one in this
    folder or above. The text of the error is what `rnnshape check` prints. Raises RequestError for
    a manifest that cannot be read, with everything that is wrong in it.
    """
    from rnnshape.analysis.check import checked, run_modules
    from rnnshape.document.check import check_document
    from rnnshape.sources.manifest_file import load

    manifest = load(path)
    result = checked(manifest)
    if run:
        result = run_modules(manifest, result)
    if result.holding < result.demands or result.disagreeing:
        raise AssertionError(render(check_document(result), Format.TABLE).rstrip("\n"))


class Explained(_Printed, Explanation):
    """What an error means. `print(rnnshape.explain(error))` shows it as the command does."""

    __hash__ = Explanation.__hash__

    def _document(self) -> Document:
        from rnnshape.document.explanation import explanation_document

        return explanation_document(self)


def explain(error: str | BaseException) -> Explained | None:
    """What an error of PyTorch means, which dimension is wrong, and the lines that fix it.

    The error is a message, a traceback or a log as text, or an exception, whose frames show the
    layer and the shapes of its tensors where it was raised. None if no error in it is known.
    """
    from rnnshape.analysis.explanation import explain as explanation
    from rnnshape.analysis.explanation.frames import known_from, raised_text

    if isinstance(error, BaseException):
        found = explanation.explain(raised_text(error), known_from(error))
    elif isinstance(error, str):
        found = explanation.explain(error)
    else:
        raise RequestError(
            f"explain takes a text or an exception, not {type(error).__name__}",
            hint="rnnshape.explain(error), or rnnshape.explain(str(error))",
        )
    return None if found is None else Explained(**vars(found))


def _subject(
    layer: RNNConfig | nn.Module | str | os.PathLike[str],
    input_spec: InputSpec | None,
    settings: Settings | None,
) -> Subject:
    return _with_input(_layer(layer), input_spec, settings)


def _of_target(target: Target, input_spec: InputSpec | None, settings: Settings | None) -> Subject:
    return _with_input(_described(target), input_spec, settings)


def _with_input(
    subject: Subject, input_spec: InputSpec | None, settings: Settings | None
) -> Subject:
    if subject.calls and input_spec is None:
        input_spec = subject.calls[0].input_spec
    assumed = {"batch_size", "seq_len"} if input_spec is None else set()
    return replace(
        subject,
        input_spec=input_spec or InputSpec(),
        settings=settings or subject.settings,
        given=(subject.given | INPUT_FIELDS) - assumed,
    )


def _layer(layer: RNNConfig | nn.Module | str | os.PathLike[str]) -> Subject:
    """The layer with the default input and its own settings."""
    if isinstance(layer, RNNConfig):
        return Subject(config=layer)
    if isinstance(layer, (str, os.PathLike)):
        from rnnshape.sources.registry import read_target

        return _described(read_target(os.fspath(layer)))
    if not _is_module(layer):
        raise RequestError(
            f"a layer must be an nn.Module, an RNNConfig or a string, not {type(layer).__name__}",
            hint="rnnshape.inspect(nn.LSTM(20, 40))",
        )
    from rnnshape.pytorch.existing import existing

    return existing(layer)


def _described(target: Target) -> Subject:
    """The layer of a target, with the default input and in the words of Python."""
    from rnnshape.sources.subjects import settings_for, subject_of

    subject = subject_of(target, {}, settings_for(target, device=None, dtype=None))
    return replace(subject, origin=replace(target.origin, words=PYTHON))


def _report(subject: Subject, *, run: bool | None) -> Report:
    predicted = predicted_report(subject)
    if run is None:
        run = not (subject.found and subject.found.from_file)
    mixed = subject.held is not None and subject.held.elsewhere
    report = with_run(predicted, probes_of(DEFAULT_SECTIONS)) if run and not mixed else predicted
    return Report(**{field.name: getattr(report, field.name) for field in fields(report)})


def _require_types(input_spec: object, settings: object) -> None:
    """Raise RequestError for an input or settings of a wrong type."""
    if not (input_spec is None or isinstance(input_spec, InputSpec)):
        raise RequestError(
            f"the input must be an InputSpec, not {written(input_spec)}",
            hint="rnnshape.InputSpec(seq_len=10, batch_size=5)",
        )
    if not (settings is None or isinstance(settings, Settings)):
        raise RequestError(
            f"the settings must be a Settings, not {written(settings)}",
            hint="rnnshape.Settings(device='cpu', dtype='float32')",
        )


def _sections(show: str | Iterable[str]) -> frozenset[str]:
    """The sections that `show` names. Raises RequestError for an unknown one."""
    names = [name for name in SECTIONS if name not in _NOT_IN_PYTHON]
    known = {"default": DEFAULT_SECTIONS, "all": frozenset(names)}
    known |= {name: frozenset({name}) for name in names}
    shown: frozenset[str] = frozenset()
    for text in map(str.strip, show.split(",") if isinstance(show, str) else show):
        word = synonyms.one_of(text, known, synonyms.SECTIONS) or text
        if word not in known:
            raise RequestError(
                f"show={word!r} names no section; there are {', '.join(known)}",
                hint=f"show={near(word, known) or 'default'!r}",
            )
        shown |= known[word]
    return shown


def _arguments(inputs: object) -> Sequence[Any] | None:
    """The arguments of forward; a single tensor is one argument."""
    if inputs is None or isinstance(inputs, (tuple, list)):
        return inputs
    return (inputs,)


def _is_module(value: object) -> bool:
    """Whether this is an nn.Module, found out without importing torch."""
    return any(base.__module__ == "torch.nn.modules.module" for base in type(value).__mro__)


def _expect(reports: list[Report], expectations: Iterable[str]) -> None:
    judgements = [judge(_require_text(expectation), reports) for expectation in expectations]
    subjects = [judgement.subject for judgement in judgements]
    for report in reports:
        if report.disagrees and report.subject in subjects:
            document = report_document(Inspection(report=report), show=["verification"])
            raise AssertionError(render(document, Format.TABLE).rstrip("\n"))
    failures = [failure_text(each) for each in judgements if not each.holds]
    if failures:
        raise AssertionError("\n".join(failures))


def _require_text(expectation: object) -> str:
    if isinstance(expectation, str):
        return expectation
    several = isinstance(expectation, Iterable) and not isinstance(expectation, bytes)
    raise RequestError(
        f"an expectation must be a string, NAME OP VALUE, not {written(expectation)}",
        hint="expect(*expectations)" if several else 'expect("params <= 150k")',
    )
