"""The grammar of expectations: what is read, what is refused, and what holds."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnshape.analysis.expectation import (
    Judgement,
    Operator,
    Reference,
    judge,
    parse_expectation,
    restated,
)
from rnnshape.analysis.value import Number, TensorShape, Value
from rnnshape.errors import RequestError
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.input import InputSpec
from rnnshape.layer.report import LayerReport, predicted_report
from rnnshape.layer.settings import DType, Settings
from rnnshape.layer.subject import Subject
from rnnshape.layer.weights import Weights
from rnnshape.sources.amounts import read_amount
from tests.strategies import cells, configs, examples, inputs, packed_inputs

STACK = RNNConfig(kind=Kind.LSTM, hidden_size=48, num_layers=4, bidirectional=True)
HUGE = RNNConfig(
    kind=Kind.LSTM, input_size=10**500, hidden_size=10**500, num_layers=10**500, bidirectional=True
)


def _plain(text: str) -> object:
    """The value of an expectation, which refers to no other layer."""
    value = parse_expectation(text).value
    assert not isinstance(value, Reference)
    return value.plain


def report_of(
    config: RNNConfig = STACK, spec: InputSpec | None = None, *, name: str = ""
) -> LayerReport:
    return predicted_report(Subject(config=config, input_spec=spec or InputSpec(), name=name))


def judged(text: str, report: LayerReport | None = None) -> Judgement:
    return judge(text, [report or report_of()])


@pytest.mark.parametrize(
    ("text", "name", "operator", "value"),
    [
        ("output = 10,5,80", "output", Operator.EQUAL, (10, 5, 80)),
        ("output == 10,5,80", "output", Operator.EQUAL, (10, 5, 80)),
        ("output=10x5x80", "output", Operator.EQUAL, (10, 5, 80)),
        ("output = 10 X 5 x 80", "output", Operator.EQUAL, (10, 5, 80)),
        ("  output  =  (10, 5, 80)  ", "output", Operator.EQUAL, (10, 5, 80)),
        ("h_n\t=\n[8,5,40]", "h_n", Operator.EQUAL, (8, 5, 40)),
        ("bias_ih_l0 = (160,)", "bias_ih_l0", Operator.EQUAL, (160,)),
        ("bias_ih_l0 = 160,", "bias_ih_l0", Operator.EQUAL, (160,)),
        ("bias_ih_l0 = (160)", "bias_ih_l0", Operator.EQUAL, (160,)),
        ("parameters = 136960", "parameters", Operator.EQUAL, 136960),
        ("params = 136_960", "parameters", Operator.EQUAL, 136960),
        ("params <= 150k", "parameters", Operator.AT_MOST, 150_000),
        ("Params<150K", "parameters", Operator.LESS, 150_000),
        ("MACs >= 1.5M", "macs", Operator.AT_LEAST, 1_500_000),
        ("flops > 2G", "flops", Operator.MORE, 2_000_000_000),
        ("parameter_bytes <= 2MiB", "parameter_bytes", Operator.AT_MOST, 2 * 1024**2),
        ("parameter_bytes < 4KiB", "parameter_bytes", Operator.LESS, 4096),
        ("bytes <= 2MiB", "parameter_bytes", Operator.AT_MOST, 2 * 1024**2),
        ("next_linear = 80", "next_linear", Operator.EQUAL, 80),
        ("Output = 80", "Output", Operator.EQUAL, 80),
    ],
)
def test_a_text_is_read(
    text: str, name: str, operator: Operator, value: int | tuple[int, ...]
) -> None:
    expectation = parse_expectation(text)
    assert (expectation.module, expectation.name) == (None, name)
    assert (expectation.operator, _plain(text)) == (operator, value)
    assert expectation.text == " ".join(text.split())


@pytest.mark.parametrize(
    ("text", "module", "name"),
    [
        ("encoder.lstm/output = 1,2,3", "encoder.lstm", "output"),
        ("a/b / params = 1", "a/b", "parameters"),
        ("/params = 1", "", "parameters"),
    ],
)
def test_a_module_stands_before_the_last_slash(text: str, module: str, name: str) -> None:
    assert (parse_expectation(text).module, parse_expectation(text).name) == (module, name)


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("params", '"params" has no operator', '"params <= 150k"'),
        ("", '"" is empty', '"params <= 150k"'),
        (" \n ", '"" is empty', '"params <= 150k"'),
        ("= 5", '"= 5" has no name before =', '"params <= 150k"'),
        ("a/ = 5", '"a/ = 5" has no name before =', '"params <= 150k"'),
        ("params <=", '"params <=" has no value after <=', '"params <= 150k"'),
        (
            "params => 150k",
            '"params => 150k" has the unknown operator =>',
            '"params >= 150k"',
        ),
        (
            "params != 3",
            '"params != 3" has the unknown operator !=',
            "one of == = <= >= < >",
        ),
        (
            "params ====== 3",
            '"params ====== 3" has the unknown operator ====',
            "one of == = <= >= < >",
        ),
        ("p\x1b => 3", "'p\\x1b => 3' has the unknown operator =>", "'p\\x1b >= 3'"),
    ],
)
def test_what_is_not_an_expectation_is_refused(text: str, problem: str, hint: str) -> None:
    with pytest.raises(RequestError) as refused:
        parse_expectation(text)
    assert (refused.value.problem, refused.value.hint) == (problem, hint)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("7x", "7x is not a number"),
        ("many", "many is not a number"),
        ("-5", "-5 is not a number"),
        ("1e6", "1e6 is not a number"),
        ("1__0", "1__0 is not a number"),
        ("10,,5", "10,,5 is not a number"),
        ("10,a,5", "10,a,5 is not a number"),
        ("(10, 5", "(10, 5 is not a number"),
        ("()", "() is not a number"),
        (",", ", is not a number"),
        ("100 <= params", "100 <= params is not a number"),
        ("\u0661\u0662", "\u0661\u0662 is not a number"),
        ("\x1b[31m", "'\\x1b[31m' is not a number"),
        ("9" * 5000, f"{'9' * 60}... has 5,000 characters; the most is 4,000"),
        (f"{'9' * 5000},5", f"{'9' * 60}... has 5,000 characters; the most is 4,000"),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_a_value_that_is_neither_number_nor_shape_is_refused(value: str, problem: str) -> None:
    with pytest.raises(RequestError) as refused:
        parse_expectation(f"params = {value}")
    assert refused.value.problem.endswith(f": {problem}")
    assert refused.value.hint == "a number like 136960, 150k or 2MiB, or a shape like 10,5,80"


@pytest.mark.parametrize(
    ("value", "problem", "mended", "whole"),
    [
        ("1.0005k", "is not whole", "1000", 1000),
        ("1.5", "is not whole", "1", 1),
        ("7B", "is an amount of bytes; a billion is 1000M", "7000000000", 7 * 10**9),
        ("1.5B", "is an amount of bytes; a billion is 1000M", "1500000000", 1_500_000_000),
        ("0.00025B", "is an amount of bytes; a billion is 1000M", "250000", 250_000),
        ("1000B", "is an amount of bytes", "1000", 1000),
        ("2MiB", "is an amount of bytes", "2097152", 2 * 1024**2),
    ],
)
def test_the_hint_for_an_amount_is_the_same_expectation_in_whole_numbers(
    value: str, problem: str, mended: str, whole: int
) -> None:
    with pytest.raises(RequestError) as refused:
        parse_expectation(f"params <= {value}")
    assert refused.value.problem == f'"params <= {value}": {value} {problem}'
    assert refused.value.hint == f'"params <= {mended}"'
    assert _plain(refused.value.hint.strip('"')) == whole


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        (
            "output <= 150k",
            "output is a shape, and 150000 is a number",
            '"output = 10,5,96"',
        ),
        (
            "output >= 10,5,80",
            "output is a shape, and shapes are compared with = only",
            '"output = 10,5,96"',
        ),
        (
            "bias_ih_l0 = 192",
            "bias_ih_l0 is a shape, and 192 is a number",
            '"bias_ih_l0 = 192,"',
        ),
        (
            "params = 136,960",
            "parameters is a number, and (136, 960) is a shape",
            '"parameters = 136960"',
        ),
        (
            "params <= 1,136,060",
            "parameters is a number, and (1, 136, 60) is a shape",
            '"parameters <= 1136060"',
        ),
        (
            "params < (1, 2)",
            "parameters is a number, and (1, 2) is a shape",
            '"parameters < 195072"',
        ),
        (
            "encoder/next_linear = 1,2",
            "next_linear is a number, and (1, 2) is a shape",
            '"encoder/next_linear = 96"',
        ),
    ],
)
def test_shapes_and_numbers_are_not_compared(text: str, problem: str, hint: str) -> None:
    with pytest.raises(RequestError) as refused:
        judged(text, report_of(name="encoder"))
    assert refused.value.problem == f'"{text}": {problem}'
    assert refused.value.hint == hint


@pytest.mark.parametrize(
    ("config", "text", "nearest"),
    [
        (STACK, "outputx = 10,5,96", '"output = 10,5,96"; '),
        (STACK, "weight_ih_l4 = 192x96", '"weight_ih_l3 = 192x96"; '),
        (STACK, "weight_ih_l3_revers = 192x96", '"weight_ih_l3_reverse = 192x96"; '),
        (STACK, "parametersx < 1k", '"parameters < 1k"; '),
        (STACK, "foo = 1", ""),
        (STACK, "parms <= 3", '"parameters <= 3"; '),
        (STACK, "memory <= 4MiB", '"parameter_bytes <= 4MiB"; '),
        (STACK, "outptu <= 10,5,80", '"output = 10,5,80"; '),
        (STACK, "outptu = 3", '"output = 10,5,96"; '),
        (RNNConfig(kind=Kind.GRU), "c_n = 1,5,40", '"h_n = 1,5,40"; '),
        (RNNConfig(kind=Kind.GRU), "c_0 = encoder/c_n", '"h_0 = encoder/c_n"; '),
        (RNNConfig(kind=Kind.GRU), "weight_ih_l0_reverse = 1,2", '"weight_ih_l0 = 1,2"; '),
        (RNNConfig(kind=Kind.GRU, cell=True), "weight_ih_l0 = 1,2", '"weight_ih = 1,2"; '),
        (RNNConfig(kind=Kind.GRU, cell=True), "h_n = 5,40", '"h_1 = 5,40"; '),
        (RNNConfig(kind=Kind.LSTM), "bias_hr_l0 = 1,2", '"bias_ih_l0 = 1,2"; '),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_and_all_there_are(
    config: RNNConfig, text: str, nearest: str
) -> None:
    with pytest.raises(RequestError) as refused:
        judged(text, report_of(config))
    name = text.split(maxsplit=1)[0]
    assert refused.value.problem == f'"{text}": {config.constructor} has no {name}'
    assert refused.value.hint.startswith(f"{nearest}it has input, h_0, ")
    assert "parameters, macs, flops, parameter_bytes, next_linear, weight_ih" in refused.value.hint


def test_the_name_is_mended_also_where_its_module_is_called_the_same() -> None:
    with pytest.raises(RequestError) as refused:
        judge("outptu/outptu = 10,5,96", [report_of(name="outptu")])
    assert refused.value.hint.startswith('"outptu/output = 10,5,96"; ')


def test_a_failure_tells_the_formula_and_the_sizes_that_differ() -> None:
    judgement = judged("output = 10,5,80")
    assert not judgement.holds
    assert (judgement.expected, judgement.actual) == ((10, 5, 80), (10, 5, 96))
    assert judgement.formula == "(L, N, D*H_out)"
    assert dict(judgement.symbols) == {"D": 2, "H_out": 48}
    assert dict(judged("output = 10,5").symbols) == {"L": 10, "N": 5, "D": 2, "H_out": 48}


def test_blanks_in_the_name_of_a_module_are_as_wide_as_they_please() -> None:
    reports = [report_of(name=" y "), report_of(RNNConfig(kind=Kind.GRU), name="a  b")]
    for text, report in zip((" y /params = 1", "a b/params = 1"), reports, strict=True):
        assert judge(text, reports).subject is report.subject


def test_a_hint_to_take_is_whole_however_long() -> None:
    with pytest.raises(RequestError) as unknown:
        parse_expectation(f"params => {'1' * 80}")
    assert unknown.value.hint == f'"params >= {"1" * 80}"'


def test_modules_are_chosen_by_name() -> None:
    first = report_of(name="encoder.lstm")
    second = report_of(RNNConfig(kind=Kind.GRU), name="decoder")
    both = [first, second]
    assert judge("decoder/output = 1,2,3", both).subject is second.subject
    assert judge("output = 1,2,3", [second]).subject is second.subject
    for text, known, problem, hint in (
        ("output = 1,2,3", both, "is about one of 2 modules", '"encoder.lstm/output = 1,2,3"'),
        ("output = 1,2,3", [], "is about one of 0 modules", "there is no recurrent layer"),
        (
            "decodr/params = 1",
            both,
            "is about decodr, which is not here",
            '"decoder/parameters = 1"',
        ),
        (
            "decodr/params = 1",
            [second],
            "is about decodr, which is not here",
            '"parameters = 1"',
        ),
    ):
        with pytest.raises(RequestError) as refused:
            judge(text, known)
        assert (refused.value.problem, refused.value.hint) == (f'"{text}" {problem}', hint)


@pytest.mark.parametrize(
    ("text", "lacking", "hint"),
    [
        ("h_0 = encoder/hidden", "hidden", "h_0 = encoder/h_n"),
        ("c_0 = encoder/cell", "cell", "c_0 = encoder/c_n"),
        ("h_0 = encoder/outputs", "outputs", "h_0 = encoder/output"),
        ("h_0 = encoder/zeros", "zeros", "h_0 = encoder/input"),
    ],
)
def test_a_tensor_that_another_layer_lacks_is_refused_with_the_nearest(
    text: str, lacking: str, hint: str
) -> None:
    layers = [report_of(name="encoder"), report_of(name="decoder")]
    with pytest.raises(RequestError) as refused:
        judge(f"decoder/{text}", layers)
    constructor = layers[0].subject.constructor
    assert refused.value.problem == f'"decoder/{text}": {constructor} has no {lacking}'
    assert refused.value.hint.startswith(f'"decoder/{hint}"; it has input, h_0, c_0, output, ')


@st.composite
def reports(draw: st.DrawFn) -> LayerReport:
    """Any layer or cell, with any input, in any type."""
    config = draw(configs() | cells())
    spec = draw(inputs() if config.cell else inputs() | packed_inputs())
    settings = Settings(dtype=draw(st.sampled_from(DType)))
    return predicted_report(Subject(config=config, input_spec=spec, settings=settings))


NUMBERS = ("parameters", "params", "macs", "flops", "parameter_bytes", "next_linear")


def actual_numbers(report: LayerReport) -> dict[str, int]:
    """The numbers again, by ways that have nothing to do with expectations."""
    elements = 0
    multiplied = 0
    for weight in report.weights:
        count = 1
        for size in weight.shape:
            count *= int(size)
        elements += count
        multiplied += count * (len(weight.shape) == 2)
    spec = report.subject.input_spec
    steps = sum(spec.lengths) if spec.lengths else spec.batch_size * spec.seq_len
    macs = multiplied * (spec.batch_size if report.subject.config.cell else steps)
    config = report.subject.config
    return {
        "parameters": elements,
        "params": elements,
        "macs": macs,
        "flops": macs * 2,
        "parameter_bytes": elements * report.subject.settings.dtype.itemsize,
        "next_linear": (config.proj_size or config.hidden_size) * (1 + config.bidirectional),
    }


def shapes(report: LayerReport) -> dict[str, tuple[int, ...]]:
    tensors = {name: tensor.shape for name, tensor in report.tensors.items()}
    return tensors | {weight.name: weight.shape for weight in report.weights}


@given(reports(), st.data())
@examples(80)
def test_a_shape_equals_itself_and_nothing_else(report: LayerReport, data: st.DataObject) -> None:
    for name, shape in shapes(report).items():
        sizes = list(map(str, shape))
        for written in (",".join(sizes) + ",", f"({', '.join(sizes)})", f"[{'x'.join(sizes)}]"):
            assert judged(f"{name} = {written}", report).holds
        place = data.draw(st.integers(0, len(sizes) - 1))
        other = [*sizes]
        other[place] = str(shape[place] + 1)
        assert not judged(f"{name} = ({', '.join(other)})", report).holds
        assert not judged(f"{name} = ({', '.join([*sizes, '1'])})", report).holds


@given(reports())
@examples(80)
def test_a_number_is_at_most_itself_and_not_less(report: LayerReport) -> None:
    for name, actual in actual_numbers(report).items():
        for sign, offset, holds in (
            ("=", 0, True),
            ("==", 0, True),
            ("=", 1, False),
            ("<=", 0, True),
            ("<=", 1, True),
            (">=", 0, True),
            (">=", 1, False),
            ("<", 0, False),
            ("<", 1, True),
            (">", 0, False),
        ):
            assert judged(f"{name} {sign} {actual + offset}", report).holds is holds
        if actual:
            assert not judged(f"{name} <= {actual - 1}", report).holds
            assert judged(f"{name} > {actual - 1}", report).holds


@given(reports())
@examples(60)
def test_formula_and_symbols_give_the_actual_value(report: LayerReport) -> None:
    # Of an unmet shape only the sizes that differ are told; 99 differs from all.
    for text in (*(f"{n} >= 0" for n in NUMBERS), *(f"{n} = 99,99" for n in shapes(report))):
        judgement = judged(text, report)
        names = {
            name.replace("(", "_").replace(")", "_"): v for name, v in judgement.symbols.items()
        }
        formula = re.sub(r"(sum|max)\(lengths\)", r"\1_lengths_", judgement.formula)
        assert eval(formula, {}, names) == judgement.actual  # noqa: S307 - made here


@given(
    st.text(max_size=40)
    | st.text("outp_hn0=<>!/,x() []k.M19_iB", max_size=30)
    | st.builds(
        "{} {} {}".format,
        st.sampled_from(
            ["output", "h_n", "params", "weight_ih_l0", "a/b", "weight_hh_l" + "9" * 9]
        ),
        st.sampled_from(["=", "==", "<=", ">=", "<", ">", "!=", ""]),
        st.text("0123456789,x()[]_.kMGiB ", max_size=12),
    )
)
@examples(600)
def test_any_text_is_judged_or_refused(text: str) -> None:
    try:
        judgement = judge(text, [report_of()])
    except RequestError:
        return
    same = judgement.actual == judgement.expected
    assert judgement.holds is same or judgement.expectation.operator is not Operator.EQUAL


def has(own: Weights, name: object) -> bool:
    return name in own


@given(reports())
@examples(60)
def test_a_weight_by_name_is_the_one_of_the_list(report: LayerReport) -> None:
    own = report.weights
    listed = {weight.name: weight for weight in own}
    assert all(own[name] == weight and has(own, name) for name, weight in listed.items())
    stems = ("weight_ih", "weight_hh", "weight_hr", "bias_ih", "bias_hh")
    endings = ("", "_l0", "_l1", "_l2", "_l3", "_l0_reverse", "_l00", "_l-1", "_l", "_reverse")
    for name in {f"{stem}{ending}" for stem in stems for ending in endings} - listed.keys():
        assert own.find(name) is None
        assert not has(own, name)
        with pytest.raises(KeyError):
            own[name]


def test_a_huge_layer_answers_at_once() -> None:
    report = report_of(HUGE)
    last = f"weight_ih_l{10**500 - 1}_reverse"
    assert judged(f"{last} = {4 * 10**500}x{2 * 10**500}", report).holds
    assert judged("h_n = 1,2,3", report).actual == (2 * 10**500, 5, 10**500)
    assert judged("params > 2G", report).holds
    assert has(report.weights, last)
    for name in (f"weight_ih_l{10**500}", f"weight_ih_l{'9' * 5000}"):
        with pytest.raises(RequestError, match="it has input"):
            judged(f"{name} = 1,2", report)


@given(
    st.integers(0, 10**30),
    st.text("0123456789", max_size=20),
    st.sampled_from(["", "k", "K", "M", "G", "T", "B", "kB", "GB", "KiB", "MiB", "GiB", "TiB"]),
)
@examples(200)
def test_an_amount_is_exact_or_refused(whole: int, digits: str, unit: str) -> None:
    scale = (1024 if "i" in unit else 1000) ** ("BKMGT".find(unit[:1].upper()) if unit else 0)
    exact = (whole + Fraction(int(digits or 0), 10 ** len(digits))) * scale
    text = f"{whole:_}{'.' * bool(digits)}{digits}{unit}"
    if exact.denominator == 1:
        assert read_amount(text, in_bytes=True) == exact
    else:
        with pytest.raises(ValueError, match="is not whole"):
            read_amount(text, in_bytes=True)
    if "B" in unit:
        with pytest.raises(ValueError, match="is an amount of bytes"):
            read_amount(text)


@pytest.mark.parametrize(
    ("text", "actual", "new"),
    [
        ("output = 10x5x80", TensorShape((10, 5, 96)), "output = 10x5x96"),
        ("output = (10, 5, 80)", TensorShape((10, 5, 96)), "output = (10, 5, 96)"),
        ("a.b/h_n=10,5", TensorShape((8, 5, 40)), "a.b/h_n=8,5,40"),
        ("params = 136_960", Number(164_352), "params = 164_352"),
        ("params  =   136960", Number(164_352), "params  =   164352"),
    ],
)
def test_an_expectation_keeps_its_form_with_another_value(
    text: str, actual: Value, new: str
) -> None:
    assert restated(text, actual) == new
