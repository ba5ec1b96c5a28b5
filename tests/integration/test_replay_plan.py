"""What a replay has to do, planned from records made by hand."""

import pytest
from attrs import evolve
from example_records import SHA, association_record

from astrodriz_core.decide.selection import select_wcs
from astrodriz_core.errors import RecordError, UsageError
from astrodriz_core.records.common import Stage, WcsOrigin
from astrodriz_core.records.run import FileDigest, StageOutcome
from astrodriz_core.replay_plan import origin_in_use, plan_replay
from astrodriz_core.tell.explain import explain


def states(letter, *names):
    return tuple(FileDigest(name, letter * 64) for name in names)


@pytest.fixture(scope="module")
def record():
    """The a priori WCS turned down, the a posteriori one kept; FLC files with their FLT files."""
    given = association_record()
    stages = [
        evolve(stage, states=states(letter, "a_flc.fits")) for stage, letter in zip(given.stages, "0123", strict=False)
    ]
    stages[0] = evolve(stages[0], states=states("0", "a_flc.fits", "a_flt.fits"))
    final = evolve(given.stages[-1], companions=given.stages[1].drizzle)
    outputs = states("e", "a_flc.fits", "a_flt.fits")
    return evolve(given, stages=(*stages, final), outputs=outputs, sidecar=FileDigest("x_decisions.zip", SHA))


def test_the_run_itself_is_planned_with_all_that_it_decided(record):
    plan = plan_replay(record)
    assert (plan.last, plan.origin) == (Stage.FINAL, WcsOrigin.A_POSTERIORI)
    assert plan.states == record.stages[3].states
    assert plan.companions == states("0", "a_flt.fits")
    assert plan.drizzle == record.stages[-1].drizzle
    assert plan.companion_drizzle == record.stages[-1].companions
    assert [file.name for file in plan.expected] == ["iabc01010_drz.fits", "a_flc.fits", "a_flt.fits"]


def test_the_pipeline_default_is_repeated_and_compared_with_nothing(record):
    plan = plan_replay(record, WcsOrigin.PIPELINE_DEFAULT)
    assert plan.states == record.stages[1].states
    assert plan.drizzle == record.stages[1].drizzle
    assert plan.companion_drizzle is None
    assert plan.expected == ()


def test_a_solution_that_was_turned_down_is_repeated_as_its_stage_made_it(record):
    plan = plan_replay(record, WcsOrigin.A_PRIORI)
    assert plan.states == record.stages[2].states
    assert plan.wcs == record.stages[2].wcs
    assert plan.drizzle == record.stages[2].drizzle


def test_a_product_with_the_cosmic_rays_of_another_stage_is_combined_afresh(record):
    # Until version 2 the alignment stages took them over.
    taken_over = evolve(record.stages[2].drizzle, cosmic_rays_from="the default combination")
    stage = evolve(record.stages[2], drizzle=taken_over)
    assert (
        plan_replay(evolve(record, stages=(*record.stages[:2], stage, *record.stages[3:])), WcsOrigin.A_PRIORI).drizzle
        is None
    )


@pytest.mark.parametrize("index", range(4))
def test_each_stage_can_be_the_last(record, index):
    stage = record.stages[index]
    plan = plan_replay(record, last=stage.stage)
    assert (plan.states, plan.wcs, plan.drizzle) == (stage.states, stage.wcs, stage.drizzle)
    assert plan.companions == plan.expected == ()


def test_the_wcs_in_use_is_the_one_that_was_chosen(record):
    assert origin_in_use(record) is WcsOrigin.A_POSTERIORI
    assert origin_in_use(evolve(record, selection=select_wcs(record.stages[:3]))) is WcsOrigin.PIPELINE_DEFAULT
    with pytest.raises(RecordError, match="no WCS in use"):
        origin_in_use(evolve(record, selection=None))


def test_a_stage_that_is_not_in_the_record_is_missed(record):
    with pytest.raises(RecordError, match="no stage 'initialise'"):
        plan_replay(record, last=Stage.INITIALISE)


def test_a_stage_without_states_cannot_be_asked_for(record):
    skipped = evolve(record.stages[2], states=(), outcome=StageOutcome.SKIPPED, reason="switched off")
    with pytest.raises(UsageError, match=r"skipped \(switched off\)"):
        plan_replay(evolve(record, stages=(*record.stages[:2], skipped, *record.stages[3:])), WcsOrigin.A_PRIORI)


@pytest.mark.parametrize("parameter", ["final_refimage", "driz_sep_refimage"])
def test_reference_images_are_no_paths(record, parameter):
    with pytest.raises(RecordError, match="plain file name"):
        plan_replay(evolve(record, parameters=evolve(record.parameters, **{parameter: "../x.fits"})))
    assert plan_replay(evolve(record, parameters=None)) == plan_replay(record)


def test_what_was_not_measured_is_explained_as_such(record):
    selection = evolve(
        record.selection,
        candidates=tuple(evolve(one, registration_mas=None) for one in record.selection.candidates),
    )
    assert "misalignment not measured" in "\n".join(explain(evolve(record, selection=selection)))
