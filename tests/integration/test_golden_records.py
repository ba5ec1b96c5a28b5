"""Records of real runs of every outcome: sound, and told alike by page, trailer, terminal and explanation."""

import re

import pytest
from golden_runs import GOLDEN_RUNS, golden_record

from astrodriz import Stage, StageOutcome, diff, explain
from astrodriz_core.decide.invariants import check_record
from astrodriz_core.decide.selection import standing_stage, standing_verification
from astrodriz_core.records.verification import GuidingOutcome
from astrodriz_core.tell.explain import alignment_sentence
from astrodriz_io.record_files.trailer import summary, trailer
from astrodriz_io.report.headline import concerns
from astrodriz_io.report.page import report_page

ALIGNED = "The exposures are aligned to each other."
SENTENCES = {
    "aligned": ALIGNED,
    "aligned-acs": ALIGNED,
    "mended": ALIGNED,
    "misaligned": "The exposures are not aligned to each other.",
    "apriori-reverted": ALIGNED,
    "aposteriori-reverted": ALIGNED,
    "no-service": ALIGNED,
    "no-fit": ALIGNED,
    "single": "Not verified: one exposure has nothing to be aligned to.",
    "omitted": "Not drizzled: omitted by DRIZCORR.",
    "trailed": ALIGNED,
    "excluded": ALIGNED,
    "undetermined": "The images do not tell whether the exposures are aligned.",
}
"""What every report of a run says of its alignment."""

OUTCOMES = {
    "aligned": ("done", "done", "kept", "kept", "done"),
    "aligned-acs": ("done", "done", "kept", "kept", "done"),
    "mended": ("done", "done", "reverted", "kept", "done"),
    "misaligned": ("done", "done", "skipped", "skipped", "done"),
    "apriori-reverted": ("done", "done", "reverted", "skipped", "done"),
    "aposteriori-reverted": ("done", "done", "skipped", "reverted", "done"),
    "no-service": ("done", "done", "skipped", "skipped", "done"),
    "no-fit": ("done", "done", "kept", "skipped", "done"),
    "single": ("done", "done", "kept", "kept", "done"),
    "omitted": (),
    "trailed": ("done", "done", "skipped", "skipped", "done"),
    "excluded": ("done", "done", "kept", "skipped", "done"),
    "undetermined": ("done", "done", "kept", "skipped", "done"),
}
"""How the stages ended: what makes each run the one that its name says."""


@pytest.fixture(params=GOLDEN_RUNS)
def name(request):
    return request.param


@pytest.fixture
def record(name):
    return golden_record(name)


def head_of(page):
    return re.sub(r"<[^>]+>", "", page.partition("</header>")[0])


def test_the_record_contradicts_itself_nowhere(record):
    assert check_record(record) == ()


def test_the_stages_ended_as_the_name_of_the_run_says(name, record):
    assert tuple(stage.outcome.value for stage in record.stages) == OUTCOMES[name]


def test_every_report_says_the_same_of_the_alignment(name, record):
    sentence = alignment_sentence(record)
    assert sentence.startswith(SENTENCES[name])
    assert sentence in head_of(report_page(record, None))
    if record.selection is None:
        assert record.outcome.value in trailer(record)
        assert f"{record.root}: {record.outcome.value}" in summary(record)
        assert f"No WCS was chosen: {record.outcome.value}." in explain(record)
    else:
        assert f"  alignment: {sentence}" in trailer(record).splitlines()
        assert f"Alignment: {sentence}" in summary(record)
        assert sentence in explain(record)


def test_just_the_stage_that_was_chosen_is_called_in_use(record):
    standing = standing_stage(record)
    expected = [standing.stage.value] if standing_verification(record) is not None else []
    assert re.findall(r"<strong>([^<]*) \(in use\)</strong>", report_page(record, None)) == expected


def test_the_head_of_the_page_has_the_largest_offset_of_the_delivered_product(record):
    verification = standing_verification(record)
    head = report_page(record, None).partition("</header>")[0]
    if verification is not None and verification.worst is not None:
        assert f"<dd>{verification.worst.offset_pix:.3f} px</dd>" in head
    elif record.stages:
        assert "not measured" in head


def test_what_went_wrong_is_told_on_the_page_in_the_trailer_and_in_the_explanation(record):
    page, text = report_page(record, None), trailer(record)
    for stage in record.stages:
        if stage.outcome in (StageOutcome.REVERTED, StageOutcome.FAILED):
            assert f"Stage {stage.stage.value} {stage.outcome.value}" in page
            assert stage.reason.rstrip(".") in text
    for excluded in record.left_out:
        assert f"{excluded.rootname} is left out" in page
        assert excluded.rootname in text
    for check in record.guiding:
        assert (f"{check.rootname} is trailed" in page) is (check.outcome is GuidingOutcome.TRAILED)
    for warning in record.warnings:
        assert warning in text


def test_the_page_tells_no_concern_twice(record):
    texts = [re.sub("^Stage [^:]*: ", "", concern.text) for concern in concerns(record)]
    assert not [text for text in texts if sum(text in other for other in texts) > 1]


def test_a_record_of_a_run_differs_from_those_of_others_and_not_from_itself(name, record):
    assert diff(record, record) == ()
    assert all(diff(record, golden_record(other)) for other in GOLDEN_RUNS if other != name)


@pytest.mark.parametrize("name", ["mended"])
def test_a_mended_association_was_misaligned_and_says_so(record):
    default = next(stage for stage in record.stages if stage.stage is Stage.DEFAULT)
    assert default.verification.verdict.value == "misaligned"
    assert "with the WCS in use they are not" in report_page(record, None)


def test_a_trailed_exposure_that_is_left_out_is_counted_as_such():
    head = head_of(report_page(golden_record("trailed"), None))
    assert "3 of 4" in head
    assert "1 left out" in head


def test_names_of_files_keep_their_letters_at_the_beginning_of_a_sentence(record):
    names = {file.name for file in record.inputs}
    told = " ".join(concern.text for concern in concerns(record))
    assert not [name for name in names if f"{name[:1].upper()}{name[1:]}" in told]


def test_a_page_without_pixels_denies_no_product_that_was_made(record):
    assert ("No product was made." in report_page(record, None)) is (record.products == ())


def test_stages_that_a_trailed_exposure_forbids_are_not_called_the_users_choice():
    reasons = [stage.reason for stage in golden_record("trailed").stages if stage.outcome is StageOutcome.SKIPPED]
    assert [reason.partition(", because ")[2] for reason in reasons] == ["an exposure is trailed"] * 2


def test_no_sentence_has_two_stops_in_a_row(name, record):
    told = [report_page(record, None), trailer(record), *explain(record)]
    assert [text for text in told if re.search(r"[^.]\.[.;]", re.sub("<[^>]*>", "", text))] == []
