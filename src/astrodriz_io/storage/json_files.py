"""Small JSON files of the user's, read as tables of names."""

from __future__ import annotations

import json
from pathlib import Path

from astrodriz_core.errors import AstrodrizError, InputError, StorageError
from astrodriz_io.storage.regular_files import read_regular

__all__ = ["read_json_object"]

LARGEST = 1 << 26
"""Bytes."""


def read_json_object(path: Path, error: type[AstrodrizError], remedy: str) -> dict[str, object]:
    """The object that a JSON file holds.

    Parameters
    ----------
    path : Path
        The file.
    error : type
        Class of the error.
    remedy : str
        What the file has to be, for the message.

    Raises
    ------
    AstrodrizError
        An error of the class given: the file is not there, no regular file, no JSON, or no object.
    """
    try:
        body = read_regular(path, LARGEST)
    except (InputError, StorageError) as failure:
        raise error(failure.problem, where=path.name, remedy=remedy) from failure
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as failure:
        raise error(f"cannot be read ({failure}).", where=path.name, remedy=remedy) from failure
    if not isinstance(found, dict):
        raise error("there is no JSON object in it.", where=path.name, remedy=remedy)
    return found
