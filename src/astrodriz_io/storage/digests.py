"""SHA-256 of files, and whether a file is the one of which a record speaks."""

from __future__ import annotations

import hashlib
from pathlib import Path

from astrodriz_core.errors import DifferentInputError
from astrodriz_core.records.run import FileDigest

__all__ = ["check_digest", "sha256_of"]


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_digest(path: Path, digest: FileDigest) -> None:
    """Refuse a file that is not the one that a record names.

    Raises
    ------
    DifferentInputError
        Its SHA-256 is another one.
    """
    found = sha256_of(path)
    if found != digest.sha256:
        raise DifferentInputError(
            f"This is not the file that the run had: its SHA-256 is {found}, the record says {digest.sha256}.",
            expected=digest.sha256,
            found=found,
            where=path.name,
            remedy="A run changes its exposures in place: give the folder of the untouched ones.",
        )
