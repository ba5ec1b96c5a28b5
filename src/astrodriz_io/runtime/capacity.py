"""What the machine still has: memory that this process may take, and room in a folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from astrodriz_io.runtime.system import soft_limit

__all__ = ["PROC", "available_memory", "free_space", "size_in_words"]

PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
"""Where Linux tells of memory and of its limits; other systems have neither."""

KIBIBYTE = 1024
UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "bytes"))
CGROUP_FILES = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
"""Limit, use, and what of it is a cache that can be dropped: versions 2 and 1 of control groups."""


def available_memory(proc: Path = PROC, cgroups: Path = CGROUPS) -> int | None:
    """Bytes that this process can still take, by the narrowest limit.

    Parameters
    ----------
    proc, cgroups : Path
        Where the system tells of them.

    Returns
    -------
    int or None
        The least of what the machine has, what the control groups of the process leave, and what RLIMIT_AS and
        RLIMIT_DATA leave; None where none of them can be found out.
    """
    known = [*_of_machine(proc), *_of_cgroups(proc, cgroups), *_of_process(proc)]
    return max(0, min(known)) if known else None


def free_space(folder: Path) -> int:
    """Bytes that the user can still write on the file system of a folder."""
    return shutil.disk_usage(folder).free


def size_in_words(size: float) -> str:
    """A size in bytes for a message, with three digits: ``24000 GB``, ``35.2 MB``."""
    unit, name = next((unit, name) for unit, name in UNITS if size >= unit or unit == UNITS[-1][0])
    return f"{float(f'{size / unit:.3g}'):.15g} {name}"


def _of_machine(proc: Path) -> Iterator[int]:
    words = [line.split() for line in _text(proc / "meminfo").splitlines()]
    sizes = {entry[0]: int(entry[1]) for entry in words if len(entry) > 1 and entry[1].isdigit()}
    if "MemAvailable:" in sizes:
        yield (sizes["MemAvailable:"] + sizes.get("SwapFree:", 0)) * KIBIBYTE


def _of_cgroups(proc: Path, cgroups: Path) -> Iterator[int]:
    for line in _text(proc / "self" / "cgroup").splitlines():
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if controllers in ("", "memory"):
            group = cgroups / controllers / path.lstrip("/")
            yield from (left for folder in _upwards(group, cgroups) for left in _left_in_group(folder))


def _upwards(group: Path, top: Path) -> Iterator[Path]:
    """A control group and those around it; each limits what is in it."""
    yield from (folder for folder in (group, *group.parents) if top in (folder, *folder.parents))


def _left_in_group(group: Path) -> Iterator[int]:
    for limit, use, cache in CGROUP_FILES:
        sizes = _text(group / limit).strip(), _text(group / use).strip()
        if all(size.isdigit() for size in sizes):
            statistics = dict(line.split(" ", 1) for line in _text(group / "memory.stat").splitlines() if " " in line)
            yield int(sizes[0]) - int(sizes[1]) + int(statistics.get(cache, 0))


def _of_process(proc: Path) -> Iterator[int]:
    pages = [int(word) for word in _text(proc / "self" / "statm").split()]
    if len(pages) > 5:
        for name, count in (("RLIMIT_AS", pages[0]), ("RLIMIT_DATA", pages[5])):
            limit = soft_limit(name)
            if limit is not None:
                yield limit - count * os.sysconf("SC_PAGE_SIZE")


def _text(path: Path) -> str:
    """The text of a file of the system; empty where there is none or it may not be read."""
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
