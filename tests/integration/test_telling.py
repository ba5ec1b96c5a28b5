"""What `explain` tells of a record, and what `diff` finds between two."""

import pytest
from attrs import evolve
from example_records import association_record, omitted_record, singleton_record

from astrodriz_core.records.common import Verdict, WcsOrigin
from astrodriz_core.records.run import FileDigest, SoftwareVersion, StageOutcome
from astrodriz_core.tell.diff import LISTED, Topic, describe_changes, diff
from astrodriz_core.tell.explain import explain


@pytest.fixture(scope="module")
def record():
    return association_record()


def told(record):
    return "\n".join(explain(record))


def test_the_explanation_names_the_winner_the_others_and_why(record):
    text = told(record)
    assert record.selection.wcsname in text
    assert record.selection.reason in text
    marked = [line for line in text.splitlines() if line.startswith("*")]
    assert len(marked) == 1
    assert marked[0].split("  ")[0] == f"* {record.selection.chosen.value}"
    assert all(candidate.wcsname in text for candidate in record.selection.candidates)
    assert "turned down" in text


def test_the_explanation_has_measurements_with_their_limits(record):
    text = told(record)
    checks = [check for check in record.stages[1].verification.checks if check.decisive]
    assert any(check.reason.split(": ")[-1].rstrip(".") in text for check in checks)
    assert "limit" in text
    assert "18.5 mas before it, 11.1 mas after it" in text
    assert "300.9" not in text
    assert "by 355.1 mas" in text


def test_the_explanation_is_short(record):
    assert len(explain(record)) < 60
    assert max(map(len, explain(record))) < 250


def test_the_explanation_of_a_single_exposure_and_of_a_run_that_was_left_out():
    assert "one exposure has nothing to be aligned to" in told(singleton_record())
    assert "the catalogue gave no answer" in told(singleton_record())
    assert "omitted by DRIZCORR" in told(omitted_record())


def test_a_comparison_of_products_is_told_and_what_is_not_there_is_not(record):
    stage = record.stages[3]
    check = evolve(stage.comparison.check, reason="similarity index 0.02, limit 1")
    deciding = tuple(one for one in stage.verification.policies if one.policy is stage.verification.policy)
    bare = evolve(
        stage,
        comparison=evolve(stage.comparison, check=check),
        verification=evolve(stage.verification, policies=deciding),
        aposteriori=evolve(stage.aposteriori, relative=None),
    )
    unmoved = evolve(record.stages[2].apriori.exposures[0], east_mas=None, north_mas=None)
    before = evolve(record.stages[2], apriori=evolve(record.stages[2].apriori, exposures=(unmoved,)))
    lines = explain(evolve(record, stages=(record.stages[1], before, bare)))
    assert "  Against the default product: aligned: similarity index 0.02, limit 1." in lines
    assert not any("moved the exposures" in line or "Exposures to each other" in line for line in lines)
    # The two earlier stages have the other policies still.
    assert sum("The other policies" in line for line in lines) == 2


def test_a_position_is_told_in_full(record):
    exposure = record.stages[1].wcs[0]
    moved = evolve(exposure, chips=(evolve(exposure.chips[0], crval=(53.25, -27.5)),))
    (change,) = diff(record, changed_stage(record, wcs=(moved, *record.stages[1].wcs[1:])))
    assert change.place == f"stages[default products].wcs[{exposure.rootname}].chips[1].crval"
    assert change.after == "53.25, -27.5"


def test_a_record_does_not_differ_from_itself(record):
    assert diff(record, record) == ()
    assert describe_changes(()) == ()


def test_two_runs_that_decided_the_same_do_not_differ_by_their_dates(record):
    again = evolve(
        record,
        started="2031-01-01T00:00:00+00:00",
        sidecar=FileDigest("x.zip", "f" * 64),
        products=tuple(evolve(product, sha256="e" * 64) for product in record.products),
    )
    assert diff(record, again) == ()


def test_products_of_one_moment_are_compared_by_their_hashes(record):
    again = evolve(record, products=tuple(evolve(product, sha256="e" * 64) for product in record.products))
    (change,) = diff(record, again)
    assert (change.topic, change.before, change.after) == (Topic.PRODUCTS, "0123456789ab", "e" * 12)


def changed_stage(record, **changes):
    stages = list(record.stages)
    stages[1] = evolve(stages[1], **changes)
    return evolve(record, stages=tuple(stages))


def changed_sky(record):
    drizzle = record.stages[1].drizzle
    sky = tuple(evolve(one, value=1.5) for one in drizzle.sky[:1])
    return changed_stage(record, drizzle=evolve(drizzle, sky=(*sky, *drizzle.sky[1:])))


CHANGES = [
    (Topic.RUN, lambda r: evolve(r, detector="ACS/WFC"), "detector: WFC3/IR -> ACS/WFC"),
    (Topic.INPUTS, lambda r: evolve(r, inputs=r.inputs[1:]), "present -> none"),
    (Topic.SETTINGS, lambda r: evolve(r, settings=evolve(r.settings, force=True)), "settings.force: False -> True"),
    (
        Topic.SOFTWARE,
        lambda r: evolve(r, software=(SoftwareVersion("numpy", "3"),)),
        "software[numpy].version: 2.0.0 -> 3",
    ),
    (Topic.REFERENCES, lambda r: evolve(r, references=()), "references[w3m18525i_idc.fits]: present -> none"),
    (Topic.PARAMETERS, lambda r: evolve(r, parameters=evolve(r.parameters, final_pixfrac=0.7)), "1.0 -> 0.7"),
    (Topic.WCS, lambda r: changed_stage(r, wcs=r.stages[2].wcs), "IDC_w3m18525i -> IDC_w3m18525i-HSC30"),
    (Topic.MEASUREMENTS, changed_sky, "0.0676 -> 1.5"),
    (Topic.VERDICTS, lambda r: changed_stage(r, outcome=StageOutcome.FAILED), "done -> failed"),
    (
        Topic.SELECTION,
        lambda r: evolve(r, selection=evolve(r.selection, chosen=WcsOrigin.A_PRIORI)),
        "selection.chosen: a posteriori -> a priori",
    ),
    (Topic.PRODUCTS, lambda r: evolve(r, products=(evolve(r.products[0], exptime=1.0),)), "3246.9 -> 1.0"),
]


@pytest.mark.parametrize(("topic", "change", "line"), CHANGES, ids=[topic.value for topic, _, _ in CHANGES])
def test_a_change_is_told_under_its_heading(record, topic, change, line):
    changes = diff(record, change(record))
    assert {one.topic for one in changes} == {topic}
    lines = describe_changes(changes)
    assert lines[0] == topic.value
    assert any(line in one for one in lines[1:])


def test_a_verdict_within_a_stage_is_told_as_a_verdict(record):
    verification = evolve(record.stages[1].verification, verdict=Verdict.MISALIGNED)
    (change,) = diff(record, changed_stage(record, verification=verification))
    assert change.topic is Topic.VERDICTS


def test_long_lists_are_cut_unless_all_is_asked_for(record):
    other = evolve(record, inputs=tuple(FileDigest(f"f{i}.fits", "0") for i in range(2 * LISTED)))
    changes = diff(record, other)
    assert describe_changes(changes)[-1] == f"  and {len(changes) - LISTED} more"
    assert len(describe_changes(changes, everything=True)) == len(changes) + 1
