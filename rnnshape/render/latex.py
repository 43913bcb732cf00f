r"""LaTeX: a fragment for \input, with booktabs tables; formulas in math, other code in \texttt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rnnshape.document.model import (
    Block,
    Caption,
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
    Steps,
    Symbol,
    Table,
    Verdict,
)
from rnnshape.errors import RequestError, printable, quoted
from rnnshape.render.cells import aligned, cell_text, pieces
from rnnshape.render.diagram import diagram_lines

# A column of text with longer cells may be broken into lines.
_SHORT: Final = 12
_LETTER: Final = 0.53  # the most em that a letter of \texttt is wide, whatever the font

# Ragged, since names in \texttt are not hyphenated; no wider space follows a full stop or a colon.
# The width of the text is known only to TeX: a table that is too wide there is measured with its
# columns of text at their narrowest, which then get what is left, and is scaled down as a last
# resort, as is a picture.
_BEGIN: Final = r"""
% A fragment: \usepackage[T1]{fontenc} and \usepackage{booktabs,graphicx} in the preamble;
% LaTeX of 2020 or later.
\par\begingroup
\footnotesize\raggedright\frenchspacing
\setlength{\parindent}{0pt}\setlength{\parskip}{\medskipamount}\setlength{\tabcolsep}{4pt}
\def\rnnshapefit#1{\sbox0{#1}%
  \ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\usebox0}\else\usebox0\fi}
\def\rnnshapetable#1#2#3#4{\sbox0{\begin{tabular}{@{}#1@{}}#4\end{tabular}}%
  \ifdim\wd0>\linewidth\def\rnnshapemore{0pt}\sbox0{\begin{tabular}{@{}#2@{}}#4\end{tabular}}%
  \edef\rnnshapemore{\the\dimexpr\ifdim\wd0<\linewidth(\linewidth-\wd0)/#3\else0pt\fi\relax}%
  \rnnshapefit{\begin{tabular}{@{}#2@{}}#4\end{tabular}}\else\usebox0\fi}
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
# What TeX makes of dashes and quotation marks that a word processor has.
_TYPESET: Final = str.maketrans(
    {
        "\u2013": "--",
        "\u2014": "---",
        "\u2018": "`",
        "\u2019": "'",
        "\u201c": "``",
        "\u201d": "''",
        "\u2026": r"\ldots{}",
    }
)
# Letters that T1 fonts lack; LaTeX reads all others in UTF-8.
_FOREIGN: Final = re.compile(
    "[^ -~\u2013\u2014\u2018\u2019\u201c\u201d\u2026"
    "\u00c0-\u0125\u0128-\u0137\u0139-\u013e\u0141-\u0148\u014a-\u0165\u0168-\u017e]"
)
_LABEL: Final = "[A-Za-z0-9:._-]+"
# A name so long that a line could not hold it.
_LONG: Final = re.compile(r"\S{30,}")
# TeX makes one letter of two of these in a row.
_LIGATURES: Final = re.compile(r"([-,'])(?=\1)")


def render_latex(document: Document) -> str:
    """The blocks, separated by blank lines, in a group that keeps its settings to itself.

    With a caption, the group is the content of a floating table.
    """
    text = _BEGIN + "\n".join(map(_section, document.sections)) + _END
    if document.caption is None:
        return text
    label = rf"\label{{{document.caption.label}}}" if document.caption.label else ""
    caption = rf"\caption{{{_text(document.caption.text)}}}{label}"
    return f"\\begin{{table}}[htbp]\n{text}{caption}\n\\end{{table}}\n"


def captioned(text: str | None, label: str | None, *, names: tuple[str, str]) -> Caption | None:
    """The caption with its label, if there is one; `names` are what the user calls the two.

    Raises RequestError for a label without a caption, or one that TeX would not take.
    """
    for name, given in zip(names, (text, label), strict=True):
        if given == "":
            raise RequestError(f"{name} is empty", hint=f"leave {name} out")
    if not label:
        return Caption(text=text) if text else None
    if not text:
        raise RequestError(
            f"{names[1]} is of no use without a caption, whose number it stands for",
            hint=f"add {names[0]}, or leave {names[1]} out",
        )
    if not re.fullmatch(_LABEL, label):
        raise RequestError(
            f"{names[1]} takes letters, digits and : . _ -, not {quoted(label)}",
            hint=f"{names[1]} {re.sub(f'(?!{_LABEL}).', '-', label, flags=re.DOTALL)}",
        )
    return Caption(text=text, label=label)


def _section(section: Section) -> str:
    """The key in a comment, then the blocks, each of them a paragraph."""
    blocks = "\n".join(f"{_written(block)}\n" for block in section.blocks)
    return f"% {section.key}\n{blocks}"


def _written(block: Block) -> str:
    match block:
        case Table():
            return "\n".join(_table(block))
        case Legend(symbols):
            return ", ".join(map(_symbol, symbols)) + "."
        case Paragraph(text):
            return _inline(text)
        case Listing(items):
            return "\n".join(_listing(items))
        case Steps():
            return "\n\n".join(_steps(block))
        case Picture(lines):
            return "\n".join(_picture(map(printable, lines)))
        case Equations(lines):
            return "\\\\\n".join(_formula(line, times=_POINTWISE) for line in lines)
        case Diagram():
            return "\n".join(_picture(diagram_lines(block)))
        case Heading(text, totals):
            return rf"\textbf{{{_cell(text)}}}" + (f" {_inline(totals)}" if totals else "")
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
    broken = [number for number, column in enumerate(table.columns) if _breaks(table, number)]
    sides = ["r" if column.numeric else "l" for column in table.columns]
    narrow = [_narrowed(table, n) if n in broken else side for n, side in enumerate(sides)]
    for row in rows:
        for number in broken:
            row[number] = rf"\raggedright {row[number]}" if row[number] else ""
    # After \raggedright, \\ would end a line within the cell.
    head, *body = (
        rf"{' & '.join(cells)} \tabularnewline" for cells in aligned(table.columns, [titles, *rows])
    )
    yield rf"\rnnshapetable{{{''.join(sides)}}}{{{''.join(narrow)}}}{{{max(1, len(broken))}}}{{%"
    yield from (r"\toprule", head, r"\midrule")
    for number, line in enumerate(body):
        if table.is_total(number):
            yield r"\midrule"
        elif number in table.breaks:
            yield r"\addlinespace"
        yield line
    yield r"\bottomrule}"


def _breaks(table: Table, number: int) -> bool:
    """Whether the cells of a column may be broken: long texts, which are not the rows' names."""
    column = table.columns[number]
    long = max(len(cell_text(row[number])) for row in table.rows) > _SHORT if table.rows else False
    return long and not column.numeric and (number > 0 or column.calls)


def _narrowed(table: Table, number: int) -> str:
    """A column as wide as its longest word."""
    cells = (table.columns[number].title, *(row[number] for row in table.rows))
    longest = max(len(word) for cell in cells for word in cell_text(cell).split())
    return rf"p{{\dimexpr {longest * _LETTER:.4g}em+\rnnshapemore\relax}}"


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


def _steps(steps: Steps) -> Iterator[str]:
    """A paragraph for each text, and its code below it."""
    for number, (text, code) in zip(steps.numbers, steps.items, strict=True):
        yield f"{number}{_inline(text)}"
        if code:
            yield "\n".join(_picture(map(printable, code)))


def _picture(lines: Iterable[str]) -> Iterator[str]:
    """The lines as they are, which a verbatim environment could not scale down."""
    yield r"\rnnshapefit{\begin{tabular}{@{}l@{}}"
    for line in lines:
        letters = "".join(map(_letters, re.split("( )", line)))
        yield rf"\texttt{{{letters}}} \tabularnewline" if letters else r"\tabularnewline"
    yield r"\end{tabular}}"


def _letters(word: str) -> str:
    return "~" if word == " " else _text(word)


def _symbol(symbol: Symbol) -> str:
    r"""`$H_{\mathrm{in}} = 20$ input`."""
    sides = "=".join([*symbol.symbols, str(symbol.value)])
    return rf"{_formula(sides, times=_PRODUCT)} {_text(symbol.meaning)}".rstrip()


_PRODUCT: Final = r"\cdot "
_POINTWISE: Final = r"\odot "
# A formula in ASCII, piece by piece: numbers, names with an index, functions and marks.
_PIECE: Final = re.compile(
    r"(?P<number>[0-9]{1,3}(,[0-9]{3})+(?![0-9])|[0-9]+)"
    r"|(?P<name>[A-Za-z])_(?P<index>[a-z]+)(?![\w(])|(?P<letter>[A-Za-z]'?)(?![\w(])"
    r"|(?P<word>[A-Za-z]\w+)"
    r"|(?P<comma>, +)|(?P<mark>[-+*/=(),])|(?P<blank> +)"
)
_FUNCTIONS: Final = {
    "sigmoid": r"\sigma",
    "tanh": r"\tanh",
    "max": r"\max",
    "sum": r"\textstyle\sum",
}


def _formula(text: str, *, times: str) -> str:
    r"""The formula in math, with `times` for `*`; in \texttt where it is not a formula.

    Two names in a row are such only where `*` is not a product of numbers.
    """
    pieces, place, after_name = [], 0, False
    while piece := _PIECE.match(text, place):
        place, kind = piece.end(), piece.lastgroup or ""
        is_name = kind in ("index", "letter", "word")
        if is_name and after_name and times == _PRODUCT:
            break
        pieces.append(_piece(piece, times))
        after_name = is_name or (after_name and kind == "blank")
    else:
        if place == len(text) and re.match(r"[\w(]", text):
            return f"${''.join(pieces).strip()}$"
    return rf"\texttt{{{_text(text)}}}"


def _piece(piece: re.Match[str], times: str) -> str:
    match piece.lastgroup:
        case "number":
            return piece[0].replace(",", "{,}")
        case "index":
            return rf"{piece['name']}_{{\mathrm{{{piece['index']}}}}}"
        case "word":
            return _FUNCTIONS.get(piece[0], rf"\mathrm{{{_text(piece[0])}}}")
        case "comma":
            return r",\allowbreak "
        case "mark":
            return piece[0].replace("*", times)
        case "blank":
            return " "
        case _:
            return piece[0]


def _inline(text: Inline) -> str:
    return "".join(map(_cell, pieces(text)))


def _cell(cell: Cell, *, strong: bool = False) -> str:
    text = _text(cell_text(cell))
    if not text:
        return ""
    match cell:
        case Formula(formula):
            written = _formula(formula, times=_PRODUCT)
        case Code() | Shape():
            written = rf"\texttt{{{_code(text)}}}"
        case _:
            written = text
    return rf"\textbf{{{written}}}" if strong else written


def _code(text: str) -> str:
    """Escaped code, with straight quotes, in which a long word may be broken."""
    return _LONG.sub(_breakable, text).replace("'", r"\textquotesingle{}")


def _breakable(word: re.Match[str]) -> str:
    """A long word of code, which may be broken behind its dots, underscores and slashes."""
    return re.sub(r"(\.|\\_|/)(?=.)", r"\1\\allowbreak{}", word[0])


def _text(text: str) -> str:
    single = _known(re.sub(" +", " ", printable(text)))
    return _LIGATURES.sub(r"\1{}", single.translate(_ESCAPES)).translate(_TYPESET)


def _known(text: str) -> str:
    """The text, with the letters that the fonts lack escaped as Python does."""
    return _FOREIGN.sub(lambda letter: ascii(letter[0])[1:-1], text)
