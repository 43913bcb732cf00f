"""The totals with their numbers substituted: `4*40*20 + 4*40*40 + ... = 9,920`."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.analysis.inspection import Inspection
from rnnshape.dims import substituted
from rnnshape.document.model import Block, Formula, Inline, Listing
from rnnshape.layer.weights import AlikeLayers, elements


def arithmetic(inspection: Inspection) -> Iterator[Block]:
    """The parameters and the MACs, summed over the layers that are alike."""
    blocks, steps = inspection.report.weights.blocks, inspection.report.sizes.steps
    parameters = [(b, b.copies, sum(map(elements, b.shapes.values()))) for b in blocks]
    multiply_adds = [
        (b, steps * b.copies if b.copies > 1 else steps, sum(map(elements, b.matrices)))
        for b in blocks
    ]
    yield Listing(tuple(_summed("parameters", parameters)))
    yield Listing(tuple(_summed("MACs", multiply_adds)))


def _summed(what: str, terms: list[tuple[AlikeLayers, int, int]]) -> Iterator[tuple[str, Inline]]:
    """A line for each term with its numbers substituted, and the sum where there are two."""
    products = [factor * each if factor != 1 else each for _, factor, each in terms]
    if len(terms) > 1:
        for (block, _, _), product in zip(terms, products, strict=True):
            yield _layers(block), (Formula(substituted(product)), f" = {product:,}")
        sums = " + ".join(f"{product:,}" for product in products)
    else:
        sums = substituted(products[0])
    yield what, (Formula(sums), f" = {sum(products):,}")


def _layers(block: AlikeLayers) -> str:
    last = block.first + int(block.layers) - 1
    return f"layer {last}" if block.first == last else f"layers {block.first}..{last}"
