"""What keeps the program from being loaded at all, found before that is tried: it would end in a traceback, or hang.

Nothing that is imported here may need numpy.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from astrodriz_core.errors import ResourceError, UsageError
from astrodriz_io.runtime.system import soft_limit
from astrodriz_io.storage.disk import storage_errors

__all__ = ["check_start", "loading"]

LEAST: Mapping[str, tuple[int, str]] = {
    "RLIMIT_AS": (500_000_000, "ulimit -v"),
    "RLIMIT_DATA": (250_000_000, "ulimit -d"),
    "RLIMIT_NOFILE": (32, "ulimit -n"),
}
"""What loading takes at least, bytes and open files, and how a shell raises it.

With less, numpy's OpenBLAS ends the process or waits for ever.
"""

UNITS = {"RLIMIT_NOFILE": (1, "open files")}
MEGABYTES = (1_000_000, "MB of memory")

BACKEND = "MPLBACKEND"
"""matplotlib refuses to be imported where it does not know the name in it."""


def check_start(optimize: int = sys.flags.optimize) -> None:
    """Look at the interpreter and its limits.

    Parameters
    ----------
    optimize : int
        2 where Python drops docstrings.

    Raises
    ------
    UsageError
        Docstrings are dropped, which a dependency cannot do without.
    ResourceError
        The process may take too little memory, or open too few files, to be loaded.
    """
    if optimize > 1:
        raise UsageError(
            "Python was started without docstrings, and the package stsci.tools cannot be loaded so.",
            where="PYTHONOPTIMIZE or python -OO",
            remedy="Unset PYTHONOPTIMIZE, or set it to 1.",
        )
    for name, (least, command) in LEAST.items():
        limit = soft_limit(name)
        if limit is not None and limit < least:
            size, unit = UNITS.get(name, MEGABYTES)
            problem = f"The process may have {limit / size:.4g} {unit}; it needs {least / size:.4g} to begin with."
            raise ResourceError(problem, where=command, remedy=f"Raise that limit with {command}.")


@contextmanager
def loading() -> Iterator[None]:
    """Load the program without what only a program with windows needs, and say it where memory or files run out.

    Raises
    ------
    ResourceError, StorageError
        In place of what the imports raise then.
    """
    os.environ.pop(BACKEND, None)
    with storage_errors("loading the program"):
        try:
            yield
        except ImportError as error:
            if "failed to map segment" in str(error):
                raise MemoryError from error
            raise
