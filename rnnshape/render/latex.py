r"""LaTeX: a fragment for \input, with booktabs tables; names, formulas and shapes in \texttt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rnnshape.document.model import (
    Block,
    Cell,
    Code,
    Diagram,
    Document,
    Equations,
    Formula,
    Heading,
    Inline,
    Legend,
    Listing,
    Note,
    Paragraph,
    Picture,
    Section,
    Shape,
    Table,
    Verdict,
)
from rnnshape.errors import printable
from rnnshape.render.cells import aligned, cell_text, pieces, symbol_texts
from rnnshape.render.diagram import diagram_lines

# Widths in letters of \texttt, which are half an em wide.
_LINE: Final = 80  # in an article
_NARROWEST_CALL: Final = 20
_GAP: Final = 2  # between columns: twice \tabcolsep

# Ragged, since names in \texttt are not hyphenated.
_BEGIN: Final = r"""
% A fragment: \usepackage[T1]{fontenc} and \usepackage{booktabs} in the preamble; LaTeX >= 2020.
\begingroup
\footnotesize\raggedright\setlength{\parindent}{0pt}\setlength{\parskip}{\medskipamount}
\setlength{\tabcolsep}{4pt}
""".lstrip()
_END: Final = "\\par\\endgroup\n"

_ESCAPES: Final = str.maketrans(
    {
        **{mark: f"\\{mark}" for mark in "_%&#${}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "`": r"\textasciigrave{}",
        '"': r"\symbol{34}",  # some languages of babel make it a command
    }
)
# Letters that T1 fonts lack; LaTeX reads all others in UTF-8.
_FOREIGN: Final = re.compile(
    "[^ -~\u00c0-\u0125\u0128-\u0137\u0139-\u013e\u0141-\u0148\u014a-\u0165\u0168-\u017e]"
)
# TeX makes one letter of two of these in a row.
_LIGATURES: Final = re.compile(r"([-,'])(?=\1)")


def render_latex(document: Document) -> str:
    """The blocks, separated by blank lines, in a group that keeps its settings to itself."""
    return _BEGIN + "\n".join(map(_section, document.sections)) + _END


def _section(section: Section) -> str:
    """The key in a comment, then the blocks, each of them a paragraph."""
    blocks = "\n".join(f"{_written(block)}\n" for block in section.blocks)
    return f"% {section.key}\n{blocks}"


def _written(block: Block) -> str:
    match block:
        case Table():
            return "\n".join(_table(block))
        case Legend(symbols):
            return ", ".join(map(_inline, symbol_texts(symbols, starred=False))) + "."
        case Paragraph(text):
            return _inline(text)
        case Listing(items):
            return "\n".join(_listing(items))
        case Picture(lines) | Equations(lines):
            return _verbatim(map(printable, lines))
        case Diagram():
            return _verbatim(diagram_lines(block))
        case Heading(text):
            return rf"\textbf{{{_cell(text)}}}"
        case Note(text):
            return rf"\textbf{{Note:}} {_inline(text)}"
        case Verdict():
            return _verdict(block)


def _verdict(verdict: Verdict) -> str:
    word = rf"\textbf{{{verdict.word.strip()}}} " if verdict.word else ""
    text = f"{_inline(verdict.about)}: {word}{_inline(verdict.text)}"
    return f"{text}; {_inline(verdict.reason)}" if verdict.reason else text


def _table(table: Table) -> Iterator[str]:
    titles = _row([column.title for column in table.columns])
    rows = [_row(row, strong=table.is_total(number)) for number, row in enumerate(table.rows)]
    end = r"\\"
    sides = ["r" if column.numeric else "l" for column in table.columns]
    if (broken := _broken_calls(table)) is not None:
        number, letters = broken
        sides[number] = f"p{{{letters / 2:g}em}}"
        end = r"\tabularnewline"  # after \raggedright, \\ would end a line within the cell
        for row in rows:
            row[number] = rf"\raggedright {row[number]}"
    head, *body = (
        f"{' & '.join(cells)} {end}" for cells in aligned(table.columns, [titles, *rows])
    )
    yield rf"\begin{{tabular}}{{@{{}}{''.join(sides)}@{{}}}}"
    yield from (r"\toprule", head, r"\midrule")
    for number, line in enumerate(body):
        if table.is_total(number):
            yield r"\midrule"
        elif number in table.breaks:
            yield r"\addlinespace"
        yield line
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _broken_calls(table: Table) -> tuple[int, int] | None:
    """The number of a column of calls that is too wide, and how many letters it has room for."""
    cells = [[column.title for column in table.columns], *table.rows]
    widths = [max(len(cell_text(cell)) for cell in column) for column in zip(*cells, strict=True)]
    excess = sum(widths) + _GAP * (len(widths) - 1) - _LINE
    number = next((n for n, column in enumerate(table.columns) if column.calls), None)
    if number is None or excess <= 0:
        return None
    return number, max(widths[number] - excess, _NARROWEST_CALL)


def _row(cells: Sequence[Cell], *, strong: bool = False) -> list[str]:
    first, *rest = (_cell(cell, strong=strong) for cell in cells)
    return [_begun(first), *rest]


def _listing(items: Iterable[tuple[Code | str, Inline]]) -> Iterator[str]:
    yield r"\begin{itemize}"
    for name, text in items:
        yield rf"\item {_begun(_cell(name))}: {_inline(text)}"
    yield r"\end{itemize}"


def _begun(text: str) -> str:
    r"""The text to put after \\ or \item, which take a bracket or a star for an argument."""
    return f"{{}}{text}" if text.startswith(("[", "*")) else text


def _verbatim(lines: Iterable[str]) -> str:
    r"""The lines as they are, except that an \end{verbatim} in them gets a blank to disarm it."""
    kept = (_known(line).replace(r"\end{verbatim}", r"\end {verbatim}") for line in lines)
    return "\n".join([r"\begin{verbatim}", *kept, r"\end{verbatim}"])


def _inline(text: Inline) -> str:
    return "".join(map(_cell, pieces(text)))


def _cell(cell: Cell, *, strong: bool = False) -> str:
    text = _text(cell_text(cell))
    if not text:
        return ""
    written = rf"\texttt{{{text}}}" if isinstance(cell, (Code, Formula, Shape)) else text
    return rf"\textbf{{{written}}}" if strong else written


def _text(text: str) -> str:
    single = _known(re.sub(" +", " ", printable(text)))
    return _LIGATURES.sub(r"\1{}", single.translate(_ESCAPES))


def _known(text: str) -> str:
    """The text, with the letters that the fonts lack escaped as Python does."""
    return _FOREIGN.sub(lambda letter: ascii(letter[0])[1:-1], text)
