"""What some systems have and others, such as Windows, have not: missed where it is used, not where it is imported."""

from __future__ import annotations

import os
from importlib import import_module
from types import ModuleType

__all__ = ["open_flags", "optional_module", "soft_limit"]


def optional_module(name: str) -> ModuleType | None:
    """A module of the standard library; None where this system does not have it."""
    try:
        return import_module(name)
    except ImportError:
        return None


_RESOURCE = optional_module("resource")


def soft_limit(name: str) -> int | None:
    """A limit of this process.

    Parameters
    ----------
    name : str
        Such as ``RLIMIT_AS``.

    Returns
    -------
    int or None
        In its own unit; None where there is no such limit.
    """
    if _RESOURCE is None or not hasattr(_RESOURCE, name):
        return None
    limit: int = _RESOURCE.getrlimit(getattr(_RESOURCE, name))[0]
    return None if limit == _RESOURCE.RLIM_INFINITY else limit


def open_flags(*names: str) -> int:
    """Flags of `os.open` together, such as ``O_NOFOLLOW``; those that this system does not have are left out."""
    flags = 0
    for name in names:
        flags |= getattr(os, name, 0)
    return flags
