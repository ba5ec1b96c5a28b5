"""Runs of the command line on copies of an association, with little disk, memory, file size or open files."""

from __future__ import annotations

import hashlib
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen
from whole_runs import NOWHERE

from astrodriz import SimulatedAssociation

LONGEST = 300.0
"""Seconds after which a run hangs."""

COMMAND = (sys.executable, "-c", "import sys; from astrodriz_io.main import runastrodriz; sys.exit(runastrodriz())")

TYPED = frozenset({2, 5, 6, 7, 8, 9, 10})
"""Exit codes of failures that a user can do something about."""


@frozen
class Ended:
    """How a run ended: its exit code, and what it said last."""

    code: int
    said: str

    @property
    def is_told(self) -> bool:
        """Whether it did its work, or said in one line what it lacks."""
        return "Traceback" not in self.said and (self.code == 0 or self.code in TYPED)


def run_with(
    association: SimulatedAssociation, home: Path, *options: str, limits: Mapping[int, int] | None = None
) -> Ended:
    """Run on the copy of an association that lies in `home`, with limits of the process."""

    def narrow() -> None:
        for kind, size in (limits or {}).items():
            resource.setrlimit(kind, (size, size))

    services = ("ASTROMETRIC_CATALOG_URL", "ASTROMETRY_SERVICE_URL", "GSSS_WEBSERVICES_URL")
    environment = {
        "PATH": "/usr/bin:/bin",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": ":".join(sys.path),
        **{name: str(path) for name, path in association.environment.items()},
        **dict.fromkeys(services, NOWHERE),
    }
    sources = ("--catalog", str(association.catalogue), "--headerlets", str(association.headerlets))
    ended = subprocess.run(
        [*COMMAND, str(home / association.input.name), *sources, "-n", "2", *options],
        env=environment, preexec_fn=narrow, timeout=LONGEST, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return Ended(ended.returncode, ended.stderr)


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A file system of its own of so many bytes, for who may mount one."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def enlarge(folder: Path, size: int) -> None:
    """Give a small disk more room."""
    subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)


def copy_inputs(association: SimulatedAssociation, home: Path) -> Path:
    """What a run needs, in a folder that is there or not."""
    home.mkdir(exist_ok=True)
    for pattern in ("*_asn.fits", "*_flt.fits", "*_flc.fits", "*_raw.fits"):
        for file in association.folder.glob(pattern):
            shutil.copy(file, home)
    return home


def digests(folder: Path, pattern: str = "*.fits") -> dict[str, str]:
    """SHA-256 of the files of a folder by name."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.glob(pattern))}
