"""The benchmark of the verification's error rates: its plan, its store, and the page that it writes."""

from __future__ import annotations

from collections import Counter

import pytest

import verification_cases
from astrodriz_core.verify.calibration import CALIBRATION
from calibrate_verification import concentrations, fitted, offset_errors, redrawn, scatter_by_number
from verification_cases import ALIGNED, BLURRED, SCHEDULE, Case, Situation, measure, planned, read_store, true_offsets
from verification_page import curve, page
from verification_rates import Rate, plain, summarise

SITUATIONS = (ALIGNED, Situation(offset_pix=0.2), Situation(offset_pix=1.0), BLURRED)
CASES = [Case("ACS/WFC", "crowded", 3, situation, 256, 5) for situation in SITUATIONS]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("rates") / "store.jsonl"
    measure(CASES, path, 1)
    return path


def test_a_longer_plan_begins_with_the_shorter_one_and_is_balanced():
    long = planned(2000, 3)
    assert planned(700, 3) == long[:700]
    assert {case.size for case in planned(50, 3, 640)} == {640}
    assert len({case.name for case in long}) == 2000
    turns = Counter(case.situation for case in long)
    assert all(abs(turns[situation] - 2000 * n / sum(SCHEDULE.values())) <= n for situation, n in SCHEDULE.items())
    for quality in ("camera", "field", "n_exposures"):
        counts = Counter(getattr(case, quality) for case in long if case.situation == ALIGNED)
        assert max(counts.values()) < 1.2 * min(counts.values())


def test_what_the_store_holds_is_not_measured_again_and_a_cut_line_is(store, tmp_path, monkeypatch):
    copy = tmp_path / "store.jsonl"
    copy.write_bytes(store.read_bytes()[:-100])
    assert [outcome.case for outcome in read_store(copy)] == CASES[:-1]
    again = []
    simulate = verification_cases.simulate
    monkeypatch.setattr(verification_cases, "simulate", lambda case: again.append(case) or simulate(case))
    measure(CASES, copy, 1)
    assert again == CASES[-1:]
    assert [(one.case, one.measurements) for one in read_store(copy)] == [
        (one.case, one.measurements) for one in read_store(store)
    ]


def test_the_case_that_is_off_is_off_by_so_much(store):
    outcomes = read_store(store)
    assert true_offsets(outcomes[2].truth)[-1] @ true_offsets(outcomes[2].truth)[-1] == pytest.approx(1, abs=0.1)
    assert [outcome.truth.blurs_pix[-1] for outcome in outcomes] == [0, 0, 0, 1.0]


def test_the_page_tells_every_rate_and_the_curve_is_drawn(store, tmp_path):
    summary = summarise(read_store(store), None, 0)
    text = page(summary, "curve.png")
    for words in (
        "off by 1 pixel; scatter 0.01",
        "| 100.0 %, 2.5 to 100.0 (1) |",
        "blurred by 1 pixel",
        "](curve.png)",
    ):
        assert words in text
    groups = summary["groups"]
    assert groups["all"]["off by 0.2"] == Rate(1, 1)
    assert groups["all"]["blurred"] == Rate(1, 1)
    assert groups["all"]["false alarms"] == Rate(0, 1)
    assert plain(groups["2 exposures"]["false alarms"])["rate"] is None
    curve(summary["situations"], tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_intervals_are_those_of_clopper_and_pearson():
    assert Rate(0, 10).interval == (0.0, 0.3085)
    assert Rate(10, 10).interval == (0.6915, 1.0)
    assert Rate(27, 30).interval == (0.7347, 0.9789)


def test_the_calibration_is_fitted_to_what_was_measured(store):
    outcomes = read_store(store)
    errors, (good, blurred) = offset_errors(outcomes), concentrations(outcomes)
    assert sum(row.number for row in scatter_by_number("offsets", errors["matched sources"])) == 6
    assert (len(good), len(blurred)) == (9, 1)
    rates = redrawn(outcomes, CALIBRATION, CALIBRATION.jitter_pix, 0.0, 30)
    assert rates[0].misaligned_of_determined < 0.1
    assert redrawn(outcomes, CALIBRATION, 0.01, 0.5, 10)[0].misaligned_of_determined == 1
    assert fitted(errors, good, blurred, rates).jitter_pix == CALIBRATION.jitter_pix
