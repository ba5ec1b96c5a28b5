"""The result of a run as the commands give it to programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from astrodriz_core.decide.selection import misalignment_mas, standing_verification
from astrodriz_core.records.run import RunRecord
from astrodriz_core.tell.kinds import fit_in_use, kind_of_wcs
from astrodriz_core.tell.verdict import why

__all__ = ["record_result", "run_result"]


def run_result(record: RunRecord) -> Mapping[str, Any]:
    """What a program wants to know of a run, in short; None where there is no such thing."""
    verification, selection = standing_verification(record), record.selection
    offset, error = misalignment_mas(verification) if verification is not None else (None, None)
    return {
        "root": record.root,
        "outcome": record.outcome.value,
        "wcs": None if selection is None else _wcs(record, selection.wcsname, selection.chosen.value),
        "alignment": None if verification is None else verification.verdict.value,
        "misalignment_mas": offset,
        "misalignment_error_mas": error,
        "stages": {stage.stage.value: stage.outcome.value for stage in record.stages},
        "left_out": {each.rootname: each.detail for each in record.left_out},
        "products": [product.filename for product in record.products],
        "files": list(record.files),
        "warnings": list(record.warnings),
    }


def _wcs(record: RunRecord, name: str, origin: str) -> Mapping[str, Any]:
    attempt = fit_in_use(record)
    fit = attempt.fit if attempt is not None else None
    return {
        "name": name,
        "origin": origin,
        "kind": kind_of_wcs(record),
        "why": why(record),
        "matches": fit.matches if fit is not None else None,
        "rms_mas": fit.rms_mas if fit is not None else None,
    }


def record_result(record: RunRecord) -> Mapping[str, Any]:
    """The same, with the whole record."""
    # Loaded with what a run needs, not for its help.
    from astrodriz_io.record_files.record import dump_record

    return {**run_result(record), "record": json.loads(dump_record(record))}
