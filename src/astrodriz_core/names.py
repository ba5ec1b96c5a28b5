"""The one gate for names that become parts of paths; and the name of a chip, which is made of one.

A rootname of a header, a member of a table, a file of a record: each is data of somebody else's, and is trusted
with nothing. What passes names a file in the folder where it is looked for, and no file of our own.
"""

from __future__ import annotations

import re
from typing import NewType

from attrs import frozen

from astrodriz_core.errors import InputError

__all__ = ["RESERVED", "ChipKey", "Rootname", "file_name", "file_stem", "rootname"]

Rootname = NewType("Rootname", str)
"""The root of file names; made by `file_stem` and `rootname` alone."""

RESERVED = frozenset(
    {"commit", "scratch", "untouched", "con", "prn", "aux", "nul"}
    | {f"{device}{number}" for device in ("com", "lpt") for number in range(1, 10)}
)
"""Names of our own locks and folders, and the devices of Windows, in lower case."""

MAX_ROOTNAME, MAX_FILE_NAME = 64, 200
"""Characters; names of 255 bytes are the longest of most file systems, and ours are made of a root and more."""

_ROOTNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_NOT_IN_FILE_NAMES = frozenset('/\\:*?"<>|~$')
_SHOWN = 40
"""Characters of a refused name that a message quotes."""


@frozen
class ChipKey:
    """One chip of one exposure; as text ``<rootname>_<extver>``.

    Attributes
    ----------
    rootname : str
        Of the exposure.
    extver : int
        EXTVER of the chip's extensions.

    Examples
    --------
    >>> str(ChipKey("iabc01aaq", 1))
    'iabc01aaq_1'
    """

    rootname: str
    extver: int

    def __str__(self) -> str:
        return f"{self.rootname}_{self.extver}"


def rootname(text: str, where: str) -> Rootname:
    """Lower-case root of an exposure's or a product's files; see `file_stem`."""
    return Rootname(file_stem(text, where).lower())


def file_stem(text: str, where: str) -> Rootname:
    """Let through what may be the root of file names.

    Parameters
    ----------
    text : str
        As a header, a table or a file name has it, without blanks around it.
    where : str
        File, extension and keyword or row, for the message.

    Returns
    -------
    Rootname
        The text, unchanged.

    Raises
    ------
    InputError
        It is empty, has more than 64 characters or any but ASCII letters, digits, ``_`` and ``-``, does not
        begin with a letter or digit, or is a name that is reserved.

    Examples
    --------
    >>> file_stem("iabc01aaq", "iabc01aaq_flt.fits: ROOTNAME")
    'iabc01aaq'
    """
    if len(text) > MAX_ROOTNAME or _ROOTNAME.fullmatch(text) is None:
        remedy = "Only ASCII letters, digits, '_' and '-' may stand in it, 64 of them at most."
        raise InputError(f"{_quoted(text)} is not the root of a plain file name.", where=where, remedy=remedy)
    if text.lower() in RESERVED:
        remedy = "Give the file another name."
        problem = f"{text!r} is a name that astrodriz or the system keeps for itself."
        raise InputError(problem, where=where, remedy=remedy)
    return Rootname(text)


def file_name(text: str, where: str) -> str:
    r"""Let through what may be the name of a file in a given folder.

    Wider than `file_stem`, since users call their own files what they like.

    Raises
    ------
    InputError
        It is empty, has more than 200 characters, a character that cannot be printed or one of
        ``/ \ : * ? " < > | ~ $``, or begins with a dot or a blank.
    """
    refused = not text.isprintable() or not _NOT_IN_FILE_NAMES.isdisjoint(text)
    if refused or not text or text[0] in ". " or len(text) > MAX_FILE_NAME:
        remedy = "Give a name without folders."
        raise InputError(f"{_quoted(text)} is no plain file name.", where=where, remedy=remedy)
    return text


def _quoted(text: str) -> str:
    return ascii(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
