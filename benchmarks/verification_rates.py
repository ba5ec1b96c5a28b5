"""Measure the error rates of every policy on associations with a known truth, and write table and curve.

    python benchmarks/verification_rates.py STORE [--cases 2000] [--seed 1] [--processes 1]
                                            [--peer PYTHON] [--summary JSON] [--page MARKDOWN] [--curve PNG]

STORE     file of what was measured, a line of JSON for each association; what it holds is not measured again,
          so that a run may be stopped at any time and continued with more cases. `verification_files` adds
          associations of files to it.
--cases   associations to simulate in all; 0 only writes what the store gives
--peer    a Python that has drizzlepac: its verdict on some of the associations, beside that of our policy of
          that name

Intervals are binomial ones of 95 % (Clopper and Pearson).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from attrs import asdict, evolve, frozen
from scipy.stats import beta

from associations import CAMERAS, FIELDS
from astrodriz import Policy, Verdict, Verification, judge
from astrodriz_core.records.verification import PolicyResult
from astrodriz_core.verify.calibration import CALIBRATION
from calibrate_verification import COARSE, PRECISE, is_precise, redrawn
from verification_cases import (
    ALIGNED,
    BLURRED,
    NUMBERS,
    TOLERATED_JITTER,
    USUAL_JITTER,
    Case,
    Outcome,
    Situation,
    as_json,
    measure,
    planned,
    read_store,
    simulate,
    true_offsets,
)
from verification_page import MISSED, curve, page

PEER_SCRIPT = Path(__file__).with_name("verification_peer.py")
#: Offsets whose detection has a target, pixels.
PROMISED = (0.1, 0.2)
#: How often the scatter of the exposures is drawn anew, simulated ones and those of files, which are fewer.
REDRAWN, REDRAWN_FILES = 25, 200


@frozen
class Rate:
    """A part of a number of associations, with its interval."""

    hits: int
    trials: int

    @property
    def value(self) -> float | None:
        """The part; None of nothing."""
        return self.hits / self.trials if self.trials else None

    @property
    def interval(self) -> tuple[float, float]:
        """Clopper-Pearson interval of 95 %."""
        low = beta.ppf(0.025, self.hits, self.trials - self.hits + 1) if self.hits else 0.0
        high = beta.ppf(0.975, self.hits + 1, self.trials - self.hits) if self.hits < self.trials else 1.0
        return round(float(low), 4), round(float(high), 4)


@frozen
class Judged:
    """One association and what every policy says of it."""

    case: Case
    outcome: Outcome
    verification: Verification

    def result(self, policy: Policy) -> PolicyResult:
        """Verdict and checks of a policy."""
        return next(result for result in self.verification.policies if result.policy is policy)

    @property
    def verdict(self) -> Verdict:
        """Verdict of the calibrated policy."""
        return self.verification.verdict

    @property
    def precise(self) -> bool:
        """Whether every offset is measured well."""
        return is_precise(self.outcome)


def judged(outcome: Outcome) -> Judged:
    """Let every policy judge what was measured."""
    verification = judge(outcome.measurements)
    return Judged(outcome.case, outcome, verification)


def misaligned(cases: Sequence[Judged], policy: Policy = Policy.CALIBRATED) -> Rate:
    """Part of the determined ones that a policy finds misaligned."""
    verdicts = [one.result(policy).verdict for one in cases]
    determined = [verdict for verdict in verdicts if verdict is not Verdict.UNDETERMINED]
    return Rate(sum(verdict is Verdict.MISALIGNED for verdict in determined), len(determined))


def given(cases: Sequence[Judged], verdict: Verdict) -> Rate:
    """Part that the calibrated policy gives a verdict."""
    return Rate(sum(one.verdict is verdict for one in cases), len(cases))


def named(cases: Sequence[Judged]) -> Rate:
    """Part of the blurred exposures that are named as degraded."""
    return Rate(sum(set(_blurred(one)) <= set(one.verification.degraded) for one in cases), len(cases))


def falsely_named(cases: Sequence[Judged]) -> Rate:
    """Part of the associations in which a good exposure is named as degraded."""
    return Rate(sum(bool(set(one.verification.degraded) - set(_blurred(one))) for one in cases), len(cases))


def _blurred(one: Judged) -> tuple[str, ...]:
    names = [record.rootname for record in one.outcome.measurements.sharpness]
    return tuple(name for name, blur in zip(names, one.outcome.truth.blurs_pix, strict=True) if blur)


def worst_is_right(cases: Sequence[Judged]) -> Rate:
    """Of those found misaligned, the part in which the exposure that is off is called the worst."""
    found = [one for one in cases if one.verdict is Verdict.MISALIGNED and one.case.n_exposures > 2]
    return Rate(sum(one.verification.worst.rootname == _off(one) for one in found), len(found))


def _off(one: Judged) -> str:
    """The exposure that is turned, or else the one that is farthest from the others."""
    turns = np.abs(one.outcome.truth.rotations_deg)
    worst = np.argmax(turns if turns.any() else np.hypot(*true_offsets(one.outcome.truth).T))
    return one.outcome.measurements.registration[int(worst)].rootname


def in_situation(cases: Sequence[Judged], **wanted: float) -> list[Judged]:
    """Cases of one situation."""
    return [one for one in cases if one.case.situation == Situation(**wanted)]


def rate_row(cases: Sequence[Judged]) -> dict[str, Any]:
    """The calibrated policy on some of the cases: false alarms, detection, undetermined."""
    row: dict[str, object] = {
        "undetermined": given(cases, Verdict.UNDETERMINED),
        "false alarms": misaligned(in_situation(cases, jitter_pix=TOLERATED_JITTER)),
        "blurred": named([one for one in cases if one.case.situation == BLURRED]),
        MISSED: given(in_situation(cases, offset_pix=PROMISED[0]), Verdict.ALIGNED),
    }
    return row | {f"off by {offset}": misaligned(in_situation(cases, offset_pix=offset)) for offset in PROMISED}


def _has(name: str, value: object, one: Judged) -> bool:
    return bool(getattr(one.case, name) == value)


def groups(cases: Sequence[Judged]) -> dict[str, dict[str, object]]:
    """`rate_row` of all cases, by instrument, by field, by number of exposures, and by the errors."""
    choices: dict[str, Callable[[Judged], bool]] = {"all": lambda one: True}
    choices |= {name: partial(_has, "camera", name) for name in CAMERAS}
    choices |= {name: partial(_has, "field", name) for name in FIELDS}
    choices |= {f"{number} exposures": partial(_has, "n_exposures", number) for number in NUMBERS}
    choices[PRECISE] = lambda one: one.precise
    choices[COARSE] = lambda one: not one.precise
    return {name: rate_row([one for one in cases if choice(one)]) for name, choice in choices.items()}


def situations(cases: Sequence[Judged]) -> list[dict[str, object]]:
    """Every situation with the part that each policy finds misaligned."""
    rows = []
    for situation in sorted({one.case.situation for one in cases}, key=_order):
        chosen = [one for one in cases if one.case.situation == situation]
        row: dict[str, object] = {"situation": situation, "associations": len(chosen)}
        row |= {policy.value: misaligned(chosen, policy) for policy in Policy}
        row |= {
            "sigma up to 0.01": misaligned([one for one in chosen if one.precise]),
            "undetermined": given(chosen, Verdict.UNDETERMINED),
            "right exposure": worst_is_right(chosen),
        }
        rows.append(row)
    return rows


def _order(situation: Situation) -> tuple[float, ...]:
    return situation.blur_pix, situation.rotation_deg, situation.offset_pix, -situation.jitter_pix


def errors(cases: Sequence[Judged]) -> dict[str, Any]:
    """Errors of the offsets of aligned associations: median, rms, and in units of the stated error.

    Of associations of files the exposures have errors of their own, those of the scenes that they are
    made from; these are the same in every association. The scatter about the mean error of each exposure
    is therefore given as well.
    """
    chosen = [one for one in cases if _good(one.case.situation) and one.verdict is not Verdict.UNDETERMINED]
    found = [
        (index, record.dx_pix - truth[0], record.dy_pix - truth[1], record.sigma_pix)
        for one in chosen
        for index, (record, truth) in enumerate(
            zip(one.outcome.measurements.registration, true_offsets(one.outcome.truth), strict=True)
        )
        if record.dx_pix is not None
    ]
    if not found:
        return {}
    table = np.array(found)
    error, sigma = table[:, 1:3], table[:, 3:]
    own = error.copy()
    for index in np.unique(table[:, 0]):
        members = table[:, 0] == index
        own[members] -= error[members].mean(0)
    return {
        "offsets": len(table),
        "median error along x, y": [round(float(value), 4) for value in np.median(error, axis=0)],
        "median length of error": round(float(np.median(np.hypot(*error.T))), 4),
        "rms error": round(float(np.sqrt((error**2).mean())), 4),
        "median stated sigma": round(float(np.median(sigma)), 4),
        "error over sigma, rms": round(float(np.sqrt(((error / sigma) ** 2).mean())), 2),
        "the same about the mean of each exposure": (
            round(float(np.sqrt(((own / sigma) ** 2).mean())), 2) if len(chosen) > 1 else None
        ),
    }


def _good(situation: Situation) -> bool:
    return evolve(situation, jitter_pix=TOLERATED_JITTER) == ALIGNED


def peer_rows(python: str, cases: Sequence[Judged]) -> dict[str, Any]:
    """Verdicts of drizzlepac itself on some associations, beside those of our policy of that name."""
    rows = []
    for one in cases:
        association = simulate(one.case)
        with tempfile.TemporaryDirectory() as folder:
            arrays: dict[str, Any] = {f"single{i}": single.sci for i, single in enumerate(association.singles)}
            np.savez(Path(folder, "images.npz"), product=association.product.sci, **arrays)
            exptimes = [str(single.exptime) for single in association.singles]
            command = [python, str(PEER_SCRIPT), folder, str(association.parameters.log_sigma_pix), *exptimes]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"The peer failed:\n{done.stderr[-2000:]}")
        told = json.loads(done.stdout.strip().splitlines()[-1])
        ours = one.result(Policy.DRIZZLEPAC)
        distances = [exposure.distance for exposure in one.outcome.measurements.drizzlepac.exposures]
        difference = max(abs(a - b) for a, b in zip(told["distances"], distances, strict=True))
        rows.append(
            {
                "case": one.case.name,
                "peer": "aligned" if told["verified"] else "misaligned",
                "ours": ours.verdict.value,
                "largest difference of distance": round(difference, 8),
            }
        )
    same = sum(row["peer"] == row["ours"] for row in rows)
    return {"same verdict": Rate(same, len(rows)), "cases": rows}


def redrawn_rows(cases: Sequence[Judged]) -> list[dict[str, object]]:
    """False alarms and detection at the promised offsets with the scatter of the exposures drawn anew."""
    kinds = ((TOLERATED_JITTER, 0.0), *((USUAL_JITTER, offset) for offset in PROMISED))
    outcomes = [one.outcome for one in cases]
    return [
        asdict(row)
        for jitter, offset in kinds
        for row in redrawn(outcomes, CALIBRATION, jitter, offset, REDRAWN if cases[0].case.field else REDRAWN_FILES)
    ]


def summarise(outcomes: Sequence[Outcome], peer: str | None, peer_cases: int) -> dict[str, Any]:
    """Everything that the page tells."""
    cases = [judged(outcome) for outcome in outcomes]
    simulated = [one for one in cases if one.case.field]
    recipes = sorted({one.case.camera for one in cases if not one.case.field})
    files = {recipe: [one for one in cases if one.case.camera == recipe and not one.case.field] for recipe in recipes}
    summary: dict[str, Any] = {
        "associations": len(simulated),
        "sizes": {
            name: sorted({one.case.size for one in simulated if one.case.camera == name}) for name in CAMERAS
        },
        "groups": groups(simulated) | {recipe: rate_row(chosen) for recipe, chosen in files.items()},
        "situations": situations(simulated),
        "situations of files": {recipe: situations(chosen) for recipe, chosen in files.items()},
        "good exposures named as degraded": {
            "simulated": falsely_named(simulated), **{recipe: falsely_named(chosen) for recipe, chosen in files.items()}
        },
        "errors": {"simulated": errors(simulated), **{recipe: errors(chosen) for recipe, chosen in files.items()}},
    }  # fmt: skip
    summary["redrawn"] = redrawn_rows(simulated)
    for recipe, chosen in files.items():
        rows = [row for row in redrawn_rows(chosen) if row["of"] == "all"]
        summary["redrawn"] += [row | {"of": recipe} for row in rows]
    if peer is not None:
        chosen = [one for one in simulated if one.case.situation.offset_pix in (0, 0.2, 1.0, 3.0)]
        summary["peer"] = peer_rows(peer, chosen[:peer_cases])
    return summary


def plain(value: object) -> Any:
    """Rates as numbers for JSON."""
    if isinstance(value, Rate):
        return {"hits": value.hits, "trials": value.trials, "rate": value.value, "interval": value.interval}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def main() -> None:
    """Measure what is missing and write what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--size", type=int, help="rows and columns to simulate, in place of those of each camera")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--peer", metavar="PYTHON")
    parser.add_argument("--peer-cases", type=int, default=12)
    parser.add_argument("--summary", type=Path)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--curve", type=Path)
    options = parser.parse_args()
    measure(planned(options.cases, options.seed, options.size), options.store, options.processes)
    summary = summarise(read_store(options.store), options.peer, options.peer_cases)
    text = page(summary, options.curve.name if options.curve else None)
    print(text)
    if options.summary:
        options.summary.write_text(as_json(plain(summary)), encoding="utf-8")
    if options.page:
        options.page.write_text(text, encoding="utf-8")
    if options.curve:
        curve(summary["situations"], options.curve)


if __name__ == "__main__":
    main()
