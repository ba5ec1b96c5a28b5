"""Whole runs on copies of small simulated associations, with no service within reach."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from astrodriz import RunRecord, SimulatedAssociation, process
from astrodriz_core.decide.invariants import check_record

NOWHERE = "http://127.0.0.1:9/"
"""A port of this machine at which nothing answers."""

NO_SERVICES = dict.fromkeys(("ASTROMETRIC_CATALOG_URL", "ASTROMETRY_SERVICE_URL", "GSSS_WEBSERVICES_URL"), NOWHERE)


def copied(association: SimulatedAssociation, folder: Path) -> Path:
    """The input file in a copy of an association."""
    shutil.copytree(association.folder, folder)
    return folder / association.input.name


def run(association: SimulatedAssociation, folder: Path, **options: Any) -> RunRecord:
    """Process a copy of an association with its own references, catalogue and headerlets; its record is sound."""
    copied(association, folder)
    return run_again(association, folder, **options)


def run_again(association: SimulatedAssociation, folder: Path, **options: Any) -> RunRecord:
    """Process an association in a folder that holds it already, with the same."""
    environment = {name: str(path) for name, path in association.environment.items()} | NO_SERVICES
    options = {
        "catalog": association.catalogue,
        "headerlet_folder": association.headerlets,
        "environment": environment,
        "num_cores": 2,
        **options,
    }
    record = process(folder / association.input.name, **options)
    assert check_record(record) == ()
    return record
