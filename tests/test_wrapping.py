"""How prose is broken into lines."""

from __future__ import annotations

from rnnshape.document.model import Code, Note, Paragraph, Section, Shape
from rnnshape.render.terminal import render_sections


def test_an_expression_is_never_broken() -> None:
    text = ("dir 0 forward, 1 reverse: ", Code("h_n.view(8, 2, 5, 65536)[layer, dir]"))
    section = Section(key="states", blocks=(Paragraph(text),))
    assert render_sections([section], width=50) == (
        "states\ndir 0 forward, 1 reverse:\nh_n.view(8, 2, 5, 65536)[layer, dir]\n"
    )


def test_a_shape_is_never_broken() -> None:
    note = Note(("h_n becomes ", Shape((8, 5, 40)), " instead of ", Shape((8, 10, 40))))
    section = Section(key="findings", blocks=(note,))
    assert render_sections([section], width=26) == (
        "note: h_n becomes\n      (8, 5, 40) instead\n      of (8, 10, 40)\n"
    )


def test_colour_changes_no_line() -> None:
    text = ("in ", Shape((10, 5, 20)), ", then ", Code("nn.Linear(40, 10)"), " and so on")
    section = Section(key="states", blocks=(Paragraph(text),))
    coloured = render_sections([section], width=32, colour=True)
    assert "\N{NO-BREAK SPACE}" not in coloured
    assert "(10, 5, 20)" in coloured
