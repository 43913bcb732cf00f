"""Every format writes every document: whole, escaped, and with its numbers in it."""

from __future__ import annotations

import builtins
import csv
import io
import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.console import Console

from rnnshape import inspect
from rnnshape.analysis.check import Check, Module
from rnnshape.analysis.comparison import Comparison, group
from rnnshape.analysis.inspection import Inspection
from rnnshape.analysis.summands import alone
from rnnshape.document.check import check_document
from rnnshape.document.compare import compare_document
from rnnshape.document.model import (
    Code,
    Diagram,
    Document,
    Formula,
    Paragraph,
    Place,
    Seconds,
    Section,
    Shape,
    Status,
    Table,
    Times,
    Verdict,
)
from rnnshape.document.report import report_document
from rnnshape.errors import printable
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.report import predicted_report
from rnnshape.layer.subject import Subject
from rnnshape.render import Format, render
from rnnshape.render.cells import cell_text
from rnnshape.render.csv import HEADER
from rnnshape.render.github import render_annotations, render_github
from rnnshape.render.latex import _BEGIN
from rnnshape.render.terminal import render_sections
from tests.documents import DOCUMENTS, HOSTILE, diagrams, tables
from tests.junit import junit
from tests.program import PYTHON, call, spawn
from tests.terminal import ESCAPE

EACH_DOCUMENT = pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
EACH_FORMAT = pytest.mark.parametrize("output", Format, ids=lambda output: output.value)
HOSTILE_DOCUMENT = DOCUMENTS["hostile"]
needs_pdflatex = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")


_RENDERED: dict[tuple[int, Format], tuple[Document, str]] = {}


def _text(document: Document, output: Format) -> str:
    """The document in a format, rendered once for all tests."""
    key = (id(document), output)
    if key not in _RENDERED:
        _RENDERED[key] = document, render(document, output)  # kept, so that its id stays its own
    return _RENDERED[key][1]


@EACH_FORMAT
@EACH_DOCUMENT
def test_every_format_writes_every_document(document: Document, output: Format) -> None:
    text = _text(document, output)
    assert text.strip()
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "\r" not in text
    assert set(text) <= {"\n", *filter(str.isprintable, text)}
    text.encode("utf-8")


@EACH_FORMAT
@EACH_DOCUMENT
def test_the_same_document_is_the_same_text(document: Document, output: Format) -> None:
    assert render(document, output) == _text(document, output)


def test_every_suffix_names_one_format() -> None:
    suffixes = [suffix for output in Format for suffix in output.suffixes]
    assert len(suffixes) == len(set(suffixes))
    assert all(re.fullmatch(r"\.[a-z]+", suffix) for suffix in suffixes)


def _numbers(document: Document) -> Iterator[str]:
    """Every integer and every shape of a table or diagram, as a person reads it."""
    for table in tables(document):
        for cell in (cell for row in table.rows for cell in row):
            if isinstance(cell, (int, Shape, Times)):
                yield cell_text(cell)
    for diagram in diagrams(document):
        for node in (node for stage in diagram.stages for node in stage):
            yield from (cell_text(slot.shape) for slot in node.slots)
            yield cell_text(node.shape)


@pytest.mark.parametrize(
    "output",
    [Format.TABLE, Format.MARKDOWN, Format.HTML, Format.LATEX, Format.SVG],
    ids=lambda output: output.value,
)
@EACH_DOCUMENT
def test_every_number_of_a_table_is_written_in_full(document: Document, output: Format) -> None:
    text = re.sub("</?tspan[^>]*>", "", _text(document, output))
    text = re.sub("<[^>]*>|~", " ", text)
    for number in _numbers(document):
        assert re.search(rf"(?<![0-9,]){re.escape(number)}(?![0-9]|,[0-9])", text), number


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("ok", "ok: "),
        ("mismatch", "MISMATCH: "),
        ("failed", "FAILED: "),
        ("refused", "ERROR: "),
        ("skipped", ""),
    ],
)
@pytest.mark.parametrize(
    "output",
    [Format.TABLE, Format.MARKDOWN, Format.HTML, Format.LATEX, Format.SVG],
    ids=lambda output: output.value,
)
def test_a_verdict_has_the_same_word_in_every_format(
    output: Format, status: Status, word: str
) -> None:
    verdict = Verdict(status=status, text=("as expected",), subject=Code("gru"))
    section = Section(key="verification", blocks=(verdict,), titled=False)
    text = render(Document(sections=(section,), data=dict, verdicts=list), output)
    unmarked = re.sub(r"<[^>]*>|\\text\w*|[*{}\n]", "", text)
    assert set(re.findall(r"(ok: |[A-Z]+: )?as expected", unmarked)) == {word}


# Markdown


@EACH_DOCUMENT
def test_markdown_has_one_block_for_each_of_the_document(document: Document) -> None:
    tokens = _markdown(_text(document, Format.MARKDOWN))
    blocks = [block for section in document.sections for block in section.blocks]
    assert sum(token.type == "table_open" for token in tokens) == len(list(tables(document)))
    assert sum(token.type == "fence" for token in tokens) == sum(
        type(block).__name__ in {"Picture", "Equations", "Diagram"} for block in blocks
    )
    found = {token.type for token in tokens}
    assert not found & {"html_block", "heading_open", "hr", "code_block", "ordered_list_open"}
    inline = {child.type for token in tokens for child in token.children or ()}
    assert not inline & {"link_open", "image", "em_open", "s_open", "softbreak", "hardbreak"}
    assert "html_inline" not in inline


@EACH_DOCUMENT
def test_markdown_tables_hold_the_cells_as_they_are(document: Document) -> None:
    found = _markdown_tables(_markdown(_text(document, Format.MARKDOWN)))
    for table, rows in zip(tables(document), found, strict=True):
        titles = [_spaced(column.title) for column in table.columns]
        assert rows == [titles, *([_spaced(cell_text(c)) for c in row] for row in table.rows)]


def _spaced(text: str) -> str:
    """Blanks do not count, nor which of them."""
    return " ".join(printable(text).split())


def _markdown(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)


def _markdown_tables(tokens: list[Token]) -> list[list[list[str]]]:
    found: list[list[list[str]]] = []
    for place, token in enumerate(tokens):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type in {"th_open", "td_open"}:
            found[-1][-1].append(_spaced(_plain(tokens[place + 1])))
    return found


def _plain(inline: Token) -> str:
    kept = {"text", "code_inline", "text_special"}
    return "".join(child.content for child in inline.children or () if child.type in kept)


# HTML


class _Page(HTMLParser):
    """Tags that are closed in order, and the text of every cell."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.tables: list[list[list[str]]] = []
        self.codes: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in {"meta", "br"}:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.tables[-1][-1].append("")
        elif tag == "code":
            self.codes.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data
        if "code" in self.open:
            self.codes[-1] += data


def _page(document: Document) -> _Page:
    page = _Page()
    page.feed(_text(document, Format.HTML))
    page.close()
    assert not page.open
    return page


@EACH_DOCUMENT
def test_html_is_whole_and_needs_nothing_else(document: Document) -> None:
    page = _page(document)
    assert not page.seen & {"script", "link", "img", "iframe", "a", "base", "object"}
    assert not page.attributes & {"src", "href", "style", "onclick", "onload"}
    assert "url(" not in _text(document, Format.HTML).split("</style>", maxsplit=1)[0]


@EACH_DOCUMENT
def test_html_tables_hold_the_cells_as_they_are(document: Document) -> None:
    for table, rows in zip(tables(document), _page(document).tables, strict=True):
        titles = [_spaced(column.title) for column in table.columns]
        cells = [[_spaced(cell_text(cell)) for cell in row] for row in table.rows]
        assert [[_spaced(cell) for cell in row] for row in rows] == [titles, *cells]


def test_html_names_are_the_names() -> None:
    codes = {_spaced(code) for code in _page(HOSTILE_DOCUMENT).codes}
    assert {_spaced(name) for name in HOSTILE} <= codes


@pytest.mark.parametrize(
    ("name", "word"), [("one-layer", "ok:"), ("mismatch", "MISMATCH:"), ("findings", "note:")]
)
def test_html_says_in_words_what_it_shows_in_colour(name: str, word: str) -> None:
    assert f"<strong>{word}" in render(DOCUMENTS[name], Format.HTML)


# LaTeX


@EACH_DOCUMENT
def test_latex_has_no_mark_that_is_not_escaped(document: Document) -> None:
    text = _text(document, Format.LATEX)
    assert re.fullmatch("[\n -~\u00c0-\u017e]*", text)
    assert text.startswith("% A fragment: ")
    assert "booktabs" in text.partition("\n")[0]
    assert text.startswith(_BEGIN)
    depth = 0
    for line in text[len(_BEGIN) :].splitlines():
        if line.startswith("%"):
            continue
        if re.fullmatch(r"\\texttt\{.*\} \\tabularnewline", line):
            line = line.replace("~", " ")  # noqa: PLW2901 - the blanks of a picture
        escaped = re.sub(r"\\[_%&#${}\\'`^~\"]|(?<= )& |\\[a-zA-Z]+|%$", "", line)
        for formula in re.findall(r"\$[^$]*\$", escaped):
            assert re.fullmatch(r"\$[\w{}(),.+*/=' -]+\$", formula), line
            escaped = escaped.replace(formula, re.sub("[^{}]", "", formula))
        assert not re.search(r"[\\_%#$~^<>|\"`&]", escaped), line
        depth += escaped.count("{") - escaped.count("}")
        assert depth >= 0, line
        assert line or not depth, "a paragraph ends within braces"
    assert depth == 0


@EACH_DOCUMENT
def test_latex_rows_have_a_cell_for_every_column(document: Document) -> None:
    found = re.findall(
        r"^\\rnnshapetable\{(\w+)\}.*\n((?:.*\n)*?)\\bottomrule\}$",
        _text(document, Format.LATEX),
        re.MULTILINE,
    )
    for table, (sides, text) in zip(tables(document), found, strict=True):
        assert len(sides) == len(table.columns)
        rows = [line for line in text.splitlines() if line.endswith(r"\tabularnewline")]
        assert len(rows) == 1 + len(table.rows)
        for row in rows:
            assert len(re.findall(r"(?<!\\)&", row)) == len(table.columns) - 1
            assert not row.lstrip().startswith(("[", "*"))
    assert not re.search(r"^\\item \[", _text(document, Format.LATEX), re.MULTILINE)


@pytest.mark.parametrize(
    ("output", "gap"),
    [
        (Format.LATEX, "\\addlinespace\n"),
        (Format.HTML, '<tr class="group">'),
        (Format.TABLE, "\n\n"),
    ],
    ids=lambda value: value.value if isinstance(value, Format) else "",
)
def test_groups_of_rows_stand_apart(output: Format, gap: str) -> None:
    text = render(DOCUMENTS["comparison"], output)
    first, last = text.index("nn.RNN(20, 32)"), text.index("nn.LSTM(20, 64)")
    assert text[first:last].count(gap) == 1
    assert text.index("nn.GRU(20, 64)") > last


WIDE = (
    RNNConfig(kind=Kind.GRU, bidirectional=True),
    RNNConfig(kind=Kind.RNN, num_layers=2, nonlinearity="relu", batch_first=True),
    RNNConfig(kind=Kind.GRU, input_size=512, num_layers=12, batch_first=True, bidirectional=True),
)


def _checked(*configs: RNNConfig, names: str = "encoder{}") -> Document:
    modules = tuple(
        Module(
            line=1,
            report=predicted_report(Subject(config=config, name=names.format(number))),
            expected=(),
            matching=None,
        )
        for number, config in enumerate(configs)
    )
    return check_document(Check(file="rnnshape.toml", modules=modules))


@needs_pdflatex
def test_a_latex_table_of_long_constructors_fits_into_an_article(tmp_path: Path) -> None:
    assert max(len(config.constructor) for config in WIDE) > 66
    layers = [alone(Subject(config=config)) for config in WIDE]
    compared = compare_document(Comparison(groups=(group(layers),), request=""), limit=None)
    log = _compiled({"check": _checked(*WIDE), "compare": compared}, tmp_path)
    assert "Overfull" not in log


@needs_pdflatex
@pytest.mark.parametrize(
    "page",
    [r"\documentclass[a4paper,twocolumn]{article}", r"\documentclass{beamer}"],
    ids=["2", "b"],
)
def test_latex_fits_into_narrow_columns(page: str, tmp_path: Path) -> None:
    if "beamer" in page and not _has("beamer.cls"):
        pytest.skip("needs beamer")
    names = {*DOCUMENTS} - {"hostile", "huge"}
    parts = {
        f"{name}{number}": replace(DOCUMENTS[name], sections=(section,))
        for name in names
        for number, section in enumerate(DOCUMENTS[name].sections)
    }
    parts["long-name"] = _checked(WIDE[0], names="encoder.layers.{}.recurrent_part.of_the_network")
    assert "Overfull \\hbox" not in _compiled(parts, tmp_path, page=page)


def _has(file: str) -> bool:
    return not subprocess.run(["kpsewhich", file], capture_output=True, check=False).returncode


def test_latex_writes_formulas_in_math() -> None:
    text = _text(DOCUMENTS["stack"], Format.LATEX)
    assert r"$(D\cdot \mathrm{num\_layers},\allowbreak N,\allowbreak H_{\mathrm{out}})$" in text
    assert r"$L=10$ seq, $N=5$ batch, $H_{\mathrm{in}}=20$ input" in text
    equation = (
        r"$i = \sigma(W_{\mathrm{ii}} x + b_{\mathrm{ii}} + W_{\mathrm{hi}} h + b_{\mathrm{hi}})$"
    )
    assert equation in text
    assert r"$c' = f \odot  c + i \odot  g$" in text


@pytest.mark.parametrize(
    "formula", ["sum(p.numel() for p in module.parameters())", "a b", "x % y", "", "f(x", "- a"]
)
def test_latex_writes_what_is_no_formula_as_code(formula: str) -> None:
    block = Paragraph((Formula(formula), "."))
    section = Section(key="x", blocks=(block,), titled=False)
    text = render(Document(sections=(section,), data=dict, verdicts=list), Format.LATEX)
    assert "$" not in text[len(_BEGIN) :]


def test_a_caption_makes_latex_a_floating_table() -> None:
    words = ("compare", "lstm", "gru", "-f", "latex")
    plain = call(*words).out
    captioned = call(*words, "--caption", "LSTM & GRU_1", "--label", "tab:one").out
    assert captioned == (
        "\\begin{table}[htbp]\n"
        f"{plain}\\caption{{LSTM \\& GRU\\_1}}\\label{{tab:one}}\n\\end{{table}}\n"
    )
    assert r"\label" not in call(*words, "--caption", "LSTM").out
    report = inspect("gru", run=False)
    assert report.to_latex(caption="GRU", label="tab:gru").endswith(
        "\\caption{GRU}\\label{tab:gru}\n\\end{table}\n"
    )


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--caption", "a"), "--caption is for LaTeX, but nothing is written as LaTeX"),
        (("--label", "a", "-f", "json"), "--label is for LaTeX, but nothing is written as LaTeX"),
        (("--label", "a", "-f", "latex"), "--label is of no use without a caption"),
        (
            ("--caption", "a", "--label", "a}b", "-f", "latex"),
            "--label takes letters, digits and : . _ -, not a}b\nhint: --label a-b\n",
        ),
    ],
)
def test_a_caption_that_would_be_lost_is_refused(words: tuple[str, ...], problem: str) -> None:
    result = call("gru", "--no-run", *words)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {problem}")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("d\xe9codeur", "d\xe9codeur"),
        ("de\u0301codeur", r"de\textbackslash{}u0301codeur"),
        ("gr\xf6\xdfe", "gr\xf6\xdfe"),
        ("\u0161\u0119\xe7\xf1\xe5\u0142\u0151", "\u0161\u0119\xe7\xf1\xe5\u0142\u0151"),
        ("\u0127\u0167", r"\textbackslash{}u0127\textbackslash{}u0167"),  # T1 fonts lack these
        ("\u5c42", r"\textbackslash{}u5c42"),
        ("\u1ebf\u0439", r"\textbackslash{}u1ebf\textbackslash{}u0439"),
    ],
    ids=ascii,
)
def test_latex_writes_the_letters_of_its_fonts(name: str, written: str) -> None:
    assert rf"\texttt{{{written}}}" in render(_checked(WIDE[0], names=name), Format.LATEX)


@needs_pdflatex
def test_latex_compiles_every_document_without_an_error(tmp_path: Path) -> None:
    log = _compiled(DOCUMENTS, tmp_path)
    assert "Missing character" not in log
    assert "(/etc/passwd" not in log  # how the log names a file that is read


def _compiled(
    documents: Mapping[str, Document],
    tmp_path: Path,
    *,
    page: str = r"\documentclass[a4paper]{article}",
) -> str:
    """What pdflatex says about the documents, which it compiles without an error."""
    for name, document in documents.items():
        text = _text(document, Format.LATEX)
        (tmp_path / f"{name}.tex").write_text(text, encoding="utf-8")
    begin, end = (
        (r"\begin{frame}[allowframebreaks]", r"\end{frame}")
        if "beamer" in page
        else ("", r"\clearpage")
    )
    inputs = "\n".join(rf"{begin}\input{{{name}.tex}}{end}" for name in documents)
    (tmp_path / "all.tex").write_text(
        f"{page}\n\\usepackage[T1]{{fontenc}}\n\\usepackage{{booktabs,graphicx}}\n"
        f"\\begin{{document}}\n{inputs}\n\\end{{document}}\n"
    )
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "all.tex"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,  # bytes: TeX writes in no particular encoding
        check=False,
        timeout=120,
    )
    log = (tmp_path / "all.log").read_text(encoding="latin-1")
    assert done.returncode == 0, log[-2000:]
    return log


# CSV


def _lines(document: Document) -> list[list[str]]:
    """The lines for each value, which a document has whose layers are not a table."""
    text = render(replace(document, records=tuple), Format.CSV)
    header, *lines = csv.reader(io.StringIO(text, newline=""))
    assert tuple(header) == HEADER
    assert all(len(line) == len(HEADER) for line in lines)
    return lines


@EACH_DOCUMENT
def test_a_csv_is_a_line_for_every_value_with_all_its_digits(document: Document) -> None:
    found = {(line[1], line[2], line[3], line[5], line[6]) for line in _lines(document)}
    assert set(_values(document)) <= found


def _values(document: Document) -> Iterator[tuple[str, ...]]:
    """Section, block, row, column and value of every number in a table."""
    for section in document.sections:
        for place, block in enumerate(section.blocks, 1):
            for number, row in enumerate(block.rows if isinstance(block, Table) else (), 1):
                assert isinstance(block, Table)
                for column, cell in zip(block.columns, row, strict=True):
                    if isinstance(cell, (int, Fraction, Times, Seconds, Shape)):
                        yield section.key, str(place), str(number), column.key, _digits(cell)


def _digits(cell: int | Fraction | Times | Seconds | Shape) -> str:
    """A ratio below 0 would be a formula, and is therefore text."""
    match cell:
        case Times(count):
            return str(count)
        case Seconds(value):
            return repr(value)
        case Fraction(numerator=top, denominator=bottom) if top < 0 and bottom != 1:
            return f"'{top}/{bottom}"
        case Shape():
            return cell_text(cell)
        case int() | Fraction():
            return str(cell)


@EACH_DOCUMENT
def test_no_cell_of_a_csv_is_a_formula(document: Document) -> None:
    for line in _lines(document):
        for cell in line:
            formula = re.match("[=+@\t\r\uff1d\uff0b\uff0d\uff20-]", cell)
            assert not formula or re.fullmatch(r"-?[0-9]+([.][0-9]+)?", cell), cell


def test_a_csv_pivots_back_to_the_table() -> None:
    (weights,) = (s for s in DOCUMENTS["stack"].sections if s.key == "weights")
    table = weights.blocks[0]
    assert isinstance(table, Table)
    lines = [line for line in _lines(DOCUMENTS["stack"]) if line[1:3] == ["weights", "1"]]
    total = {line[5]: line[6] for line in lines if line[4] == "total"}
    gates = {"formula": "4 = gates i f g o"}
    assert total == {"weight": "total", "count": "32", "parameters": "136960", **gates}
    summed = sum(int(line[6]) for line in lines if line[5] == "parameters" and line[4] != "total")
    assert summed == 136_960
    assert {line[0] for line in lines} == {"nn.LSTM(20, 40, num_layers=4, bidirectional=True)"}


LISTED = [name for name, document in DOCUMENTS.items() if document.records()]


def _layers(document: Document) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(_text(document, Format.CSV), newline="")))


@pytest.mark.parametrize("name", LISTED)
def test_a_csv_of_several_layers_is_a_line_for_each(name: str) -> None:
    assert {"comparison", "check"} <= {*LISTED}
    document = DOCUMENTS[name]
    layers, data = _layers(document), document.data()
    asked = data.get("modules") or [row for group in data["groups"] for row in group["rows"]]
    for layer, own in zip(layers, asked, strict=True):
        assert None not in layer.values()
        config = RNNConfig(
            kind=Kind(layer["kind"]),
            cell=layer["cell"] == "True",
            input_size=int(layer["input_size"]),
            hidden_size=int(layer["hidden_size"]),
            num_layers=int(layer["num_layers"]),
            bias=layer["bias"] == "True",
            batch_first=layer["batch_first"] == "True",
            dropout=float(layer["dropout"]),
            bidirectional=layer["bidirectional"] == "True",
            proj_size=int(layer["proj_size"]),
        )
        assert config.constructor == layer["constructor"] == own["constructor"]
        totals = own.get("totals", own)
        assert int(layer["parameters"]) == totals["parameters"]
        assert int(layer["macs"]) == totals["macs"]
        assert layer["batch_size"] == str(own["input"]["batch_size"])


def test_a_ratio_in_a_csv_has_its_decimals_beside_it() -> None:
    asked = [Subject(config=RNNConfig(kind=kind, hidden_size=h)) for kind in Kind for h in (7, 40)]
    rows = _layers(
        compare_document(Comparison(groups=(group([*map(alone, asked)]),), request=""), limit=None)
    )
    for row, subject in zip(rows, asked, strict=True):
        exact = Fraction(subject.parameters, asked[0].parameters)
        assert row["parameters_ratio"] == str(exact)
        assert float(row["parameters_ratio_decimal"]) == pytest.approx(float(exact), rel=1e-14)
    stack = [line for line in _lines(DOCUMENTS["stack"]) if line[5].startswith("macs_ratio")]
    for exact_line, decimal in zip(stack[::2], stack[1::2], strict=True):
        assert decimal[5] == "macs_ratio_decimal"
        assert float(decimal[6]) == pytest.approx(float(Fraction(exact_line[6])))


def test_a_ratio_larger_than_any_float_has_decimals() -> None:
    small, large = (Subject(config=RNNConfig(kind=Kind.GRU, hidden_size=h)) for h in (1, 10**400))
    document = compare_document(
        Comparison(groups=(group([alone(small), alone(large)]),), request=""), limit=None
    )
    # 3*(20 + h + 2)*h for both: 3*10**800 and a little, of 69.
    assert _layers(document)[1]["parameters_ratio_decimal"] == "4.34782608695652E+798"


def test_a_csv_of_several_layers_has_a_column_for_each_thing_in_every_line() -> None:
    text = call("inspect", "lstm", "gru --cell", "--no-run", "-f", "csv").out
    lstm, cell = csv.DictReader(io.StringIO(text))
    assert (lstm["output"], lstm["h_n"], lstm["c_n"]) == ("(10, 5, 40)", "(1, 5, 40)", "(1, 5, 40)")
    assert (cell["h_n"], cell["c_n"], cell["h_1"], cell["agrees"]) == ("", "", "(5, 40)", "")
    one = call("inspect", "lstm", "--no-run", "-f", "csv").out
    shown = call("inspect", "lstm", "gru", "--no-run", "--show", "weights", "-f", "csv").out
    assert {one.partition("\n")[0], shown.partition("\n")[0]} == {",".join(HEADER)}


def test_pandas_reads_a_csv_of_layers() -> None:
    pandas = pytest.importorskip("pandas")
    text = call("compare", "lstm", "gru", "--hidden", "8,16", "-f", "csv").out
    frame = pandas.read_csv(io.StringIO(text))
    assert frame.pivot(index="hidden_size", columns="kind", values="parameters_ratio_decimal")[
        "GRU"
    ].to_list() == [0.75, 0.75]
    assert frame["parameters"].dtype.kind == "i"
    assert frame["bidirectional"].dtype.kind == "b"


# SVG


def _texts(document: Document) -> list[ET.Element]:
    root = ET.fromstring(_text(document, Format.SVG))  # noqa: S314 - our own text
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    return root.findall("{http://www.w3.org/2000/svg}text")


def _undrawn(document: Document) -> Document:
    """The document without its diagrams, which a picture draws."""
    sections = (
        replace(section, blocks=tuple(b for b in section.blocks if not isinstance(b, Diagram)))
        for section in document.sections
    )
    return replace(document, sections=tuple(s for s in sections if s.blocks))


@EACH_DOCUMENT
def test_an_svg_shows_the_terminals_words_and_needs_nothing_else(document: Document) -> None:
    document = _undrawn(document)
    lines: dict[int, str] = {}
    for text in _texts(document):
        y = int(text.attrib["y"])
        lines[y] = lines.get(y, "") + "".join(text.itertext())
    shown = ["".join(lines[y].split()) for y in sorted(lines)]
    shown = [line for line in shown if line.strip("-") or len(line) < 10]  # without the rules
    printed = ["".join(line.split()) for line in _text(document, Format.TABLE).splitlines()]
    assert shown == [line for line in printed if line]
    svg = _text(document, Format.SVG)
    assert re.findall('https?://[^"]*', svg.partition("<text")[0]) == ["http://www.w3.org/2000/svg"]
    assert "@font-face" not in svg


_SVG = "{http://www.w3.org/2000/svg}"


def _drawings(document: Document, output: Format) -> list[ET.Element]:
    """The drawings of a page or a picture, as XML."""
    text = _text(document, output)
    if output is Format.SVG:
        return ET.fromstring(text).findall(f"{_SVG}g")  # noqa: S314 - our own text
    found = re.findall(r"<svg .*?</svg>", text, re.DOTALL)
    return [ET.fromstring(each.replace("<svg ", f'<svg xmlns="{_SVG[1:-1]}" ')) for each in found]  # noqa: S314


@pytest.mark.parametrize("output", [Format.HTML, Format.SVG], ids=lambda output: output.value)
@EACH_DOCUMENT
def test_a_diagram_is_drawn_with_every_node_and_state(document: Document, output: Format) -> None:
    for diagram, drawn in zip(diagrams(document), _drawings(document, output), strict=True):
        nodes = [node for stage in diagram.stages for node in stage]
        words = [[cell_text(node.name), cell_text(node.shape)] for node in nodes]
        words += [[cell_text(s.name), cell_text(s.shape)] for node in nodes for s in node.slots]
        written = [text.text or "" for text in drawn.iter(f"{_SVG}text")]
        for word in (word for words_ in words for word in words_ if word):
            assert word in written
        boxes = [
            {k: float(box.attrib[k]) for k in ("x", "y", "width", "height")}
            for box in drawn.iter(f"{_SVG}rect")
        ]
        assert len(boxes) == len(nodes) + sum(bool(node.slots) for node in nodes)
        assert len(list(drawn.iter(f"{_SVG}polygon"))) == _edges(diagram)
        for box, other in combinations(boxes, 2):
            apart = (
                box["x"] + box["width"] < other["x"] or other["x"] + other["width"] < box["x"],
                box["y"] + box["height"] < other["y"] or other["y"] + other["height"] < box["y"],
            )
            assert any(apart), (box, other)
        assert all(box["x"] >= 0 and box["y"] >= 0 for box in boxes)
        if output is Format.HTML:
            width, height = (float(drawn.attrib[name]) for name in ("width", "height"))
            assert max(box["x"] + box["width"] for box in boxes) <= width
            assert max(box["y"] + box["height"] for box in boxes) <= height


def test_a_picture_has_room_for_its_drawing() -> None:
    document = report_document(
        Inspection(report=predicted_report(Subject(config=RNNConfig(kind=Kind.GRU)))),
        show=["diagram", "weights"],
    )
    (drawn,) = _drawings(document, Format.SVG)
    found = re.fullmatch(r"translate\(16 ([\d.]+)\)", drawn.attrib["transform"])
    assert found
    boxes = drawn.iter(f"{_SVG}rect")
    end = max(float(b.attrib["y"]) + float(b.attrib["height"]) for b in boxes) + float(found[1])
    below = min(
        int(text.attrib["y"]) for text in _texts(document) if "".join(text.itertext()) == "weights"
    )
    assert end < below - 14


def test_an_svgs_runs_stand_in_the_columns_of_the_terminal() -> None:
    coloured = render_sections(_undrawn(DOCUMENTS["stack"]).sections, colour=True)
    printed = ESCAPE.sub("", coloured).splitlines()
    for text in _texts(_undrawn(DOCUMENTS["stack"])):
        x, y, width = (float(text.attrib[name]) for name in ("x", "y", "textLength"))
        line = printed[int(y - 16) // 20]
        first, letters = round((x - 16) / 8.4), "".join(text.itertext())
        assert line[first : first + len(letters)] == letters
        assert width == pytest.approx(len(letters) * 8.4, abs=0.1)
        assert text.attrib["lengthAdjust"] == "spacingAndGlyphs"


@pytest.mark.parametrize(
    ("name", "words", "colour"),
    [
        ("one-layer", "ok: ", "green"),
        ("mismatch", "MISMATCH: ", "red"),
        ("findings", "note: ", "yellow"),
    ],
)
def test_an_svg_has_the_terminals_colours(name: str, words: str, colour: str) -> None:
    elements = (each for text in _texts(DOCUMENTS[name]) for each in text.iter())
    runs = [run for run in elements if run.attrib.get("class") == colour]
    assert {run.text for run in runs} == {words}
    assert f".{colour} {{" in render(DOCUMENTS[name], Format.SVG)


# JSON


@EACH_DOCUMENT
def test_json_is_json(document: Document) -> None:
    assert json.loads(_text(document, Format.JSON))


# GitHub


def _unescaped(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


@EACH_DOCUMENT
def test_github_has_a_line_for_every_verdict(document: Document) -> None:
    lines = _text(document, Format.GITHUB).split("\n")[:-1]
    for verdict, line in zip(document.verdicts(), lines, strict=True):
        text = "".join(cell_text(piece) for piece in verdict.text)
        command = re.fullmatch(r"::error ([^:]*)::(.*)", line)
        assert bool(command) == (verdict.status in {"mismatch", "failed"})
        if command:
            keys = [pair.partition("=")[0] for pair in command[1].split(",")]
            assert keys == (["file", "line"] if verdict.place else []) + ["title"]
            assert _unescaped(command[2]).split("\n")[0] == text
        else:
            assert not line.lstrip().startswith("::")
            assert "##[" not in line


@pytest.mark.parametrize(
    ("file", "shown"),
    [
        ("models/rnnshape.toml", "models/rnnshape.toml"),
        ("a,b", "a%2Cb"),
        ("50%:\n", "50%25%3A\\n"),
    ],
)
def test_an_annotation_names_the_file(file: str, shown: str) -> None:
    verdict = Verdict(
        status="failed", text=("a",), subject=Code("b"), place=Place(file=file, line=7)
    )
    document = Document(sections=(), data=dict, verdicts=lambda: [verdict])
    line = f"::error file={shown},line=7,title=b::a\n"
    for rendered in (render_annotations, render_github):
        assert rendered(document) == line


# JUnit


@EACH_DOCUMENT
def test_junit_has_a_case_for_every_verdict(document: Document) -> None:
    root = junit(_text(document, Format.JUNIT))
    verdicts = document.verdicts()
    cases = root.findall("testsuite/testcase")
    outcome = {
        "ok": None,
        "skipped": "skipped",
        "mismatch": "failure",
        "failed": "failure",
        "refused": "error",
    }
    for verdict, case in zip(verdicts, cases, strict=True):
        assert case.attrib["classname"] == cell_text(verdict.subject)
        assert case.attrib["name"] == cell_text(verdict.what)
        assert [child.tag for child in case] == list(filter(None, [outcome[verdict.status]]))
    for suite in (root, *root.findall("testsuite")):
        own = suite.findall(".//testcase")
        assert suite.attrib["tests"] == str(len(own))
        assert suite.attrib["failures"] == str(sum(c.find("failure") is not None for c in own))
        assert suite.attrib["errors"] == str(sum(c.find("error") is not None for c in own))
        skipped = sum(c.find("skipped") is not None for c in own)
        assert suite is root or suite.attrib["skipped"] == str(skipped)


# Diagrams


@EACH_DOCUMENT
def test_every_line_of_a_mermaid_flowchart_is_a_node_or_an_edge(document: Document) -> None:
    tokens = _markdown(_text(document, Format.MARKDOWN))
    charts = [token.content for token in tokens if token.info == "mermaid"]
    for diagram, chart in zip(diagrams(document), charts, strict=True):
        first, *lines = chart.splitlines()
        assert first == "flowchart TB"
        label = r'\["(?!")[^"`<>&{}]*(<br>[^"`<>&{}]*)*"\]'
        node = rf"n\d+_\d+({label}|\({label}\))"
        edge = r"n\d+_\d+ --> n\d+_\d+"
        slots = r'n\d+_\d+ -\.-> n\d+_\d+s\(\["[^"`<>&{}]*(<br>[^"`<>&{}]*)*"\]\)'
        for line in lines:
            assert re.fullmatch(rf"  ({node}|{edge}|{slots})", line), line
        assert sum(bool(re.fullmatch(f"  {edge}", line)) for line in lines) == _edges(diagram)


def _edges(diagram: Diagram) -> int:
    stages = diagram.stages
    return sum(len(left) * len(right) for left, right in pairwise(stages))


# Where it runs


class ZMQInteractiveShell:
    """What IPython's `get_ipython` gives in a notebook; rich looks at the name of its class."""


@EACH_FORMAT
def test_a_format_is_the_same_text_wherever_it_is_written(
    output: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = DOCUMENTS["stack"]
    elsewhere = render(document, output)
    monkeypatch.setattr(builtins, "get_ipython", ZMQInteractiveShell, raising=False)
    variables = {"COLUMNS": "20", "JUPYTER_COLUMNS": "20", "FORCE_COLOR": "1", "TERM": "dumb"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    console = Console()
    assert (console.is_jupyter, console.width) == (True, 20)  # what it must not depend on
    assert render(document, output) == elsewhere


def test_a_report_is_the_same_text_in_a_notebook_and_shows_nothing_by_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = inspect(RNNConfig(kind=Kind.GRU), run=False)
    elsewhere = str(report)
    monkeypatch.setattr(builtins, "get_ipython", ZMQInteractiveShell, raising=False)
    assert "weight_ih_l0" in elsewhere
    assert str(report) == elsewhere
    assert capsys.readouterr() == ("", "")


# Start-up


@EACH_FORMAT
def test_a_format_is_imported_only_where_it_is_asked_for(output: Format) -> None:
    names = {output.value if output is not Format.TABLE else "terminal"}
    names |= {"terminal"} if output is Format.SVG else set()
    names |= {"drawing"} if output in {Format.SVG, Format.HTML} else set()
    program = (
        "import sys; from rnnshape.render import Format, render;"
        "from rnnshape.document.model import Document, Section, Paragraph;"
        "section = Section(key='states', blocks=(Paragraph(('text',)),));"
        "document = Document(sections=(section,), data=dict, verdicts=list);"
        f"render(document, Format({output.value!r}));"
        "print(*(m.removeprefix('rnnshape.render.') for m in sys.modules"
        " if m.startswith('rnnshape.render.')))"
    )
    result = spawn("-c", program, program=PYTHON)
    assert (result.code, result.err) == (0, "")
    shared = {"cells", "diagram"}
    assert set(result.out.split()) - shared == names


def test_a_name_is_one_line_in_every_format() -> None:
    assert cell_text(Code("two\nlines\x1b[2J\ud800")) == "two\\nlines\\x1b[2J\\ud800"
    assert printable("\u5c42 \u00e9") == "\u5c42 \u00e9"


def test_dashes_and_quotation_marks_of_a_caption_are_those_of_tex() -> None:
    words = (
        "lstm",
        "--no-run",
        "-f",
        "latex",
        "--caption",
        "\u00fc \u2013 \u201c\u00e9\u201d\u2026",
    )
    assert "\\caption{\u00fc -- ``\u00e9''\\ldots{}}" in call(*words).out
