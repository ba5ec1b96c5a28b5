"""How the same is done with many images: one after the other, or wherever the caller has it done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

__all__ = ["Each"]

Each: TypeAlias = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""Called as `map` is; gives the results in the order of the items."""
