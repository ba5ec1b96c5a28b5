"""Defects planted into functions of astrodriz, one after the other, wherever a call of a reader passes."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

from attrs import frozen

PACKAGES = ("astrodriz_core", "astrodriz_io")


@frozen
class Spot:
    """A function, or a method, and every place that holds it under its name."""

    name: str
    holders: tuple[tuple[Any, str], ...]


def called_by(action: Callable[[], object]) -> tuple[Spot, ...]:
    """Functions and methods of astrodriz that run during an action, in the order of their names."""
    codes: set[CodeType] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_globals.get("__name__", "").startswith(PACKAGES):
            codes.add(frame.f_code)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    spots: dict[str, list[tuple[Any, str]]] = {}
    for holder, attribute, code, name in _functions():
        if code in codes:
            spots.setdefault(name, []).append((holder, attribute))
    return tuple(Spot(name, tuple(holders)) for name, holders in sorted(spots.items()))


@contextmanager
def planted(spot: Spot, defect: Exception) -> Iterator[None]:
    """Have a function raise a defect, for every caller."""

    def broken(*_: object, **__: object) -> object:
        raise defect

    before = [(holder, attribute, vars(holder)[attribute]) for holder, attribute in spot.holders]
    for holder, attribute, original in before:
        _put(holder, attribute, staticmethod(broken) if isinstance(original, staticmethod) else broken)
    try:
        yield
    finally:
        for holder, attribute, original in before:
            _put(holder, attribute, original)


def _put(holder: Any, attribute: str, value: object) -> None:
    # attrs refuses nothing here: it freezes instances, not classes.
    setattr(holder, attribute, value)


def _functions() -> Iterator[tuple[Any, str, CodeType, str]]:
    """Holder, attribute, code and full name of every function and method that a module of astrodriz has."""
    for module in [module for name, module in sorted(sys.modules.items()) if name.startswith(PACKAGES)]:
        for attribute, value in list(vars(module).items()):
            yield from _of_function(module, attribute, value)
            if isinstance(value, type) and value.__module__ == module.__name__:
                for name, method in list(vars(value).items()):
                    yield from _of_function(value, name, method)


def _of_function(holder: ModuleType | type, attribute: str, value: object) -> Iterator[tuple[Any, str, CodeType, str]]:
    inner = value.__func__ if isinstance(value, (staticmethod, classmethod)) else value
    inner = getattr(inner, "__wrapped__", inner)
    if isinstance(inner, FunctionType) and inner.__module__.startswith(PACKAGES) and not attribute.startswith("__"):
        yield holder, attribute, inner.__code__, f"{inner.__module__}.{inner.__qualname__}"
