"""``astrodriz schema``: the JSON schema of the record, as ``docs/decisions.schema.json`` has it."""

from __future__ import annotations

import json

from astrodriz_io.record_files.schema import record_schema

__all__ = ["schema_lines"]


def schema_lines() -> tuple[str, ...]:
    """Lines of the schema's JSON text."""
    return tuple(json.dumps(record_schema(), indent=1, ensure_ascii=False).splitlines())
