"""How lines are broken where they would be too long."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import filterfalse, product

import pytest

from rnnshape.analysis.comparison import Comparison, group
from rnnshape.analysis.inspection import Inspection
from rnnshape.analysis.summands import alone
from rnnshape.document.compare import compare_document
from rnnshape.document.model import (
    Block,
    Code,
    Column,
    Equations,
    Formula,
    Heading,
    Listing,
    Note,
    Paragraph,
    Picture,
    Section,
    Shape,
    Table,
)
from rnnshape.document.report import report_document
from rnnshape.document.sections import SECTIONS
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.input import InputSpec
from rnnshape.layer.report import predicted_report
from rnnshape.layer.subject import Subject
from rnnshape.render.terminal import render_sections
from tests.documents import DOCUMENTS, tables


def test_an_expression_is_never_broken() -> None:
    text = ("dir 0 forward, 1 reverse: ", Code("h_n.view(8, 2, 5, 65536)[layer, dir]"))
    section = Section(key="states", blocks=(Paragraph(text),))
    assert render_sections([section], width=50) == (
        "states\ndir 0 forward, 1 reverse:\nh_n.view(8, 2, 5, 65536)[layer, dir]\n"
    )


def test_a_shape_is_never_broken() -> None:
    note = Note(("h_n becomes ", Shape((8, 5, 40)), " instead of ", Shape((8, 10, 40))))
    section = Section(key="findings", blocks=(note,), titled=False)
    assert render_sections([section], width=26) == (
        "note: h_n becomes\n      (8, 5, 40) instead\n      of (8, 10, 40)\n"
    )


def test_colour_changes_no_line() -> None:
    text = ("in ", Shape((10, 5, 20)), ", then ", Code("nn.Linear(40, 10)"), " and so on")
    section = Section(key="states", blocks=(Paragraph(text),))
    coloured = render_sections([section], width=32, colour=True)
    assert "\N{NO-BREAK SPACE}" not in coloured
    assert "(10, 5, 20)" in coloured


def _shown(block: Block, width: int | None) -> list[str]:
    section = Section(key="header", blocks=(block,), titled=False)
    return render_sections([section], width=width).splitlines()


LONG = "nn.LSTM(1024, 2048, num_layers=12, batch_first=True, bidirectional=True, proj_size=1024)"
BROKEN = [
    "nn.LSTM(1024, 2048, num_layers=12, batch_first=True, bidirectional=True,",
    "  proj_size=1024)",
]


@pytest.mark.parametrize("width", [None, 80, 200])
def test_a_long_call_goes_on_below(width: int | None) -> None:
    assert _shown(Heading(Code(LONG)), width) == BROKEN


def _table(*calls: str) -> Table:
    return Table(
        columns=(
            Column(key="constructor", title="constructor", calls=True),
            Column(key="parameters", title="parameters", numeric=True),
            Column(key="macs", title="MACs", numeric=True, rank=1),
        ),
        rows=tuple((Code(call), 10**9, 10**12) for call in calls),
    )


def test_a_long_call_in_a_table_leaves_room_for_the_numbers() -> None:
    # 80 columns less 13 of parameters, 17 of MACs and the gaps between the three are 46.
    lines = [
        "constructor                                        parameters               MACs",
        "nn.GRU(20, 40)                                  1,000,000,000  1,000,000,000,000",
        "nn.LSTM(1024, 2048, num_layers=12,              1,000,000,000  1,000,000,000,000",
        " batch_first=True, bidirectional=True,",
        " proj_size=1024)",
    ]
    first = max(map(len, ["nn.LSTM(1024, 2048, num_layers=12,", lines[3], lines[4]]))
    unpadded = [re.sub("  +", "  ", line) for line in lines]
    shown = _shown(_table("nn.GRU(20, 40)", LONG), 80)
    assert [re.sub("  +", "  ", line) for line in shown] == unpadded
    assert max(map(len, shown)) == first + 2 + 13 + 2 + 17


def test_in_a_pipe_each_row_is_one_line() -> None:
    head, *rows = _shown(_table("nn.GRU(20, 40)", LONG), None)
    assert [re.sub("  +", "  ", row) for row in rows] == [
        "nn.GRU(20, 40)  1,000,000,000  1,000,000,000,000",
        f"{LONG}  1,000,000,000  1,000,000,000,000",
    ]
    assert {len(head)} == {len(row) for row in rows}


def test_a_wide_terminal_has_room_for_a_long_call() -> None:
    assert any(line.startswith(LONG) for line in _shown(_table(LONG), 200))


def test_where_a_call_cannot_be_broken_far_enough_a_column_goes() -> None:
    shown = _shown(_table(LONG), 50)
    assert "MACs" not in shown[0]
    assert "parameters" in shown[0]
    assert max(map(len, shown)) <= 50


def test_a_call_is_broken_at_every_argument_before_a_number_goes() -> None:
    # The longest argument, with its comma and the blank before it, is 20 letters; the numbers and
    # the gaps before them are 34.
    assert [line[:20].rstrip() for line in _shown(_table(LONG), 54)[1:]] == [
        "nn.LSTM(1024, 2048,",
        " num_layers=12,",
        " batch_first=True,",
        " bidirectional=True,",
        " proj_size=1024)",
    ]
    assert "1,000,000,000,000" in _shown(_table(LONG), 54)[1]
    assert "1,000,000,000,000" not in _shown(_table(LONG), 53)[1]


def test_a_call_is_as_wide_as_the_columns_that_are_left_allow() -> None:
    assert [line.partition("  ")[0] for line in _shown(_table(LONG), 53)[1:]] == [
        "nn.LSTM(1024, 2048, num_layers=12,",
        " batch_first=True, bidirectional=True,",
        " proj_size=1024)",
    ]


def test_a_call_is_broken_behind_commas_alone() -> None:
    call = "nn.RNN(20, 40, nonlinearity='any of these')"
    lines = [line.split("  ")[0] for line in _shown(_table(call), 44)[1:]]
    assert lines == ["nn.RNN(20, 40,", " nonlinearity='any of these')"]


SUM = "6 x nn.LSTM(20, 40, bidirectional=True) + nn.GRU(80, 8) + nn.Linear(8, 7)"


def test_a_sum_is_broken_behind_its_plus_signs_before_any_call_is() -> None:
    first = [re.sub(" +1,.*", "", line) for line in _shown(_table(SUM), 96)[1:]]
    assert first == [
        "6 x nn.LSTM(20, 40, bidirectional=True) + nn.GRU(80, 8) +",
        " nn.Linear(8, 7)",
    ]
    narrow = [re.sub(" +1,.*", "", line) for line in _shown(_table(SUM), 75)[1:]]
    assert narrow == [
        "6 x nn.LSTM(20, 40, bidirectional=True) +",
        " nn.GRU(80, 8) + nn.Linear(8, 7)",
    ]


def test_a_call_of_a_sum_without_room_goes_on_further_in() -> None:
    lines = [re.sub(" +1,.*", "", line) for line in _shown(_table(SUM), 60)[1:]]
    assert lines == [
        "6 x nn.LSTM(20, 40,",
        "  bidirectional=True) +",
        " nn.GRU(80, 8) +",
        " nn.Linear(8, 7)",
    ]


def test_a_sum_in_a_sentence_is_broken_behind_its_plus_signs() -> None:
    assert _shown(Note((Code(SUM), ": wrong")), 60) == [
        "note: 6 x nn.LSTM(20, 40, bidirectional=True) +",
        "      nn.GRU(80, 8) + nn.Linear(8, 7): wrong",
    ]


def test_a_name_is_never_broken() -> None:
    table = Table(
        columns=(Column(key="module", title="check"), Column(key="held", title="held")),
        rows=((Code("the first, and the longest, of all the names"), "1/1"),),
    )
    assert _shown(table, 50)[1] == "the first, and the longest, of all the names  1/1"


@pytest.mark.parametrize("width", [1, 30])
def test_where_no_column_can_go_each_cell_is_a_line(width: int) -> None:
    table = Table(
        columns=(
            Column(key="weight", title="weight", headed=False),
            Column(key="shape", title="shape", headed=False, numeric=True),
            Column(key="count", title="count", numeric=True, rank=1),
            Column(key="parameters", title="parameters", numeric=True),
        ),
        rows=(
            (Code("weight_ih_l0"), Shape((160, 20)), 1, 3_200),
            ("total", None, 1, 3_200),
            (Code("weight_hh_l0"), Shape((160, 40)), 1, 6_400),
        ),
        breaks=frozenset({2}),
    )
    lines = _shown(table, width)
    assert [line.split() for line in lines if line][:2] == [
        ["weight_ih_l0"],
        *([["shape", "(160,", "20)"]] if width == 30 else [["shape"]]),
    ]
    words = "weight_ih_l0 shape (160, 20) parameters 3,200 total parameters 3,200"
    assert " ".join(" ".join(lines).split()).startswith(words)
    assert lines[lines.index("weight_hh_l0") - 1] == ""
    assert width == 1 or max(map(len, lines)) <= width


def test_what_explains_a_column_goes_with_it() -> None:
    note = Paragraph(("MACs: multiply-adds. More.",), column="macs", short=("More.",))
    section = Section(key="x", blocks=(_table("nn.GRU()"), note), titled=False)
    assert render_sections([section], width=80).endswith("\nMACs: multiply-adds. More.\n")
    narrow = render_sections([section], width=30)
    assert "MACs" not in narrow
    assert narrow.endswith("\nMore.\n")
    alone = Section(key="x", blocks=(_table("nn.GRU()"), Paragraph(("a",), column="macs")))
    assert len(render_sections([alone], width=30).splitlines()) == 2


def test_an_expression_without_room_is_broken_at_its_comparison_or_else_at_a_blank() -> None:
    listing = Listing(((Code("a.view(4, 2).sum(1).shape == (4, 5, 40)"), ("why",)),))
    assert _shown(listing, 32) == ["a.view(4, 2).sum(1).shape", "      == (4, 5, 40)", "   why"]
    assert _shown(listing, 20) == [
        *("a.view(4,", "      2).sum(1).shape", "      == (4, 5, 40)", "   why"),
    ]


def test_an_equation_without_room_is_broken_before_a_plus() -> None:
    equation = "i = sigmoid(W_ii x + b_ii + W_hi h + b_hi)"
    assert _shown(Equations((equation, "a = b")), 42) == [equation, "a = b"]
    assert _shown(Equations((equation, "a = b")), 41) == [
        *("i = sigmoid(W_ii x + b_ii + W_hi h", "    + b_hi)", "a = b"),
    ]


def test_a_call_that_is_not_the_first_column_goes_on_below_itself() -> None:
    table = Table(
        columns=(
            Column(key="module", title="check"),
            Column(key="held", title="held", numeric=True),
            Column(key="constructor", title="", rank=1, calls=True),
        ),
        rows=((Code("encoder"), "1/1", Code(LONG)), (Code("decoder"), "10/10", Code("nn.GRU()"))),
    )
    at_60 = [
        "check     held",
        "encoder    1/1  nn.LSTM(1024, 2048, num_layers=12,",
        "                 batch_first=True, bidirectional=True,",
        "                 proj_size=1024)",
        "decoder  10/10  nn.GRU()",
    ]
    assert _shown(table, 60) == at_60
    assert _shown(table, 35) == ["check     held", "encoder    1/1", "decoder  10/10"]


def test_what_an_expression_means_is_below_it_where_there_is_no_room_beside() -> None:
    long = "h_n.view(12, 2, 128, 1024).sum(1).shape == (12, 128, 1024) and so on"
    listing = Listing(((Code("a"), ("short",)), (Code(long), ("for a decoder: sum",))))
    assert _shown(listing, None) == ["a   short", long, "   for a decoder: sum"]


def test_arithmetic_goes_on_beside_its_label() -> None:
    terms = " + ".join(["4*2048*1024"] * 6)
    listing = Listing((("layer 0", (Formula(terms), " = 50,331,648")),))
    assert _shown(listing, None) == [
        f"layer 0   {' + '.join(['4*2048*1024'] * 5)}",
        "          + 4*2048*1024 = 50,331,648",
    ]


SIZES = list(product((512, 1024, 2048), (1, 2, 4, 12), (False, True), (0, 2)))


def _config(kind: Kind, hidden: int, layers: int, *, bidir: bool, proj: int) -> RNNConfig:
    return RNNConfig(
        kind=kind,
        input_size=hidden,
        hidden_size=hidden,
        num_layers=layers,
        bidirectional=bidir,
        batch_first=True,
        proj_size=hidden // proj if proj and kind is Kind.LSTM else 0,
    )


@pytest.mark.parametrize("kind", Kind)
def test_no_section_of_a_large_layer_is_over_80_columns(kind: Kind) -> None:
    for (hidden, layers, bidir, proj), (width, spec) in product(
        SIZES,
        (
            (None, InputSpec()),
            (None, InputSpec(batch_size=64, seq_len=512)),
            (None, InputSpec(batched=False)),
            (None, InputSpec(batch_size=3, seq_len=1000, lengths=(1000, 512, 7))),
            (80, InputSpec(batch_size=128, seq_len=4096)),
        ),
    ):
        if proj and kind is not Kind.LSTM:
            continue  # only an LSTM has a projection
        config = _config(kind, hidden, layers, bidir=bidir, proj=proj)
        report = predicted_report(Subject(config=config, input_spec=spec))
        document = report_document(Inspection(report=report), show=SECTIONS)
        for line in render_sections(document.sections, width=width).splitlines():
            assert len(line) <= 80, config.constructor


def test_no_comparison_of_large_layers_is_over_80_columns() -> None:
    for hidden, layers, bidir, proj in SIZES:
        asked = [
            Subject(config=_config(kind, hidden, layers, bidir=bidir, proj=proj)) for kind in Kind
        ]
        comparison = Comparison(groups=(group([*map(alone, asked)]),), request="")
        document = compare_document(comparison, limit=None)
        for line in render_sections(document.sections, width=80).splitlines():
            assert len(line) <= 80, line


def _is_program(block: Block) -> bool:
    return isinstance(block, Picture) and block.language == "python"


@pytest.mark.parametrize("width", [40, 60])
@pytest.mark.parametrize("name", sorted({*DOCUMENTS} - {"hostile", "huge"}))
def test_narrow_terminals_cut_no_word(name: str, width: int) -> None:
    # A program is never broken, or it would not run.
    sections = [
        replace(each, blocks=tuple(filterfalse(_is_program, each.blocks)))
        for each in DOCUMENTS[name].sections
    ]
    wide, narrow = (render_sections(sections, width=columns) for columns in (None, width))
    titles = {
        word
        for table in tables(DOCUMENTS[name])
        for column in table.columns
        for word in (*column.title.split(), *column.short.split())
    }
    assert {*re.findall(r"\w+", narrow)} <= {*re.findall(r"\w+", wide)} | titles
    for line in narrow.splitlines():
        deep = re.search(r"layer \d\d .* h_n", line)  # the grid of a deep layer
        assert len(line) <= width or " " not in line.strip() or deep, line
