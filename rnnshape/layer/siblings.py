"""The layers to compare one with: each kind, and an LSTM with and without a projection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rnnshape.layer.config import Kind
from rnnshape.layer.subject import Subject


def of_kind(subject: Subject, kind: Kind) -> Subject:
    """The layer of another kind at the same sizes, without a projection."""
    if subject.config.kind is kind and not subject.config.proj_size:
        return subject
    return subject.changed(kind=kind, proj_size=0, nonlinearity=None)


def siblings(subject: Subject) -> Iterator[Subject]:
    """LSTM, GRU and RNN at the same sizes, including the layer itself.

    An LSTM with a projection is listed without it as well; one without a projection is listed with
    a proj_size of half its hidden_size as well.
    """
    config = subject.config
    if config.proj_size:
        yield subject
    yield from (of_kind(subject, kind) for kind in Kind)
    can_project = config.kind is Kind.LSTM and not config.cell and config.hidden_size > 1
    if can_project and not config.proj_size:
        yield subject.changed(proj_size=config.hidden_size // 2)


def timed_beside(subject: Subject) -> tuple[Subject, ...]:
    """The layers to time: LSTM, GRU and RNN at the same sizes, and a layer with a projection."""
    plain = replace(subject, input_spec=replace(subject.input_spec, with_state=False))
    kinds = tuple(of_kind(plain, kind) for kind in Kind)
    return (*kinds, plain) if subject.config.proj_size else kinds
