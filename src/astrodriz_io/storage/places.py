"""Where a named file lies in a folder; the only place in which a path is made of a name that is not a constant."""

from __future__ import annotations

from pathlib import Path

from astrodriz_core.names import file_name

__all__ = ["beside", "hidden_place", "place"]


def place(folder: Path, name: str) -> Path:
    """``folder/name``, which lies in the folder and nowhere else.

    Raises
    ------
    InputError
        The name cannot be that of a file; see `astrodriz_core.names.file_name`.
    """
    return folder / file_name(name, folder.name)


def beside(path: Path, name: str) -> Path:
    """A file in the folder of another one; see `place`."""
    return place(path.parent, name)


def hidden_place(folder: Path, name: str) -> Path:
    """``folder/.name``: a file or folder of our own, beside the user's; see `place`."""
    return folder / f".{file_name(name, folder.name)}"
