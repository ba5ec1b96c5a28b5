"""What a run that fails leaves beside its inputs: a trailer, and a crash report where the program is at fault."""

from __future__ import annotations

import json
import logging
import traceback
from types import TracebackType

from cattrs.preconf.json import make_converter

from astrodriz_core.errors import AstrodrizError, StorageError
from astrodriz_core.records.run import StageRecord
from astrodriz_io.inputs.association import Association
from astrodriz_io.outputs.publishing import replace_text
from astrodriz_io.outputs.trailer import failure_trailer
from astrodriz_io.places import place
from astrodriz_io.run_record import software_versions
from astrodriz_io.runlog import RunLog

__all__ = ["FailureReport"]

logger = logging.getLogger(__name__)


class FailureReport:
    """Context of a run that tells of its failure in the user's folder, and lets the error go on.

    An `AstrodrizError` gives a trailer, ``<root>.tra``. Any other exception is a defect of the program and
    gives ``<root>_crash.txt`` as well: the traceback, the versions, the records of the stages so far and
    the log. A failure to write either is logged and hides nothing.

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
        self._stages: list[StageRecord] = []

    def add(self, stage: StageRecord) -> None:
        """Keep the record of a stage for the report."""
        self._stages.append(stage)

    def __enter__(self) -> FailureReport:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, AstrodrizError):
            self._tell(error)
        elif isinstance(error, Exception):
            name = f"{self._association.rootname}_crash.txt"
            error.add_note(f"Crash report: {name}")
            self._write(name, "\n".join(self._crash_lines(error)) + "\n")
            self._tell(AstrodrizError("Internal error.", remedy=f"Please report it, with the file {name}."))

    def _tell(self, error: AstrodrizError) -> None:
        root = self._association.rootname
        # Its text, because the error leads to everything that the run has in memory, and handlers keep what they get.
        logger.error("%s", str(error))
        self._write(f"{root}.tra", failure_trailer(root, error, self._log.lines))

    def _write(self, name: str, text: str) -> None:
        try:
            replace_text(place(self._association.folder, name), text, self._association.rootname)
        except StorageError as error:
            logger.error("The report of the failure could not be written. %s", str(error))

    def _crash_lines(self, error: Exception) -> tuple[str, ...]:
        records = make_converter().unstructure(self._stages)
        return (
            f"astrodriz: internal error while processing {self._association.input_name}",
            "The exposures are as they were.",
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
