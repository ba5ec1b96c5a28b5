"""How a run ends, told in its trailer; and a crash report where the program is at fault."""

from __future__ import annotations

import json
import logging
import os
import socket
import traceback
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from types import TracebackType

from cattrs.preconf.json import make_converter

from astrodriz_core.errors import AstrodrizError, StorageError
from astrodriz_core.records.run import FileDigest, RunRecord, StageOutcome, StageRecord
from astrodriz_io.inputs.association import Association
from astrodriz_io.record_files.trailer import closing, failure_closing, opening, trailer
from astrodriz_io.run.record import software_versions
from astrodriz_io.runtime.log import RunLog
from astrodriz_io.storage.digests import sha256_of
from astrodriz_io.storage.disk import Disk, storage_errors
from astrodriz_io.storage.journal import Transaction
from astrodriz_io.storage.places import place
from astrodriz_io.storage.publishing import commit_folder, replace_text
from astrodriz_io.storage.trailer_file import TrailerFile
from astrodriz_io.terminal.aftermath import CRASH_REPORT, Aftermath, cause_of

__all__ = ["RunEnding"]

logger = logging.getLogger(__name__)


class RunEnding:
    """Context of a run that keeps its trailer, tells there how it ends, and lets an error go on.

    The trailer is there when the block begins, and grows with the log. An exception that is neither an
    `AstrodrizError` nor an interruption is a defect of the program and leaves ``<root>_crash.txt`` as well: the
    traceback, the versions, the records of the stages so far and the log. What cannot be written at the end is
    logged and hides nothing. Every error gets the `Aftermath` as a note.

    Parameters
    ----------
    association : Association
        Of the run, whose lock is held.
    log : RunLog
        Messages of the run.
    """

    def __init__(self, association: Association, log: RunLog) -> None:
        self._association = association
        self._log = log
        self._trailer: TrailerFile
        self._stages: list[StageRecord] = []
        self._record: RunRecord | None = None
        self._digest: FileDigest | None = None

    def add(self, stage: StageRecord) -> None:
        """Keep the record of a stage for the report of a crash, and tell what is not in the log yet."""
        self._stages.append(stage)
        if stage.outcome in (StageOutcome.DONE, StageOutcome.KEPT):
            logger.info("%s: %s: %s", stage.stage.value, stage.outcome.value, stage.reason)

    def tell(self, record: RunRecord, digest: FileDigest) -> None:
        """Add what the run has measured and decided to the trailer, before its results are published.

        Parameters
        ----------
        record : RunRecord
            Of the run, complete.
        digest : FileDigest
            Of its file: where that lies in the user's folder, the results are published.

        Raises
        ------
        StorageError
            The trailer cannot be written.
        """
        self._record, self._digest = record, digest
        self._trailer.write(trailer(record))

    def __enter__(self) -> RunEnding:
        who = f"process {os.getpid()} on {socket.gethostname()!r}"
        with ExitStack() as opened:
            self._trailer = TrailerFile(self._association.folder, self._association.rootname)
            opened.callback(self._trailer.close)
            self._trailer.write(opening(self._association.input_name, version("astrodriz"), _now(), who))
            self._log.follow(self._trailer.follow)
            opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with storage_errors(self._association.rootname):
                self._trailer.write(self._last_words(error))
        except StorageError as failure:
            logger.error("The trailer could not be ended. %s", str(failure))
        finally:
            self._log.leave()
            self._trailer.close()

    def _last_words(self, error: BaseException | None) -> str:
        if error is None:
            return closing(self._record, _now()) if self._record is not None else ""
        aftermath = self._aftermath()
        error.add_note(aftermath.value)
        return failure_closing(self._problem(error, aftermath), aftermath.value, _now())

    def _problem(self, error: BaseException, aftermath: Aftermath) -> str:
        if isinstance(error, AstrodrizError):
            # Its text, because the error leads to everything that the run has in memory, and handlers keep what they
            # get.
            logger.error("%s", str(error))
            return f"FAILED: {error}"
        if not isinstance(error, Exception):
            return f"INTERRUPTED: {f'{type(error).__name__} {error}'.strip()}."
        name = f"{self._association.rootname}_crash.txt"
        error.add_note(f"{CRASH_REPORT} {name}")
        self._write_crash_report(name, error, aftermath)
        remedy = f"Please report it, with the file {name}."
        return f"FAILED: {AstrodrizError(f'Internal error: {cause_of(error)}.', remedy=remedy)}"

    def _aftermath(self) -> Aftermath:
        """Looked up in the folder, because an interruption may come between any two steps."""
        home, root = self._association.folder, self._association.rootname
        if Transaction(commit_folder(home, root), Disk()).is_pending:
            return Aftermath.HALF_WAY
        if self._digest is None:
            return Aftermath.UNTOUCHED
        final = place(home, self._digest.name)
        published = final.is_file() and sha256_of(final) == self._digest.sha256
        return Aftermath.COMPLETE if published else Aftermath.UNTOUCHED

    def _write_crash_report(self, name: str, error: Exception, aftermath: Aftermath) -> None:
        text = "".join(f"{line}\n" for line in self._crash_lines(error, aftermath))
        try:
            replace_text(place(self._association.folder, name), text, self._association.rootname)
        except StorageError as failure:
            logger.error("The report of the failure could not be written. %s", str(failure))

    def _crash_lines(self, error: Exception, aftermath: Aftermath) -> tuple[str, ...]:
        records = make_converter().unstructure(self._stages)
        return (
            f"astrodriz: internal error while processing {self._association.input_name}",
            aftermath.value,
            "",
            *(line.rstrip("\n") for line in traceback.format_exception(error)),
            "",
            *(f"{package.name} {package.version}" for package in software_versions()),
            "",
            "Log",
            *self._log.lines,
            "",
            "Record so far",
            json.dumps(records, indent=1, ensure_ascii=False),
        )


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
