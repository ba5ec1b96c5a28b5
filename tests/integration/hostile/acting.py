"""Doing what a user's command does, as deep as a case says."""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

from astrodriz import SilentProgress, process
from astrodriz_io.cli import astrodriz, runastrodriz
from hostile.oracle import CommandError, Enough

__all__ = ["NOWHERE", "command", "environment", "run_command", "run_until"]

NOWHERE = "http://127.0.0.1:9/"
"""A port of this machine at which nothing answers."""

STAGES = {"opened": "Distortion model", "prepared": "Default products"}
"""The stage before which a run of a depth ends: files opened and copied; distortion and parameters found."""


class _Until(SilentProgress):
    """Ends the run when a stage begins."""

    def __init__(self, title: str) -> None:
        self._title = title

    def stage(self, title: str) -> None:
        """End the run at the stage."""
        if title == self._title:
            raise Enough


@contextlib.contextmanager
def environment(**variables: str) -> Iterator[None]:
    """The environment with nothing that steers a run but some variables, and no service within reach."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    services = dict.fromkeys(("ASTROMETRIC_CATALOG_URL", "ASTROMETRY_SERVICE_URL", "GSSS_WEBSERVICES_URL"), NOWHERE)
    with patch.dict(os.environ, {**kept, **services, **variables}, clear=True), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def run_until(depth: str, entry: Path, variables: dict[str, str], **options: Any) -> None:
    """Process an input until it is as deep as `depth`."""
    with environment():
        process(entry, environment=variables, num_cores=1, progress=_Until(STAGES[depth]), **options)


def run_command(entry: Path, variables: dict[str, str], *options: str) -> None:
    """``runastrodriz`` on an input; `CommandError` where it fails."""
    with environment(**variables):
        _checked(runastrodriz, (str(entry), "-n", "1", *options))


def command(*words: str, good: Sequence[int] = (0,), variables: Mapping[str, str] | None = None) -> None:
    """``astrodriz`` with its words; `CommandError` where it fails."""
    with environment(**(variables or {})):
        _checked(astrodriz, words, good)


def _checked(program: Callable[[Sequence[str]], int], words: Sequence[str], good: Sequence[int] = (0,)) -> None:
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        code = program(words)
    if code not in good:
        raise CommandError(code, errors.getvalue())
