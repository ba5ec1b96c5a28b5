"""What a commit is about to do, written down first, so that whoever comes after a crash can end or undo it."""

from __future__ import annotations

import filecmp
import json
from enum import Enum
from pathlib import Path

from attrs import frozen
from cattrs import BaseValidationError
from cattrs.preconf.json import make_converter

from astrodriz_core.errors import InputError, StorageError
from astrodriz_core.names import file_name
from astrodriz_io.storage.digests import sha256_of
from astrodriz_io.storage.disk import Disk
from astrodriz_io.storage.places import place

__all__ = ["COMMIT_SUFFIX", "PARTS", "Entry", "FinalFile", "Transaction"]

_NOT_OURS = "Look at the folder by hand: its sub-folder old has the files as they were before. Remove it afterwards."

PARTS = ("new", "old", "draft.json")
"""What is in the folder of a commit beside its journal."""

COMMIT_SUFFIX = "_astrodriz_commit"
"""End of the name of a commit's folder, behind the rootname."""


class FinalFile(Enum):
    """What lies under a final name when a commit is looked at again."""

    OLD = "what was there before the commit"
    NEW = "what the commit brought"
    FOREIGN = "neither: somebody has changed it since"


@frozen
class Entry:
    """One file of a commit.

    Attributes
    ----------
    name : str
        Its final name, without folders.
    sha256 : str
        Hash of the new file.
    replaces : bool
        Whether there was a file of that name before.
    """

    name: str
    sha256: str
    replaces: bool


@frozen
class Transaction:
    """The hidden folder of one commit: ``new`` and ``old`` files, and the journal.

    A folder without a journal has changed nothing yet. ``commit.json`` says that the new files go to their
    places; ``abort.json``, which it is renamed to, that the old ones go back.

    Attributes
    ----------
    folder : Path
        ``.<root>_astrodriz_commit`` in the user's folder.
    disk : Disk
        The file system.
    """

    folder: Path
    disk: Disk

    @property
    def home(self) -> Path:
        """The user's folder, in which the hidden one lies."""
        return self.folder.parent

    @property
    def root(self) -> str:
        """Rootname of the input."""
        return self.folder.name.removeprefix(".").removesuffix(COMMIT_SUFFIX)

    @property
    def new(self) -> Path:
        """Folder of the files that are to come."""
        return self.folder / "new"

    @property
    def old(self) -> Path:
        """Folder of the files as they were."""
        return self.folder / "old"

    @property
    def journal(self) -> Path:
        """The journal of a commit that goes forward."""
        return self.folder / "commit.json"

    @property
    def abort(self) -> Path:
        """The journal of a commit that is undone."""
        return self.folder / "abort.json"

    @property
    def is_pending(self) -> bool:
        """Whether final names may have been touched."""
        return self.journal.exists() or self.abort.exists()

    def write(self, entries: tuple[Entry, ...]) -> None:
        """Put the journal on the medium: from here on the commit is ended, or undone, but not forgotten."""
        draft = self.folder / "draft.json"
        self.disk.write(draft, json.dumps(make_converter().unstructure(entries), indent=1).encode())
        self.disk.synchronise(draft)
        self.disk.move(draft, self.journal)
        self.disk.synchronise(self.folder)

    def discard(self) -> None:
        """Remove what is left of the commit once it needs no journal any more."""
        self.disk.discard(self.folder, PARTS)

    def entries(self) -> tuple[Entry, ...]:
        """Read the journal back.

        Raises
        ------
        StorageError
            It is damaged, or names a file outside of the folder.
        """
        path = self.abort if self.abort.exists() else self.journal
        try:
            entries = make_converter(forbid_extra_keys=True).loads(path.read_bytes(), tuple[Entry, ...])
        except (BaseValidationError, ValueError, TypeError, RecursionError) as error:
            raise self._damaged() from error
        try:
            for entry in entries:
                file_name(entry.name, path.name)
        except InputError as error:
            raise self._damaged() from error
        return entries

    def look(self, entry: Entry) -> FinalFile:
        """What lies under the final name of an entry now."""
        final = place(self.home, entry.name)
        if not final.exists():
            return FinalFile.FOREIGN if entry.replaces else FinalFile.OLD
        if final.is_file() and sha256_of(final) == entry.sha256:
            return FinalFile.NEW
        old = place(self.old, entry.name)
        same = entry.replaces and old.is_file() and final.is_file() and filecmp.cmp(old, final, shallow=False)
        return FinalFile.OLD if same else FinalFile.FOREIGN

    def is_staged(self, entry: Entry) -> bool:
        """Whether the new file of an entry is there, complete."""
        staged = place(self.new, entry.name)
        return staged.is_file() and not staged.is_symlink() and sha256_of(staged) == entry.sha256

    def _damaged(self) -> StorageError:
        return StorageError("The journal of an interrupted run is damaged.", where=self.folder.name, remedy=_NOT_OURS)
