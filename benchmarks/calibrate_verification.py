"""Fit the calibration of the verification to measured associations, and print what it rests on.

    python benchmarks/calibrate_verification.py STORE [--redraw 40] [--json FILE]

STORE is the file that `verification_rates` fills. Printed are

- the errors of the offsets in units of the stated ones, by method and number of sources: they set
  `SMALL_SAMPLE_SOURCES` and `error_scale`,
- how the logarithm of the concentration scatters in good exposures and falls in blurred ones: this sets
  `blur_log_ratio` and `blur_sigma`,
- the rates that follow from each `false_alarm_rate`. For these the scatter of the exposures is drawn anew,
  ``--redraw`` times for each measured association, with the errors that were measured, so that a rate of a
  per cent is known to a fifth of it,
- and the calibration that follows, beside the one in force.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from attrs import asdict, evolve, frozen

from astrodriz import AlignmentMeasurements, Verdict
from astrodriz_core.verify.calibration import CALIBRATION, Calibration
from astrodriz_core.verify.policies import judge_calibrated
from verification_cases import (
    ALIGNED,
    TOLERATED_JITTER,
    USUAL_JITTER,
    Outcome,
    Situation,
    as_json,
    read_store,
    true_offsets,
)

#: Upper limits of the numbers of sources, or of blocks, that are looked at together.
SOURCE_BINS = (8, 16, 32, 64, 128, 512, 100_000)
#: False-alarm rates that are tried.
RATES = (0.004, 0.005, 0.006, 0.008, 0.01)
#: False alarms that are wanted at most.
WANTED_FALSE_ALARMS = 0.01
#: Situations without fault; the scatter of the exposures is drawn anew in any case.
GOOD = ALIGNED, Situation()
#: Offsets of one exposure that the rates are worked out for, pixels.
OFFSETS = (0.1, 0.2)
#: An association whose offsets all have a stated error up to this, pixels, is of the first group, others of the second.
SMALL_SIGMA, PRECISE, COARSE = 0.01, "every sigma up to 0.01 pixel", "a larger sigma, or none"
#: Length that a two-dimensional normal vector exceeds in 1 % of all cases, standard deviations of one axis.
LENGTH_OF_99_PERCENT = float(np.sqrt(2 * np.log(100)))
#: Part of the good and of the blurred exposures that lie on the wrong side of the limits between which
#: `blur_log_ratio` is set.
WRONG_SIDE = 0.002, 0.02


@frozen
class ErrorScatter:
    """Errors of offsets, or log concentrations of good exposures, over the stated standard errors."""

    of: str
    most_sources: int
    number: int
    rms: float
    robust: float
    beyond_three: float


@frozen
class Redrawn:
    """Rates of one false-alarm rate with the scatter of the exposures drawn anew.

    Attributes
    ----------
    of : str
        Which associations.
    error : float or None
        Standard error of `misaligned_of_determined`, from the scatter between the associations; None of one.
    """

    of: str
    false_alarm_rate: float
    jitter_pix: float
    offset_pix: float
    undetermined: float
    misaligned_of_determined: float
    error: float | None


def scatter_by_number(of: str, table: np.ndarray) -> list[ErrorScatter]:
    """Scatter of the second column, in bins of the first."""
    rows = []
    for low, high in itertools.pairwise((0, *SOURCE_BINS)):
        values = table[(table[:, 0] > low) & (table[:, 0] <= high), 1]
        if len(values):
            rms, robust = np.sqrt((values**2).mean()), np.median(np.abs(values)) / 0.6745
            beyond = (np.abs(values) > 3).mean()
            rows.append(ErrorScatter(of, high, len(values), round(rms, 3), round(robust, 3), round(beyond, 4)))
    return rows


def offset_errors(outcomes: Sequence[Outcome]) -> dict[str, np.ndarray]:
    """Number of sources and error over stated error of each offset along each axis, by method."""
    found: dict[str, list[tuple[int, float]]] = {}
    for outcome in outcomes:
        if outcome.case.situation != ALIGNED:
            continue
        for record, truth in zip(outcome.measurements.registration, true_offsets(outcome.truth), strict=True):
            if record.dx_pix is not None:
                for error in (record.dx_pix - truth[0], record.dy_pix - truth[1]):
                    found.setdefault(record.method.value, []).append((record.n_sources, error / record.sigma_pix))
    return {method: np.array(pairs) for method, pairs in found.items()}


def concentrations(outcomes: Sequence[Outcome]) -> tuple[np.ndarray, np.ndarray]:
    """Sources, log ratio and its error of good exposures (none of the association blurred) and blurred ones."""
    good, blurred = [], []
    for outcome in outcomes:
        for index, record in enumerate(outcome.measurements.sharpness):
            if record.log_ratio is not None:
                row = (record.n_sources, record.log_ratio, record.sigma)
                if outcome.truth.blurs_pix[index]:
                    blurred.append(row)
                elif not any(outcome.truth.blurs_pix):
                    good.append(row)
    return np.array(good), np.array(blurred)


def redrawn(
    outcomes: Sequence[Outcome], calibration: Calibration, jitter: float, offset: float, times: int
) -> list[Redrawn]:
    """Rates with new jitter and, in the last exposure, an offset; in all and by number of exposures."""
    rng = np.random.default_rng(7)
    tally: dict[str, list[tuple[int, int]]] = {}
    for outcome in outcomes:
        errors = _errors(outcome)
        if outcome.case.situation not in GOOD or errors is None:
            continue
        number = outcome.case.n_exposures
        verdicts = []
        for _ in range(times):
            places = rng.normal(0, jitter, (number, 2))
            angle = rng.uniform(0, 2 * np.pi)
            places[-1] += offset * np.array([np.cos(angle), np.sin(angle)])
            offsets = (places - places.mean(0)) * number / (number - 1) + errors
            verdicts.append(judge_calibrated(_with_offsets(outcome.measurements, offsets), calibration).verdict)
        counts = verdicts.count(Verdict.MISALIGNED), times - verdicts.count(Verdict.UNDETERMINED)
        for group in ("all", f"{number} exposures", PRECISE if is_precise(outcome) else COARSE):
            tally.setdefault(group, []).append(counts)
    return [
        Redrawn(group, calibration.false_alarm_rate, jitter, offset, *_rates(np.array(tally[group]), times))
        for group in sorted(tally)
    ]


def is_precise(outcome: Outcome) -> bool:
    """Whether the offset of every exposure is measured to `SMALL_SIGMA`."""
    sigmas = [record.sigma_pix for record in outcome.measurements.registration]
    return all(sigma is not None and sigma <= SMALL_SIGMA for sigma in sigmas)


def _errors(outcome: Outcome) -> np.ndarray | None:
    """Measured minus true offsets, shape (n_exposures, 2); None where one was not measured."""
    measured = [(record.dx_pix, record.dy_pix) for record in outcome.measurements.registration]
    if any(value is None for pair in measured for value in pair):
        return None
    return np.array(measured) - true_offsets(outcome.truth)


def _with_offsets(measurements: AlignmentMeasurements, offsets: np.ndarray) -> AlignmentMeasurements:
    registration = tuple(
        evolve(record, dx_pix=float(dx), dy_pix=float(dy))
        for record, (dx, dy) in zip(measurements.registration, offsets, strict=True)
    )
    return evolve(measurements, registration=registration, sharpness=())


def _rates(counts: np.ndarray, times: int) -> tuple[float, float, float | None]:
    """Part undetermined, part of the others that is misaligned, its error; of counts of misaligned, determined."""
    found, determined = counts.sum(0)
    rate = found / max(determined, 1)
    error = np.sqrt(((counts[:, 0] - rate * counts[:, 1]) ** 2).sum()) / max(determined, 1)
    undetermined = 1 - determined / (times * len(counts))
    return (
        round(float(undetermined), 4),
        round(float(rate), 4),
        round(float(error), 4) if len(counts) > 1 else None,
    )


def fitted(
    errors: dict[str, np.ndarray], good: np.ndarray, blurred: np.ndarray, rates: Sequence[Redrawn]
) -> Calibration:
    """The calibration that the measurements ask for; what is wanted of it is taken as it stands."""
    # Both axes of one offset follow each other; false alarms come from the long ones.
    lengths = np.concatenate([np.hypot(*table[:, 1].reshape(-1, 2).T) for table in errors.values()])
    scale = round(float(np.quantile(lengths, 0.99)) / LENGTH_OF_99_PERCENT, 1)
    # Errors of good exposures may make them look blurred; only those that are significant count.
    significant = good[good[:, 1] < -CALIBRATION.blur_sigma * good[:, 2], 1]
    lowest = np.sort(significant)[: max(int(WRONG_SIDE[0] * len(good)), 1)]
    limits = -float(lowest[-1]) if len(lowest) else 0.0, -float(np.quantile(blurred[:, 1], 1 - WRONG_SIDE[1]))
    alarms = {
        row.false_alarm_rate: row.misaligned_of_determined for row in rates if row.offset_pix == 0 and row.of == "all"
    }
    allowed = [rate for rate, measured in alarms.items() if measured <= WANTED_FALSE_ALARMS]
    return evolve(
        CALIBRATION,
        false_alarm_rate=max(allowed, default=min(RATES)),
        error_scale=scale,
        blur_log_ratio=round(float(np.mean(limits)), 2),
    )


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("--redraw", type=int, default=40)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    outcomes = [outcome for outcome in read_store(options.store) if outcome.case.field]
    errors, (good, blurred) = offset_errors(outcomes), concentrations(outcomes)
    rates = [
        row
        for rate in RATES
        for jitter, offset in ((TOLERATED_JITTER, 0.0), *((USUAL_JITTER, offset) for offset in OFFSETS))
        for row in redrawn(outcomes, evolve(CALIBRATION, false_alarm_rate=rate), jitter, offset, options.redraw)
    ]
    scatter = [row for method, table in errors.items() for row in scatter_by_number(method, table)]
    scatter += scatter_by_number("sharpness", np.column_stack([good[:, 0], good[:, 1] / good[:, 2]]))
    calls = {
        limit: {
            "good exposures called degraded": _called(good, limit),
            "blurred exposures called degraded": _called(blurred, limit),
        }
        for limit in (0.04, 0.05, 0.06, 0.07, 0.08, 0.1)
    }
    text = as_json(
        {
            "associations": len(outcomes),
            "aligned": sum(outcome.case.situation == ALIGNED for outcome in outcomes),
            "errors": [asdict(row) for row in scatter],
            "sharpness by limit": calls,
            "redrawn": [asdict(row) for row in rates],
            "in force": asdict(CALIBRATION),
            "fitted": asdict(fitted(errors, good, blurred, rates)),
        }
    )
    print(text)
    if options.json:
        options.json.write_text(text)


def _called(table: np.ndarray, limit: float) -> float:
    """Part of the exposures below the limit by `blur_sigma` errors and more."""
    return round(float((table[:, 1] < -np.maximum(limit, CALIBRATION.blur_sigma * table[:, 2])).mean()), 4)


if __name__ == "__main__":
    main()
