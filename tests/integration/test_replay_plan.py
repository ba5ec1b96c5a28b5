"""What a replay has to do, planned from the records of real runs."""

from pathlib import Path

import pytest
from attrs import evolve
from golden_runs import golden_record

from astrodriz import Stage, WcsOrigin, read_record
from astrodriz_core.errors import RecordError, UsageError
from astrodriz_core.replay_plan import origin_in_use, plan_replay

RECORDS = Path(__file__).parent / "records"


@pytest.fixture(scope="module")
def record():
    """Three FLC files with their FLT files; the WCS of the a posteriori stage was chosen."""
    return golden_record("aligned-acs")


def test_the_run_itself_is_planned_with_all_that_it_decided(record):
    plan = plan_replay(record)
    assert (plan.last, plan.origin) == (Stage.FINAL, WcsOrigin.A_POSTERIORI)
    assert plan.states == record.stages[3].states
    assert [state.name for state in plan.states] == [f"j00101a{n}q_flc.fits" for n in (1, 2, 3)]
    assert [state.name for state in plan.companions] == [f"j00101a{n}q_flt.fits" for n in (1, 2, 3)]
    assert set(plan.companions) < set(record.stages[0].states)
    assert plan.drizzle == record.stages[-1].drizzle
    assert plan.companion_drizzle == record.stages[-1].companions
    assert plan.companion_drizzle is not None
    assert plan.sidecar == record.sidecar
    products = [(product.filename, product.sha256) for product in record.products]
    assert [(file.name, file.sha256) for file in plan.expected[:2]] == products
    assert plan.expected[2:] == record.outputs


def test_the_pipeline_default_is_repeated_and_compared_with_nothing(record):
    plan = plan_replay(record, WcsOrigin.PIPELINE_DEFAULT)
    assert plan.states == record.stages[1].states
    assert plan.drizzle == record.stages[1].drizzle
    assert plan.companion_drizzle is None
    assert plan.expected == ()


def test_a_solution_that_was_turned_down_is_repeated_as_its_stage_made_it():
    record = golden_record("mended")
    plan = plan_replay(record, WcsOrigin.A_PRIORI)
    assert plan.states == record.stages[2].states
    assert plan.wcs == record.stages[2].wcs
    assert plan.drizzle == record.stages[2].drizzle
    assert plan.companions == plan.expected == ()


def test_a_product_with_the_cosmic_rays_of_another_stage_is_combined_afresh():
    # Until version 2 the alignment stages took them over.
    record = read_record(RECORDS / "version_2" / "i00101010_decisions.json")
    assert record.stages[2].drizzle.cosmic_rays_from == "the default combination"
    assert plan_replay(record, WcsOrigin.A_PRIORI).drizzle is None
    assert plan_replay(record, WcsOrigin.PIPELINE_DEFAULT).drizzle == record.stages[1].drizzle


@pytest.mark.parametrize("index", range(4))
def test_each_stage_can_be_the_last(record, index):
    stage = record.stages[index]
    plan = plan_replay(record, last=stage.stage)
    assert (plan.states, plan.wcs, plan.drizzle) == (stage.states, stage.wcs, stage.drizzle)
    assert plan.companions == plan.expected == ()


@pytest.mark.parametrize(
    ("name", "origin"),
    [
        ("aligned", WcsOrigin.A_POSTERIORI),
        ("no-fit", WcsOrigin.A_PRIORI),
        ("apriori-reverted", WcsOrigin.PIPELINE_DEFAULT),
    ],
)
def test_the_wcs_in_use_is_the_one_that_was_chosen(name, origin):
    assert origin_in_use(golden_record(name)) is origin
    assert plan_replay(golden_record(name)) == plan_replay(golden_record(name), origin)


def test_a_run_that_was_left_out_has_no_wcs_in_use():
    with pytest.raises(RecordError, match="no WCS in use"):
        origin_in_use(golden_record("omitted"))


def test_a_stage_that_is_not_in_the_record_is_missed(record):
    with pytest.raises(RecordError, match="no stage 'initialise'"):
        plan_replay(record, last=Stage.INITIALISE)


def test_a_stage_without_states_cannot_be_asked_for():
    with pytest.raises(UsageError, match=r"skipped \(the a posteriori fit is switched off\)"):
        plan_replay(golden_record("misaligned"), WcsOrigin.A_POSTERIORI)
    with pytest.raises(UsageError, match=r"skipped \(127\.0\.0\.1:9: The astrometry database"):
        plan_replay(golden_record("no-service"), last=Stage.A_PRIORI)


def test_a_choice_of_the_wcs_and_an_earlier_stage_exclude_each_other(record):
    with pytest.raises(UsageError, match="no meaning"):
        plan_replay(record, WcsOrigin.A_PRIORI, Stage.DEFAULT)


def test_records_without_what_a_replay_needs_are_refused():
    with pytest.raises(RecordError, match="omitted by DRIZCORR"):
        plan_replay(golden_record("omitted"))
    with pytest.raises(RecordError, match="early version"):
        plan_replay(read_record(RECORDS / "version_1_decisions.json"))


@pytest.mark.parametrize("parameter", ["final_refimage", "driz_sep_refimage"])
def test_reference_images_are_no_paths(record, parameter):
    with pytest.raises(RecordError, match="plain file name"):
        plan_replay(evolve(record, parameters=evolve(record.parameters, **{parameter: "../x.fits"})))
    assert plan_replay(evolve(record, parameters=None)) == plan_replay(record)
