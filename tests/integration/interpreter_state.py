"""What a run may not change outside of its files: all that the interpreter and the process have only once."""

from __future__ import annotations

import gc
import locale
import logging
import os
import random
import signal
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import numpy as np
from astropy.utils import data, iers


def interpreter_state(*folders: Path) -> dict[str, object]:
    """Everything that is to be the same before and after; `folders` are those that nothing may be left in."""
    gc.collect()
    return {
        "warning filters": [*map(repr, warnings.filters)],
        "showwarning": warnings.showwarning,
        "loggers": _loggers(),
        "logging handlers": len(vars(logging)["_handlerList"]),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "open files": _open_files(),
        "folder": Path.cwd(),
        "environment": dict(os.environ),
        "signal handlers": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "streams and hooks": [id(thing) for thing in (sys.stdin, sys.stdout, sys.stderr, sys.excepthook)],
        "thread hook": threading.excepthook,
        "numpy errors": np.geterr(),
        "numpy printing": repr(np.get_printoptions()),
        "random numbers": (random.getstate(), repr(np.random.get_state())),  # noqa: NPY002 (the one that all share)
        "locale": locale.setlocale(locale.LC_ALL),
        "umask": _umask(),
        "matplotlib": repr(mpl.rcParams),
        "astropy": (iers.conf.auto_download, data.conf.remote_timeout),
        "left behind": {folder: sorted(path.name for path in folder.iterdir()) for folder in _all(folders)},
    }


@contextmanager
def leaving_no_trace(*folders: Path) -> Iterator[None]:
    """Fail where the block leaves the interpreter in another state than it found."""
    before = interpreter_state(*folders)
    yield
    after = interpreter_state(*folders)
    changed = [name for name in after if after[name] != before[name]]
    assert not changed, "\n".join(_difference(name, before[name], after[name]) for name in changed)


def _difference(name: str, before: object, after: object) -> str:
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
        before, after = {key: before.get(key) for key in keys}, {key: after.get(key) for key in keys}
    return f"{name}: {before}, then {after}"


def _all(folders: tuple[Path, ...]) -> tuple[Path, ...]:
    return (Path.cwd(), Path(tempfile.gettempdir()), *folders)


def _loggers() -> dict[str, tuple[object, ...]]:
    """All loggers that are not as they are made."""
    states = {name: _logger(name) for name in ("", *logging.root.manager.loggerDict)}
    return {name: state for name, state in states.items() if state != (logging.NOTSET, True, False, [], [])}


def _logger(name: str) -> tuple[object, ...]:
    logger = logging.getLogger(name)
    return logger.level, logger.propagate, logger.disabled, [*map(id, logger.handlers)], [*map(id, logger.filters)]


def _open_files() -> list[str]:
    """What the descriptors of this process lead to, but for the fonts, of which matplotlib keeps up to 64 open."""
    links = (link for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
    return sorted(path for path in map(os.readlink, links) if "mpl-data/fonts" not in path)


def _umask() -> int:
    mask = os.umask(0o22)
    os.umask(mask)
    return mask
