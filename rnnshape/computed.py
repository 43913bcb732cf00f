"""Properties that are computed once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING or sys.version_info >= (3, 12):
    from functools import cached_property
else:
    _Made = TypeVar("_Made")

    class cached_property(Generic[_Made]):  # noqa: N801 - as Python names its own
        """Python's own, without the lock that it has before 3.12.

        All threads share that lock, and a child that is forked while one of them holds it waits for
        ever. Without it two threads may both compute a value, which is the same.
        """

        def __init__(self, function: Callable[[Any], _Made]) -> None:
            self._function = function
            self.__doc__ = function.__doc__

        def __set_name__(self, _owner: type, name: str) -> None:
            self._name = name

        @overload
        def __get__(self, instance: None, owner: type) -> cached_property[_Made]: ...

        @overload
        def __get__(self, instance: object, owner: type | None = None) -> _Made: ...

        def __get__(self, instance: Any, owner: type | None = None) -> Any:
            if instance is None:
                return self
            made = vars(instance)[self._name] = self._function(instance)
            return made


__all__ = ["cached_property"]
