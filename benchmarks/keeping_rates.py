"""Measure what the rule "known good is not given up for unknown" changes, on whole runs with a known truth.

    python benchmarks/keeping_rates.py STORE [--seeds 1 2 3] [--fields "60 stars"] [--moved 0 0.1] [--table]

STORE     file of what was measured, a line of JSON for each alignment stage that made a product; runs that it has
          are not made again, so that it may be stopped at any time and continued
--seeds   of the associations; each seed gives one association of every field, number of exposures and headerlet
--fields, --moved   only these
--table   only write the table that the store gives

An association has WFC3/IR exposures of 256 x 256 pixels. The a priori headerlet of one exposure is that of the
simulation, or moved by so many pixels. Truth is how far the exposures are from each other with the WCS of a stage.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from astrodriz import (
    RunRecord,
    SimulatedAssociation,
    SimulationSpec,
    Stage,
    StageOutcome,
    StageRecord,
    Verdict,
    process,
    score_wcs,
    simulate_association,
)
from astrodriz_core.decide.keep import judge_stage
from astrodriz_io.record_files.exposure_states import restore_state
from astrodriz_io.record_files.sidecar import SidecarReader, read_sidecar
from astrodriz_io.simulate import FieldKind

FIELDS: dict[str, dict[str, Any]] = {
    "60 stars": {"sky": FieldKind.SPARSE},
    "12 stars": {"sky": FieldKind.SPARSE, "stars": 12, "galaxies": 3},
    "galaxies": {"sky": FieldKind.GALAXIES},
    "4 faint stars": {"sky": FieldKind.FAINT},
}
EXPOSURES = (2, 4)
MOVED = (0.0, 0.05, 0.1, 0.3)
NOWHERE = "http://127.0.0.1:9/"


def measured(field: str, exposures: int, moved: float, seed: int) -> Iterator[dict[str, Any]]:
    """Run one association; a line for each alignment stage that made a product."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, untouched = Path(temporary) / "run", Path(temporary) / "untouched"
        spec = SimulationSpec(exposures=exposures, size=256, seed=seed, **FIELDS[field])
        association = simulate_association(folder, spec)
        simulate_association(untouched, spec)
        if moved:
            move_headerlets(association, moved, seed)
        record = run(association)
        with read_sidecar(folder, record.sidecar) as sidecar:
            yield from lines(record, association, untouched, sidecar)


def move_headerlets(association: SimulatedAssociation, pixels: float, seed: int) -> None:
    """Move every a priori solution of the second exposure, in a direction that the seed gives."""
    east, north = pixels * 0.12825 / 3600 * np.array([np.cos(seed), np.sin(seed)])
    for path in association.headerlets.glob(f"{association.rootnames[1]}_*_hlet.fits"):
        with fits.open(path, mode="update") as hdus:
            for hdu in hdus[1:]:
                hdu.header["CRVAL2"] += north
                hdu.header["CRVAL1"] += east / np.cos(np.deg2rad(hdu.header["CRVAL2"]))


def run(association: SimulatedAssociation) -> RunRecord:
    """The whole run, with no service within reach."""
    environment = {name: str(path) for name, path in association.environment.items()}
    environment |= dict.fromkeys(("ASTROMETRIC_CATALOG_URL", "ASTROMETRY_SERVICE_URL", "GSSS_WEBSERVICES_URL"), NOWHERE)
    return process(
        association.input,
        catalog=association.catalogue,
        headerlet_folder=association.headerlets,
        environment=environment,
        headerlets=False,
        num_cores=1,
    )


def lines(
    record: RunRecord, association: SimulatedAssociation, untouched: Path, sidecar: SidecarReader
) -> Iterator[dict[str, Any]]:
    """What each alignment stage had to decide, what it decided, and what was true."""
    default = standing = next(stage for stage in record.stages if stage.stage is Stage.DEFAULT)
    for stage in record.stages:
        if stage.stage not in (Stage.A_PRIORI, Stage.A_POSTERIORI) or stage.drizzle is None:
            continue
        decided = judge_stage(stage.verification, stage.comparison, default.verification, standing.verification)
        yield {
            "stage": stage.stage.value,
            "standing": standing.verification.verdict.value,
            "new": stage.verification.verdict.value,
            "kept": decided.keep,
            "kept_before": kept_before(stage, default),
            "comparison": stage.comparison.verdict.value,
            "reason": decided.reason,
            "pixels": pixels_apart(stage, association, untouched, sidecar),
            "standing_pixels": pixels_apart(standing, association, untouched, sidecar),
        }
        if stage.outcome is StageOutcome.KEPT:
            standing = stage


def kept_before(stage: StageRecord, default: StageRecord) -> bool:
    """Whether the rule without what stands kept a WCS: neither misaligned, nor another picture than a good default."""
    differs = stage.comparison.verdict is Verdict.MISALIGNED
    bad_default = default.verification.verdict is Verdict.MISALIGNED
    return stage.verification.verdict is not Verdict.MISALIGNED and (bad_default or not differs)


def pixels_apart(
    stage: StageRecord, association: SimulatedAssociation, untouched: Path, sidecar: SidecarReader
) -> float:
    """How far the exposures truly are from each other with the WCS of a stage, pixels rms."""
    with tempfile.TemporaryDirectory() as temporary:
        for state in stage.states:
            restore_state(state, untouched / state.name, Path(temporary) / state.name, sidecar)
        score = score_wcs(association.truth, Path(temporary))
    return score.relative_rms_mas / 128.25


def table(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """How many WCSs were turned down, by the rule before and by that of now, for each standing verdict."""
    yield "| WCS that stands | new WCS | of them | turned down before | turned down now | exposures apart, truly |"
    yield "|---|---|---:|---:|---:|---|"
    for verdict in (Verdict.ALIGNED.value, Verdict.UNDETERMINED.value):
        of_verdict = [row for row in rows if row["standing"] == verdict]
        for moved in MOVED:
            found = [row for row in of_verdict if row["stage"] == "a priori" and row["case"][-1] == moved]
            yield _row(verdict, f"a priori, one exposure moved by {moved} pixel" if moved else "a priori", found)
        yield _row(verdict, "a posteriori", [row for row in of_verdict if row["stage"] == "a posteriori"])


def _row(verdict: str, name: str, found: Sequence[dict[str, Any]]) -> str:
    before, now = (sum(not row[rule] for row in found) for rule in ("kept_before", "kept"))
    first, second = (np.mean([row[which] for row in found] or [np.nan]) for which in ("standing_pixels", "pixels"))
    return f"| {verdict} | {name} | {len(found)} | {before} | {now} | {first:.3f}, now {second:.3f} pixel |"


def main() -> None:
    """Measure what the store lacks, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1])
    parser.add_argument("--fields", nargs="*", default=list(FIELDS), choices=list(FIELDS))
    parser.add_argument("--moved", type=float, nargs="*", default=list(MOVED))
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    rows = [json.loads(text) for text in arguments.store.read_text().splitlines()] if arguments.store.exists() else []
    done = {json.dumps(row["case"]) for row in rows}
    for case in (
        () if arguments.table else itertools.product(arguments.seeds, arguments.fields, EXPOSURES, arguments.moved)
    ):
        seed, field, exposures, moved = case
        if json.dumps(case) in done:
            continue
        found = [{"case": case, **line} for line in measured(field, exposures, moved, seed)]
        with arguments.store.open("a") as store:
            store.writelines(json.dumps(row) + "\n" for row in found)
        rows += found
    print("\n".join(table([row for row in rows if "stage" in row])))


if __name__ == "__main__":
    main()
