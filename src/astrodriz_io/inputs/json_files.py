"""Small JSON files of the user's, read as tables of names."""

from __future__ import annotations

import json
from pathlib import Path

from astrodriz_core.errors import AstrodrizError, InputError
from astrodriz_io.inputs.regular_files import read_regular

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
        Of the class given: the file is not there, no regular file, no JSON, or no object.
    """
    try:
        found = json.loads(read_regular(path, LARGEST))
    except (InputError, ValueError, RecursionError) as failure:
        problem = failure.problem if isinstance(failure, AstrodrizError) else f"cannot be read ({failure})."
        raise error(problem, where=path.name, remedy=remedy) from failure
    if not isinstance(found, dict):
        raise error("there is no JSON object in it.", where=path.name, remedy=remedy)
    return found
