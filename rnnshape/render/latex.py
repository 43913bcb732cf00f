r"""LaTeX: a fragment for \input, with booktabs tables; names, formulas and shapes in \texttt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from unicodedata import normalize

from rnnshape.document.model import (
    Block,
    Cell,
    Code,
    Column,
    Diagram,
    Document,
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
    Symbol,
    Table,
    Verdict,
)
from rnnshape.errors import printable
from rnnshape.render.cells import cell_text
from rnnshape.render.diagram import diagram_lines

# Letters of \texttt that fit into a line of an article; each is half as wide as an em of the text.
_LINE: Final = 80
_NARROWEST_CALL: Final = 20
_GAP: Final = 2  # between columns: twice \tabcolsep

# Ragged, since names in \texttt are not hyphenated.
_BEGIN: Final = r"""
% A fragment: \usepackage[T1]{fontenc} and \usepackage{booktabs} in the preamble, LaTeX of 2020 on.
\begingroup
\footnotesize\raggedright\setlength{\parindent}{0pt}\setlength{\parskip}{\medskipamount}
\setlength{\tabcolsep}{4pt}
""".lstrip()
_END: Final = "\\par\\endgroup\n"

_ESCAPES: Final = {
    **{mark: f"\\{mark}" for mark in "_%&#${}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    '"': r"\symbol{34}",  # some languages of babel make it a command
    "\N{LATIN SMALL LETTER SHARP S}": r"\ss{}",
    "\N{LATIN SMALL LETTER O WITH STROKE}": r"\o{}",
    "\N{LATIN CAPITAL LETTER O WITH STROKE}": r"\O{}",
    "\N{LATIN SMALL LETTER AE}": r"\ae{}",
    "\N{LATIN CAPITAL LETTER AE}": r"\AE{}",
}
# The marks that Unicode has behind a letter, and the command of LaTeX that has it before.
_ACCENTS: Final = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0308": '"',
    "\u030a": "r",
    "\u030b": "H",
    "\u030c": "v",
    "\u0327": "c",
    "\u0328": "k",
}
# Two of these in a row are one letter to TeX.
_LIGATURES: Final = re.compile(r"([-,'])(?=\1)")
_VERDICTS: Final = {
    "ok": r"\textbf{ok:} ",
    "failed": r"\textbf{MISMATCH:} ",
    "unmet": r"\textbf{FAILED:} ",
    "open": "",
}


def render_latex(document: Document) -> str:
    """The blocks with a blank line between two, in a group, so that nothing after them changes."""
    return _BEGIN + "\n".join(map(_section, document.sections)) + _END


def _section(section: Section) -> str:
    """Its key as a comment, for who edits the text, and its blocks, each ended as a paragraph."""
    blocks = "\n".join(f"{_written(block)}\n" for block in section.blocks)
    return f"% {section.key}\n{blocks}"


def _written(block: Block) -> str:
    match block:
        case Table():
            return "\n".join(_table(block))
        case Legend(symbols):
            return _legend(symbols)
        case Paragraph(text):
            return _inline(text)
        case Listing(items):
            return "\n".join(_listing(items))
        case Picture(lines):
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
    place = "" if verdict.place is None else f"{_cell(Code(str(verdict.place)))}: "
    text = f"{place}{_cell(verdict.subject)}: {_VERDICTS[verdict.status]}{_inline(verdict.text)}"
    return f"{text}; {_inline(verdict.reason)}" if verdict.reason else text


def _table(table: Table) -> Iterator[str]:
    last = len(table.rows) - 1
    titles = _row([column.title for column in table.columns])
    rows = [
        _row(row, strong=table.total and number == last) for number, row in enumerate(table.rows)
    ]
    end = r"\\"
    sides = ["r" if column.numeric else "l" for column in table.columns]
    if (broken := _broken_calls(table)) is not None:
        number, letters = broken
        sides[number] = f"p{{{letters / 2:g}em}}"
        end = r"\tabularnewline"  # behind \raggedright the other ends a line of the cell
        for row in rows:
            row[number] = rf"\raggedright {row[number]}"
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    yield rf"\begin{{tabular}}{{@{{}}{''.join(sides)}@{{}}}}"
    yield r"\toprule"
    yield _line(titles, table.columns, widths, end)
    yield r"\midrule"
    for number, row in enumerate(rows):
        if table.total and number == last:
            yield r"\midrule"
        elif number in table.breaks:
            yield r"\addlinespace"
        yield _line(row, table.columns, widths, end)
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _broken_calls(table: Table) -> tuple[int, int] | None:
    """The number of the column of calls, and the letters there is room for, if not for all."""
    cells = [[column.title for column in table.columns], *table.rows]
    widths = [max(len(cell_text(cell)) for cell in column) for column in zip(*cells, strict=True)]
    excess = sum(widths) + _GAP * (len(widths) - 1) - _LINE
    for number, column in enumerate(table.columns):
        if column.calls and excess > 0:
            return number, max(widths[number] - excess, _NARROWEST_CALL)
    return None


def _row(cells: Sequence[Cell], *, strong: bool = False) -> list[str]:
    first, *rest = (_cell(cell, strong=strong) for cell in cells)
    return [_begun(first), *rest]


def _line(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int], end: str) -> str:
    """A row whose source is aligned too."""
    padded = (
        cell.rjust(width) if column.numeric else cell.ljust(width)
        for cell, column, width in zip(cells, columns, widths, strict=True)
    )
    return f"{' & '.join(padded)} {end}"


def _listing(items: Iterable[tuple[Code | Formula | str, Inline]]) -> Iterator[str]:
    yield r"\begin{itemize}"
    for name, text in items:
        yield rf"\item {_begun(_cell(name))}: {_inline(text)}"
    yield r"\end{itemize}"


def _begun(text: str) -> str:
    r"""The text behind \\ or \item, which would take a bracket or a star as theirs."""
    return f"{{}}{text}" if text.startswith(("[", "*")) else text


def _verbatim(lines: Iterable[str]) -> str:
    r"""The lines as they are, but for what would end them: TeX looks for exactly \end{verbatim}."""
    kept = (_ascii(line).replace(r"\end{verbatim}", r"\end {verbatim}") for line in lines)
    return "\n".join([r"\begin{verbatim}", *kept, r"\end{verbatim}"])


def _legend(symbols: Sequence[Symbol]) -> str:
    pieces = (
        rf"\texttt{{{_text('='.join(symbol.symbols))}}}={symbol.value} {_text(symbol.meaning)}"
        for symbol in symbols
    )
    return ", ".join(piece.strip() for piece in pieces) + "."


def _inline(text: Inline) -> str:
    return "".join(str(piece) if isinstance(piece, int) else _cell(piece) for piece in text)


def _cell(cell: Cell, *, strong: bool = False) -> str:
    text = _text(cell_text(cell))
    if not text:
        return ""
    written = rf"\texttt{{{text}}}" if isinstance(cell, (Code, Formula, Shape)) else text
    return rf"\textbf{{{written}}}" if strong else written


def _text(text: str) -> str:
    """The text escaped: in ASCII, whatever encodes the file, for engines differ beyond it."""
    single = re.sub(" +", " ", printable(text))
    return _LIGATURES.sub(r"\1{}", "".join(map(_letter, normalize("NFC", single))))


def _letter(letter: str) -> str:
    """A letter as TeX writes it, with its accent; what TeX's own fonts lack as Python does."""
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    base, *accents = list(normalize("NFD", letter))
    if len(accents) == 1 and base.isascii() and accents[0] in _ACCENTS:
        return rf"\{_ACCENTS[accents[0]]}{{{base}}}"
    return _ascii(letter).replace("\\", _ESCAPES["\\"])


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()
