"""The run record as JSON: written whole, read back equal, refused with its place where it does not fit."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from cattrs import ClassValidationError, transform_error
from cattrs.preconf.json import JsonConverter, make_converter

from astrodriz_core.decide.invariants import check_record
from astrodriz_core.errors import InputError, RecordError
from astrodriz_core.records.run import SCHEMA_VERSION, RunRecord
from astrodriz_io.record_files.migration import OLDEST_VERSION, migrate
from astrodriz_io.record_files.mistakes import mistakes, shown
from astrodriz_io.record_files.schema import record_schema
from astrodriz_io.storage.disk import as_bytes
from astrodriz_io.storage.regular_files import read_regular

__all__ = ["dump_quality", "dump_record", "parse_record", "read_record", "write_record"]

NO_FIT = "The record does not fit its schema"

REMEDY = "Give the _decisions.json file that a run of astrodriz wrote, unchanged."

LARGEST_RECORD = 1 << 28
"""Bytes; the record of a hundred exposures has some megabytes."""

SHOWN = 10
"""Mistakes that a message lists; the error has all of them."""


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
            "companions": converter.unstructure(stage.companions_verification),
        }
        for stage in record.stages
        if stage.verification is not None
    }
    return json.dumps(tree, indent=1, ensure_ascii=False) + "\n"


def write_record(record: RunRecord, path: Path) -> None:
    """Write the record's JSON text to a file."""
    path.write_bytes(as_bytes(dump_record(record)))


def read_record(path: str | os.PathLike[str]) -> RunRecord:
    """Read a record back; one of an earlier schema version is brought to the present one.

    Raises
    ------
    MissingFilesError
        There is no such file.
    RecordError
        It has a field that the schema does not know, lacks one, has a wrong type or an unknown version, or its
        parts contradict each other; `places` names all of them.
    InputError
        It is no JSON, or no regular file.
    """
    path = Path(path)
    body = read_regular(path, LARGEST_RECORD)
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise _no_json(error, path.name) from error
    record = parse_record(text, path.name)
    findings = check_record(record)
    if findings:
        raise _refused("The record contradicts itself", findings, path.name)
    return record


def parse_record(text: str, name: str) -> RunRecord:
    """A record from its JSON text, by the schema alone; errors as for `read_record`, with the name of the file."""
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _no_json(error, name) from error
    return _structured(_present_version(tree, name), name)


def _no_json(error: Exception, name: str) -> InputError:
    return InputError(f"This is not JSON: {error}.", where=name, remedy=REMEDY)


def _structured(tree: dict[str, Any], name: str) -> RunRecord:
    places = mistakes(tree, _schema())
    if places:
        raise _refused(NO_FIT, places, name)
    try:
        return _converter().structure(tree, RunRecord)
    except ClassValidationError as error:
        # What the schema cannot say: the ranges of drizzle parameters.
        raise _refused(NO_FIT, tuple(transform_error(error, path="record")), name) from error


def _refused(problem: str, places: tuple[str, ...], name: str) -> RecordError:
    more = f"; and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
    told = f"{problem}: {'; '.join(places[:SHOWN])}{more}."
    return RecordError(told, places=places, where=name, remedy=REMEDY)


def _present_version(tree: Any, name: str) -> dict[str, Any]:
    if not isinstance(tree, dict):
        raise _refused(NO_FIT, ("record: no object",), name)
    version = tree.get("schema_version")
    if type(version) is not int or not OLDEST_VERSION <= version <= SCHEMA_VERSION:
        read = f"this program reads versions {OLDEST_VERSION} to {SCHEMA_VERSION}"
        problem = f"Its schema version is {shown(version)}, {read}."
        raise RecordError(problem, places=("record.schema_version",), where=name, remedy=REMEDY)
    if version == SCHEMA_VERSION:
        return tree
    try:
        return migrate(tree, version)
    except (KeyError, TypeError, AttributeError) as error:
        problem = f"It is no record of schema version {version} ({type(error).__name__}: {error})."
        raise RecordError(problem, places=("record",), where=name, remedy=REMEDY) from error


@cache
def _schema() -> dict[str, Any]:
    """Made once: it and the converter take much longer to make than a record to read."""
    return record_schema()


@cache
def _converter() -> JsonConverter:
    return make_converter(forbid_extra_keys=True, detailed_validation=True)
