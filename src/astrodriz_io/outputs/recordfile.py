"""The run record as JSON: written whole, read back equal, refused with its place where it does not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cattrs import ClassValidationError, transform_error
from cattrs.preconf.json import JsonConverter, make_converter

from astrodriz_core.errors import InputError
from astrodriz_core.records.run import SCHEMA_VERSION, RunRecord

__all__ = ["dump_quality", "dump_record", "load_record", "write_record"]

REMEDY = "Give the _decisions.json file that a run of astrodriz wrote, unchanged."


def _converter() -> JsonConverter:
    return make_converter(forbid_extra_keys=True, detailed_validation=True)


def dump_record(record: RunRecord) -> str:
    """The JSON text of a record; the same record gives the same text."""
    return json.dumps(_converter().unstructure(record), indent=1, ensure_ascii=False) + "\n"


def dump_quality(record: RunRecord) -> str:
    """The JSON text of every verification and product comparison of a run, by stage."""
    converter = _converter()
    tree = {
        stage.stage.value: {
            "verification": converter.unstructure(stage.verification),
            "comparison": converter.unstructure(stage.comparison),
        }
        for stage in record.stages
        if stage.verification is not None
    }
    return json.dumps(tree, indent=1, ensure_ascii=False) + "\n"


def write_record(record: RunRecord, path: Path) -> None:
    """Write the record's JSON text to a file."""
    path.write_text(dump_record(record), encoding="utf-8")


def load_record(path: Path) -> RunRecord:
    """Read a record back.

    Raises
    ------
    InputError
        The file is no JSON, is of another schema version, or has unknown fields or wrong types; the
        message names the places.
    """
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"This is not JSON: {error}.", where=path.name, remedy=REMEDY) from error
    _check_version(tree, path.name)
    try:
        return _converter().structure(tree, RunRecord)
    except ClassValidationError as error:
        places = "; ".join(transform_error(error, path="record"))
        raise InputError(f"The record does not fit its schema: {places}.", where=path.name, remedy=REMEDY) from error


def _check_version(tree: Any, name: str) -> None:
    version = tree.get("schema_version") if isinstance(tree, dict) else None
    if version != SCHEMA_VERSION:
        raise InputError(
            f"Its schema version is {version!r}, this program reads version {SCHEMA_VERSION}.",
            where=name,
            remedy=REMEDY,
        )
