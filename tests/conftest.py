"""Shared by all tests; its place makes ``strategies.py`` importable."""

from __future__ import annotations

from hypothesis import settings

# A loaded machine is no reason to fail.
settings.register_profile("astrodriz", deadline=None)
settings.load_profile("astrodriz")
