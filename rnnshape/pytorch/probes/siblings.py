"""The layers that a report compares one with: built on the meta device, and counted."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import lru_cache

from rnnshape.errors import RequestError
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.memory import require_runnable
from rnnshape.layer.projection import break_even_projection, largest_saving_projection
from rnnshape.layer.run import Mismatch, Outcome
from rnnshape.layer.settings import DType, Settings
from rnnshape.layer.siblings import siblings as siblings_of
from rnnshape.layer.subject import Subject
from rnnshape.pytorch.building import built_module, torch_class


def siblings(subject: Subject) -> Outcome | None:
    """Parameters and MACs of each sibling, and which projections save parameters.

    None where PyTorch builds this layer, but not a larger sibling.
    """
    rows = [each for each in siblings_of(subject) if each is not subject]
    try:
        for each in rows:
            require_runnable(each)
    except RequestError:
        return None
    config = subject.config
    projects = config.kind is Kind.LSTM and not config.cell
    wrong = [mismatch for each in rows for mismatch in _miscounted(each)]
    wrong += _wrong_thresholds(subject) if projects else ()
    return Outcome(value=None, mismatches=tuple(wrong))


def _miscounted(subject: Subject) -> Iterator[Mismatch]:
    matrices, parameters = _counted(subject)
    measured = {"parameters": parameters, "macs": subject.sizes.steps * matrices}
    for name, value in measured.items():
        predicted = getattr(subject, name)
        if predicted != value:
            what = f"{subject.config.constructor}: {name}"
            yield Mismatch(what=what, predicted=predicted, measured=value)


def _wrong_thresholds(subject: Subject) -> Iterator[Mismatch]:
    """The sizes at which a projection begins and ceases to save, held against layers around them.

    What a projection saves grows with each size less, so two neighbours prove a threshold.
    """
    config = subject.config
    sizes = (config.hidden_size, config.num_layers, config.directions)
    saving, even = largest_saving_projection(*sizes), break_even_projection(*sizes)
    plain = _counted(subject.changed(proj_size=0))[1]
    sized = {saving, saving + 1, even or 0, config.hidden_size - 1}
    for proj_size in sorted(size for size in sized if 0 < size < config.hidden_size):
        projected = subject.changed(proj_size=proj_size)
        yield from _miscounted(projected)
        counted = _counted(projected)[1]
        for word, predicted, measured in (
            ("saves", proj_size <= saving, counted < plain),
            ("equals", proj_size == even, counted == plain),
        ):
            if predicted is not measured:
                what = f"proj_size={proj_size} {word}"
                yield Mismatch(what=what, predicted=predicted, measured=measured)


def _counted(subject: Subject) -> tuple[int, int]:
    """The elements of all matrices, and of all parameters."""
    return _counted_once(subject.config, subject.settings.dtype, torch_class(subject.config))


@lru_cache(maxsize=1024)  # the layers of a model are often alike, and so are their siblings
def _counted_once(config: RNNConfig, dtype: DType, _built_of: Hashable) -> tuple[int, int]:
    parameters = [*built_module(config, Settings(device="meta", dtype=dtype)).parameters()]
    matrices = sum(each.numel() for each in parameters if each.dim() == 2)
    return matrices, sum(each.numel() for each in parameters)
