"""Shared by all tests; warnings are errors, and a loaded machine is no reason to fail."""

from __future__ import annotations

import gc

import pytest
from hypothesis import settings

from astrodriz_io.runtime.library_warnings import NOISE

# A loaded machine is no reason to fail.
settings.register_profile("astrodriz", deadline=None)
settings.load_profile("astrodriz")


def pytest_configure(config: pytest.Config) -> None:
    """Warnings are errors, but for those that a run ignores."""
    for message in NOISE:
        config.addinivalue_line("filterwarnings", f"ignore:{message}")


def pytest_collection_finish() -> None:
    """Keep the garbage collector from the modules and tests that are loaded: it looked through them all the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
