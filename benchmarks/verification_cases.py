"""Simulated associations that the verification is measured on, and the file that keeps what was measured.

A case is one association; its name says everything about it, and all that is random follows from the name.
Cases are taken in a fixed order from a schedule in which every situation (aligned, off by 0.1 pixel,
blurred, ...) goes through all instruments, fields and numbers of exposures, so that the first thousand of
two thousand cases are a balanced set as well. What is measured of a case is one line of JSON in the store;
the policies judge what was stored, so that a change of thresholds needs no new measurement.
"""

from __future__ import annotations

import itertools
import json
import os
import time
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from attrs import asdict, frozen
from cattrs.preconf.json import make_converter

from associations import CAMERAS, FIELDS, Association, Truth, simulate_association
from astrodriz import AlignmentMeasurements, measure_alignment

__all__ = [
    "ALIGNED",
    "BLURRED",
    "Case",
    "Outcome",
    "Situation",
    "measure",
    "planned",
    "read_store",
    "simulate",
    "true_offsets",
]

#: Exposures of an association.
NUMBERS = (2, 3, 4, 8)
#: Scatter of good exposures that the calibrated policy tolerates, and that which guiding mostly leaves; pixels.
TOLERATED_JITTER, USUAL_JITTER = 0.02, 0.01
#: Rows and columns that are simulated: the whole detector of WFC3/IR, one of the four quadrants of the others.
SIZES = {"WFC3/IR": 1014, "ACS/WFC": 2048, "WFC3/UVIS": 2048}
JSON = make_converter()


@frozen
class Situation:
    """What the exposures of an association are like; the last is the one that is off, turned or blurred.

    Attributes
    ----------
    jitter_pix, offset_pix, rotation_deg, blur_pix : float
        As `simulate_association` takes them.
    """

    jitter_pix: float = USUAL_JITTER
    offset_pix: float = 0.0
    rotation_deg: float = 0.0
    blur_pix: float = 0.0


ALIGNED = Situation(jitter_pix=TOLERATED_JITTER)
BLURRED = Situation(blur_pix=1.0)

#: How often each situation comes in one turn of the schedule: most where a rate is promised.
SCHEDULE = {
    ALIGNED: 20,
    Situation(offset_pix=0.05): 1,
    Situation(offset_pix=0.1): 6,
    Situation(offset_pix=0.1, jitter_pix=TOLERATED_JITTER): 2,
    Situation(offset_pix=0.15): 1,
    Situation(offset_pix=0.2): 5,
    Situation(offset_pix=0.3): 1,
    Situation(offset_pix=0.5): 1,
    Situation(offset_pix=1.0): 1,
    Situation(offset_pix=2.0): 1,
    Situation(offset_pix=3.0): 1,
    Situation(rotation_deg=0.005): 1,
    Situation(rotation_deg=0.01): 1,
    Situation(rotation_deg=0.02): 1,
    BLURRED: 4,
}


@frozen
class Case:
    """One association.

    Attributes
    ----------
    camera, field : str
        Keys of `CAMERAS` and `FIELDS`; for files that another program built, its recipe and nothing.
    n_exposures : int
    situation : Situation
    size : int
        Rows and columns of the detector.
    seed : int
    """

    camera: str
    field: str
    n_exposures: int
    situation: Situation
    size: int
    seed: int

    @property
    def name(self) -> str:
        """What tells it from all others."""
        return " ".join(str(value) for value in (*asdict(self, recurse=False).values(),))


@frozen
class Outcome:
    """What was measured of one case, and what was put in."""

    case: Case
    truth: Truth
    measurements: AlignmentMeasurements
    seconds: float


def planned(number: int, seed: int, size: int | None = None) -> list[Case]:
    """First cases of the schedule; `size` takes the place of that of every camera."""
    rng = np.random.default_rng(seed)
    combinations = list(itertools.product(CAMERAS, FIELDS, NUMBERS))
    walks = {situation: _endless(combinations, rng.permutation(len(combinations))) for situation in SCHEDULE}
    turn = [situation for situation, times in SCHEDULE.items() for _ in range(times)]
    order = [turn[i] for i in rng.permutation(len(turn))]
    return [
        Case(camera, field, exposures, situation, size or SIZES[camera], seed * 1000 + round_)
        for situation in itertools.islice(itertools.cycle(order), number)
        for round_, (camera, field, exposures) in [next(walks[situation])]
    ]


def _endless(
    combinations: list[tuple[str, str, int]], order: Iterable[int]
) -> Iterator[tuple[int, tuple[str, str, int]]]:
    """Combinations in the given order, again and again, with the number of the round."""
    indices = list(order)
    for round_ in itertools.count():
        for index in indices:
            yield round_, combinations[index]


def simulate(case: Case) -> Association:
    """Build the association of a case."""
    return simulate_association(
        CAMERAS[case.camera],
        FIELDS[case.field],
        n_exposures=case.n_exposures,
        size=case.size,
        seed=zlib.crc32(case.name.encode()),
        **asdict(case.situation),
    )


def _run(case: Case) -> Outcome:
    """Simulate and measure one association."""
    association = simulate(case)
    start = time.process_time()
    measured = measure_alignment(association.product, association.singles, association.parameters)
    return Outcome(case, association.truth, measured, round(time.process_time() - start, 3))


def measure(cases: list[Case], store: Path, processes: int) -> None:
    """Measure the cases that the store does not hold yet, and append each as soon as it is done."""
    done = {outcome.case.name for outcome in read_store(store)}
    waiting = [case for case in cases if case.name not in done]
    if processes == 1:
        append(store, map(_run, waiting))
        return
    with ProcessPoolExecutor(processes) as pool:
        append(store, pool.map(_run, waiting))


def append(store: Path, outcomes: Iterable[Outcome]) -> None:
    """Write outcomes to the end of the store, a line each; a line that was cut off before goes."""
    if store.exists():
        whole = store.read_bytes()
        os.truncate(store, whole.rfind(b"\n") + 1)
    with store.open("a", encoding="utf-8") as file:
        for outcome in outcomes:
            file.write(JSON.dumps(outcome) + "\n")
            file.flush()


def read_store(store: Path) -> list[Outcome]:
    """Outcomes of a store; none where there is no file. A last line that was cut off is passed over."""
    if not store.exists():
        return []
    lines = store.read_text(encoding="utf-8").splitlines(keepends=True)
    return [JSON.loads(line, Outcome) for line in lines if line.endswith("\n")]


def true_offsets(truth: Truth) -> np.ndarray:
    """Offset of every exposure against the mean of the others, shape (n_exposures, 2), pixels."""
    places = np.array(truth.offsets_pix)
    return (places - places.mean(0)) * len(places) / (len(places) - 1)


def as_json(value: Any) -> str:
    """Readable JSON of records and plain values."""
    return json.dumps(JSON.unstructure(value), indent=1) + "\n"
