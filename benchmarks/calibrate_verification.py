"""Measure the error rates of the verification on simulated associations, and print the calibration.

    python benchmarks/calibrate_verification.py [--seeds 12] [--exposures 2 4 8] [--size 800] [--processes 1]
                                                [--json rates.json]

Associations of both cameras and all fields of `associations` are measured: aligned ones with the tolerated
jitter, ones with an exposure off by 0.1 and 0.2 pixel, and ones with a blurred exposure. Printed are the
errors of the offsets in units of the stated ones, by the number of sources (they set `SMALL_SAMPLE_SOURCES`
and `error_scale`), the sharpness of good and blurred exposures (they set `blur_log_ratio` and
`blur_sigma`), and the rates of the calibrated policy, each with its 95 % binomial interval.
"""

from __future__ import annotations

import argparse
import itertools
import json
import zlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from attrs import frozen
from scipy.stats import beta

from associations import CAMERAS, FIELDS, Truth, simulate_association
from astrodriz_core.records.common import Verdict
from astrodriz_core.records.verification import AlignmentMeasurements
from astrodriz_core.verify.calibration import CALIBRATION
from astrodriz_core.verify.measurement import measure_alignment
from astrodriz_core.verify.policies import judge_calibrated

#: What is wrong with the last exposure of each kind of association.
KINDS = {
    "aligned": {"jitter_pix": CALIBRATION.jitter_pix},
    "off by 0.1": {"offset_pix": 0.1},
    "off by 0.2": {"offset_pix": 0.2},
    "blurred": {"blur_pix": 1.0},
}
#: Upper limits of the numbers of sources that are looked at together.
SOURCE_BINS = (8, 16, 32, 64, 128, 512, 100_000)


@frozen
class Case:
    """One association to simulate."""

    camera: str
    field: str
    n_exposures: int
    kind: str
    seed: int
    size: int


@frozen
class Outcome:
    """What came of it."""

    case: Case
    truth: Truth
    measurements: AlignmentMeasurements


def run(case: Case) -> Outcome:
    """Simulate and measure one association."""
    name = f"{case.camera} {case.field} {case.n_exposures} {case.kind} {case.seed}"
    association = simulate_association(
        CAMERAS[case.camera],
        FIELDS[case.field],
        n_exposures=case.n_exposures,
        size=case.size,
        seed=zlib.crc32(name.encode()),
        **KINDS[case.kind],
    )
    measured = measure_alignment(association.product, association.singles, association.parameters)
    return Outcome(case, association.truth, measured)


def interval(hits: int, trials: int) -> tuple[float, float]:
    """Clopper-Pearson interval of 95 %."""
    low = float(beta.ppf(0.025, hits, trials - hits + 1)) if hits else 0.0
    high = float(beta.ppf(0.975, hits + 1, trials - hits)) if hits < trials else 1.0
    return low, high


def offset_errors(outcomes: Sequence[Outcome]) -> list[dict[str, float]]:
    """Errors of the offsets of aligned exposures in units of the stated errors, by number of sources."""
    pairs = []
    for outcome in outcomes:
        if outcome.case.kind != "aligned":
            continue
        truth = np.array(outcome.truth.offsets_pix)
        for index, record in enumerate(outcome.measurements.registration):
            if record.dx_pix is not None:
                expected = truth[index] - np.delete(truth, index, axis=0).mean(0)
                error = (np.array([record.dx_pix, record.dy_pix]) - expected) / record.sigma_pix
                pairs += [(record.n_sources, value) for value in error]
    table = np.array(pairs)
    rows = []
    for low, high in itertools.pairwise((0, *SOURCE_BINS)):
        errors = table[(table[:, 0] > low) & (table[:, 0] <= high), 1]
        if len(errors):
            rows.append(
                {
                    "sources up to": high,
                    "offsets": len(errors),
                    "rms": float(np.sqrt((errors**2).mean())),
                    "beyond 3": float((np.abs(errors) > 3).mean()),
                }
            )
    return rows


def sharpness_extremes(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Lowest sharpness of good exposures, highest of blurred ones."""
    good, blurred = [], []
    for outcome in outcomes:
        for index, record in enumerate(outcome.measurements.sharpness):
            if record.log_ratio is not None:
                (blurred if outcome.truth.blurs_pix[index] else good).append(
                    (record.log_ratio, record.log_ratio / max(record.sigma, 1e-9))
                )
    lowest, highest = np.array(good).min(0), np.quantile(np.array(blurred), 0.95, axis=0)
    return {
        "lowest log ratio of a good exposure": float(lowest[0]),
        "lowest in standard errors": float(lowest[1]),
        "log ratio below which 95 % of the blurred exposures are": float(highest[0]),
        "the same in standard errors": float(highest[1]),
    }


def rates(outcomes: Sequence[Outcome]) -> list[dict[str, object]]:
    """How the calibrated policy does, by kind and by number of exposures."""
    rows = []
    for kind, number in itertools.product(KINDS, sorted({o.case.n_exposures for o in outcomes})):
        results = [
            (judge_calibrated(o.measurements), o)
            for o in outcomes
            if (o.case.kind, o.case.n_exposures) == (kind, number)
        ]
        determined = [pair for pair in results if pair[0].verdict is not Verdict.UNDETERMINED]
        if kind == "blurred":
            hits = sum(f"exposure{number - 1}" in result.degraded for result, _ in results)
            trials = len(results)
        else:
            hits = sum(result.verdict is Verdict.MISALIGNED for result, _ in determined)
            trials = len(determined)
        wanted = "named as degraded" if kind == "blurred" else "misaligned"
        rows.append(
            {
                "kind": kind,
                "exposures": number,
                "associations": len(results),
                "undetermined": len(results) - len(determined),
                wanted: hits / max(trials, 1),
                "interval": interval(hits, trials),
            }
        )
    return rows


def main() -> None:
    """Run all cases and print what they say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--exposures", type=int, nargs="+", default=[2, 4, 8])
    parser.add_argument("--size", type=int, default=800)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    cases = [
        Case(*values, options.size) for values in itertools.product(CAMERAS, FIELDS, options.exposures, KINDS, seeds)
    ]
    with ProcessPoolExecutor(options.processes) as pool:
        outcomes = list(pool.map(run, cases))
    report = {
        "errors of the offsets": offset_errors(outcomes),
        "sharpness": sharpness_extremes(outcomes),
        "rates": rates(outcomes),
    }
    text = json.dumps(report, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
