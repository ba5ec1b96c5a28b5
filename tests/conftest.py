"""Shared by all tests; warnings are errors, and a loaded machine is no reason to fail."""

from __future__ import annotations

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
