"""What `explain` tells of a record, and what `diff` finds between two."""

import pytest
from attrs import evolve
from golden_runs import GOLDEN_RUNS, golden_record

from astrodriz import StageOutcome, Verdict, WcsOrigin, describe_changes, diff, explain
from astrodriz_core.records.run import FileDigest
from astrodriz_core.records.verification import CheckOutcome
from astrodriz_core.tell.diff import LISTED, Topic
from astrodriz_core.tell.verdict import last_line, why

DEFAULT, PRIORI, POSTERIORI = 1, 2, 3


@pytest.fixture(scope="module")
def record():
    """The a priori solution was turned down, the fit was kept."""
    return golden_record("mended")


def told(record):
    return "\n".join(explain(record))


DRIZZLED = [name for name in GOLDEN_RUNS if name != "omitted"]


@pytest.mark.parametrize("name", DRIZZLED)
def test_the_explanation_names_the_winner_the_others_and_why(name):
    record = golden_record(name)
    lines = explain(record)
    assert f"Why this WCS: {why(record)}" in lines
    assert lines[-1] == last_line(record)
    listed = lines[lines.index("In order of preference:") + 1 :][: len(record.selection.candidates)]
    for line, candidate in zip(listed, record.selection.candidates, strict=True):
        mark = "*" if candidate.origin is record.selection.chosen else " "
        assert line.startswith(f"{mark} {candidate.origin.value}")
        assert candidate.wcsname in line
        assert ("turned down" in line) is not candidate.kept


def test_the_explanation_has_measurements_with_their_limits(record):
    lines = explain(record)
    (failed,) = (c for c in record.stages[DEFAULT].verification.checks if c.outcome is CheckOutcome.FAILED)
    assert f"limit {failed.threshold:.3f}" in failed.reason
    reason = failed.reason.removeprefix(f"{failed.rootname}: ")
    assert f"    failed       registration residual of {failed.rootname}: {reason}" in lines
    fit = record.stages[POSTERIORI].aposteriori
    held = fit.attempts[fit.chosen].holdout
    assert f"off by {held.before_mas:.1f} mas before it, {held.after_mas:.1f} mas after it." in told(record)
    moved = sorted((e.east_mas**2 + e.north_mas**2) ** 0.5 for e in record.stages[PRIORI].apriori.exposures)
    assert f"  They moved the exposures by {moved[0]:.1f} to {moved[-1]:.1f} mas." in lines


def test_of_the_checks_that_were_passed_the_closest_to_its_limit_is_told():
    record = golden_record("aligned")
    stage = record.stages[POSTERIORI]
    for quantity in {check.quantity for check in stage.verification.checks if check.decisive}:
        same = [c for c in stage.verification.checks if c.decisive and c.quantity is quantity]
        closest = min(same, key=lambda check: check.margin / check.threshold)
        lines = [line for line in explain(evolve(record, stages=(stage,))) if f"passed       {quantity.value}" in line]
        assert len(lines) == 1
        assert closest.rootname in lines[0]


@pytest.mark.parametrize("name", GOLDEN_RUNS)
def test_the_explanation_is_short(name):
    lines = explain(golden_record(name))
    assert len(lines) < 60
    # Three services that gave no answer have a sentence each.
    assert max(map(len, lines)) < (500 if name == "no-service" else 250)


@pytest.mark.parametrize("name", GOLDEN_RUNS)
def test_sentences_end_once(name):
    assert [line for line in explain(golden_record(name)) if line.endswith("..")] == []


def test_the_explanation_of_a_single_exposure_and_of_a_run_that_was_left_out():
    assert "one exposure has nothing to be aligned to" in told(golden_record("single"))
    assert "No WCS was chosen." in explain(golden_record("omitted"))


def test_a_service_without_an_answer_is_named():
    text = told(golden_record("no-service"))
    assert "The a priori solution was skipped: 127.0.0.1:9: The astrometry database gave no usable answer" in text
    for name in ("GAIAeDR3", "GSC242", "2MASS"):
        assert f"  Catalogue {name}: 127.0.0.1:9: The catalogue service gave no usable answer" in text


def test_fits_that_were_not_taken_say_which_check_they_failed(record):
    fit = record.stages[POSTERIORI].aposteriori
    check = evolve(fit.attempts[1].checks[0], passed=False, reason="RMS 222 mas, at most 150 mas.")
    attempts = (fit.attempts[0], evolve(fit.attempts[1], checks=(check, *fit.attempts[1].checks[1:])))
    failed = changed_stage(record, POSTERIORI, aposteriori=evolve(fit, attempts=attempts))
    assert "    not passed: RMS 222 mas, at most 150 mas" in explain(failed)
    assert "not passed" not in told(record)


def test_the_comparison_of_products_is_told_with_its_reason(record):
    comparison = record.stages[POSTERIORI].comparison
    (line,) = (line for line in explain(evolve(record, stages=record.stages[POSTERIORI:])) if "Against the" in line)
    assert line == f"  Against the default product: {comparison.verdict.value}: {comparison.check.reason}."


def test_what_was_not_measured_is_explained_as_such():
    lines = [line for line in explain(golden_record("undetermined")) if line.endswith("misalignment not measured")]
    assert len(lines) == 2


def test_what_is_not_there_is_not_told(record):
    stage, before = record.stages[POSTERIORI], record.stages[PRIORI]
    deciding = tuple(one for one in stage.verification.policies if one.policy is stage.verification.policy)
    bare = evolve(
        stage,
        verification=evolve(stage.verification, policies=deciding),
        aposteriori=evolve(stage.aposteriori, relative=None),
    )
    resting = tuple(evolve(each, east_mas=None, north_mas=None) for each in before.apriori.exposures)
    unmoved = evolve(before, apriori=evolve(before.apriori, exposures=resting))
    for word, times in (("The other policies", 3), ("moved the exposures", 1), ("Exposures to each other", 1)):
        assert told(record).count(word) == times
        lines = explain(evolve(record, stages=(record.stages[DEFAULT], unmoved, bare)))
        assert sum(word in line for line in lines) == times - 1


def test_a_position_is_told_in_full(record):
    exposure = record.stages[DEFAULT].wcs[0]
    moved = evolve(exposure, chips=(evolve(exposure.chips[0], crval=(53.25, -27.5)),))
    (change,) = diff(record, changed_stage(record, DEFAULT, wcs=(moved, *record.stages[DEFAULT].wcs[1:])))
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
    assert (change.topic, change.before, change.after) == (Topic.PRODUCTS, record.products[0].sha256[:12], "e" * 12)


def changed_stage(record, number, **changes):
    stages = list(record.stages)
    stages[number] = evolve(stages[number], **changes)
    return evolve(record, stages=tuple(stages))


def changed_sky(record):
    drizzle = record.stages[DEFAULT].drizzle
    sky = tuple(evolve(one, value=1.5) for one in drizzle.sky[:1])
    return changed_stage(record, DEFAULT, drizzle=evolve(drizzle, sky=(*sky, *drizzle.sky[1:])))


ONE = golden_record("mended")
NUMPY = next(package for package in ONE.software if package.name == "numpy")
OTHER_NUMPY = tuple(evolve(one, version="3") if one is NUMPY else one for one in ONE.software)

CHANGES = [
    (Topic.RUN, lambda r: evolve(r, detector="ACS/WFC"), "detector: WFC3/IR -> ACS/WFC"),
    (Topic.INPUTS, lambda r: evolve(r, inputs=r.inputs[1:]), "inputs[i00101010_asn.fits]: present -> none"),
    (Topic.SETTINGS, lambda r: evolve(r, settings=evolve(r.settings, force=True)), "settings.force: False -> True"),
    (
        Topic.SOFTWARE,
        lambda r: evolve(r, software=OTHER_NUMPY),
        f"software[numpy].version: {NUMPY.version} -> 3",
    ),
    (Topic.REFERENCES, lambda r: evolve(r, references=()), "references[sim00101i_idc.fits]: present -> none"),
    (Topic.PARAMETERS, lambda r: evolve(r, parameters=evolve(r.parameters, final_pixfrac=0.7)), "1.0 -> 0.7"),
    (
        Topic.WCS,
        lambda r: changed_stage(r, DEFAULT, wcs=r.stages[PRIORI].wcs),
        "chips[1].wcsname: IDC_sim00101i -> IDC_sim00101i-HSC30",
    ),
    (Topic.MEASUREMENTS, changed_sky, f"{ONE.stages[DEFAULT].drizzle.sky[0].value} -> 1.5"),
    (
        Topic.VERDICTS,
        lambda r: changed_stage(r, DEFAULT, outcome=StageOutcome.FAILED),
        "stages[default products].outcome: done -> failed",
    ),
    (
        Topic.SELECTION,
        lambda r: evolve(r, selection=evolve(r.selection, chosen=WcsOrigin.A_PRIORI)),
        "selection.chosen: a posteriori -> a priori",
    ),
    (
        Topic.PRODUCTS,
        lambda r: evolve(r, products=(evolve(r.products[0], exptime=1.0),)),
        f"products[i00101010_drz.fits].exptime: {ONE.products[0].exptime} -> 1.0",
    ),
]


@pytest.mark.parametrize(("topic", "change", "line"), CHANGES, ids=[topic.value for topic, _, _ in CHANGES])
def test_a_change_is_told_under_its_heading(record, topic, change, line):
    changes = diff(record, change(record))
    assert {one.topic for one in changes} == {topic}
    lines = describe_changes(changes)
    assert lines[0] == topic.value
    assert any(line in one for one in lines[1:])


def test_a_verdict_within_a_stage_is_told_as_a_verdict(record):
    verification = evolve(record.stages[DEFAULT].verification, verdict=Verdict.UNDETERMINED)
    (change,) = diff(record, changed_stage(record, DEFAULT, verification=verification))
    assert change.topic is Topic.VERDICTS


def test_long_lists_are_cut_unless_all_is_asked_for(record):
    other = evolve(record, inputs=tuple(FileDigest(f"f{i}.fits", "0") for i in range(2 * LISTED)))
    changes = diff(record, other)
    assert describe_changes(changes)[-1] == f"  and {len(changes) - LISTED} more"
    assert len(describe_changes(changes, everything=True)) == len(changes) + 1


def test_two_runs_on_the_same_exposures_differ_by_what_was_asked_for_and_what_came_of_it(record):
    # The second run had neither solutions nor a fit, and nothing else was another.
    changes = diff(record, golden_record("misaligned"))
    lines = describe_changes(changes, everything=True)
    assert {one.topic for one in changes}.isdisjoint({Topic.INPUTS, Topic.SOFTWARE, Topic.REFERENCES, Topic.PARAMETERS})
    for line in (
        "settings.compute_aposteriori: True -> False",
        "settings.headerlet_folder: headerlets -> none",
        "stages[a priori].outcome: reverted -> skipped",
        "stages[a posteriori].outcome: kept -> skipped",
        "stages[final products].verification.verdict: aligned -> misaligned",
        "selection.chosen: a posteriori -> pipeline default",
    ):
        assert f"  {line}" in lines
    assert not any(one.place.startswith("stages[default products]") for one in changes)


def test_an_exposure_that_was_left_out_is_found_by_diff():
    changes = diff(golden_record("aligned"), golden_record("excluded"))
    found = {one.place: (one.before, one.after) for one in changes}
    assert found["excluded[i00101a3q]"] == ("none", "present")
    assert found["inputs[i00101a3q_flt.fits].sha256"][0] != found["inputs[i00101a3q_flt.fits].sha256"][1]
    assert "inputs[i00101a1q_flt.fits].sha256" not in found
