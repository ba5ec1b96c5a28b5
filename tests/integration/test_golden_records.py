"""Records of real runs of every outcome: sound, and told alike by page, trailer, terminal and explanation."""

import re
from functools import cache

import pytest
from golden_runs import GOLDEN_RUNS, golden_record

from astrodriz import Stage, StageOutcome, diff, explain
from astrodriz_core.decide.invariants import check_record
from astrodriz_core.decide.selection import standing_stage, standing_verification
from astrodriz_core.records.verification import GuidingOutcome
from astrodriz_core.tell.verdict import alignment_sentence, last_line, verdict, why
from astrodriz_io.commands.verify import describe_verification
from astrodriz_io.record_files.trailer import summary, trailer
from astrodriz_io.report.headline import concerns
from astrodriz_io.report.page import report_page

PIPELINE_DEFAULT = "IDC_sim00101i (pipeline default, not fitted to a catalogue)"
A_PRIORI = "IDC_sim00101i-HSC30 (a priori, position from the Hubble Source Catalog)"
NO_SOLUTION = "No a priori solution: its source gave no answer."
NOT_ASKED = "No fit was asked for."
PREFERRED = "is preferred to the a priori solution and the pipeline default."

VERDICTS = {
    "aligned": (
        "IDC_sim00101i-FIT_REL_GAIAeDR3 (fit to Gaia, 3 stars, 1.9 mas rms)",
        "Exposures agree to 2.4 +- 2.1 mas.",
    ),
    "aligned-acs": (
        "IDC_sim00201j-FIT_REL_GAIAeDR3 (fit to Gaia, 6 stars, 2.6 mas rms)",
        "Exposures agree to 0.2 +- 0.4 mas.",
    ),
    "mended": (
        "IDC_sim00101i-FIT_REL_GAIAeDR3 (fit to Gaia, 3 stars, 1.6 mas rms)",
        "Exposures agree to 2.2 +- 1.5 mas.",
        "The fit mended a misalignment of 257.8 +- 1.7 mas.",
    ),
    "misaligned": (
        PIPELINE_DEFAULT,
        "Exposures are NOT aligned: i00101a3q is 257.8 +- 1.7 mas off the others.",
        NO_SOLUTION,
        NOT_ASKED,
    ),
    "apriori-reverted": (
        PIPELINE_DEFAULT,
        "Exposures agree to 3.5 +- 2.1 mas.",
        "The a priori solution was turned down: it would leave the exposures 296.4 +- 2.2 mas apart.",
        NOT_ASKED,
    ),
    "aposteriori-reverted": (
        PIPELINE_DEFAULT,
        "Exposures agree to 2.4 +- 2.5 mas.",
        "The fit was turned down.",
        NO_SOLUTION,
    ),
    "no-service": (
        PIPELINE_DEFAULT,
        "Exposures agree to 3.5 +- 2.1 mas.",
        NO_SOLUTION,
        "No fit to Gaia: no catalogue was available.",
    ),
    "no-fit": (
        A_PRIORI,
        "Exposures agree to 3.4 +- 2.1 mas.",
        "No fit to Gaia: there is 1 match; a fit needs 3.",
    ),
    "single": (
        "IDC_sim00101i-FIT_IMG_GAIAeDR3 (fit to Gaia, 3 stars, 1.3 mas rms)",
        "Alignment not verified: one exposure has nothing to be aligned to.",
    ),
    "trailed": (
        PIPELINE_DEFAULT,
        "Exposures agree to 3.5 +- 2.3 mas.",
        "No alignment was tried, since an exposure is trailed.",
        "i00101a3q is left out: trailed.",
    ),
    "excluded": (
        A_PRIORI,
        "Exposures agree to 3.5 +- 2.3 mas.",
        "No fit to Gaia: there are 2 matches; a fit needs 3.",
        "i00101a3q is left out: EXPTIME is 0 s.",
    ),
    "undetermined": (
        A_PRIORI,
        "Alignment undetermined: no sources in common with the other exposures.",
        "No fit: the richest exposure has 3 sources; 4 are needed.",
    ),
}
"""What every report of a run says: its final WCS, how well the exposures agree, what else one has to know."""

OMITTED = "Omitted by DRIZCORR: nothing was drizzled; -f drizzles all the same."

REASONS = {
    "aligned": f"The fit {PREFERRED}",
    "aligned-acs": f"The fit {PREFERRED}",
    "mended": f"The fit {PREFERRED}",
    "misaligned": "The pipeline default is the only WCS that was made.",
    "apriori-reverted": "The a priori solution was turned down (the new product is misaligned: i00101a2q: "
    "offset 2.311 +- 0.017 pixel, limit 0.099).",
    "aposteriori-reverted": "The fit was turned down (it does not show the sources that are aligned in the default "
    "product: The products have too few sources in common).",
    "no-service": "The pipeline default is the only WCS that was made.",
    "no-fit": "The a priori solution is preferred to the pipeline default.",
    "single": f"The fit {PREFERRED}",
    "omitted": "",
    "trailed": "The pipeline default is the only WCS that was made.",
    "excluded": "The a priori solution is preferred to the pipeline default.",
    "undetermined": "The a priori solution is preferred to the pipeline default.",
}
"""Why the WCS is the one that it is."""

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


@cache
def page_of(name):
    """The page of a golden record; it takes a second, and many tests look at it."""
    return report_page(golden_record(name), None)


def head_of(page):
    return re.sub(r"<[^>]+>", "", page.partition("</header>")[0])


def test_the_record_contradicts_itself_nowhere(record):
    assert check_record(record) == ()


def test_the_stages_ended_as_the_name_of_the_run_says(name, record):
    assert tuple(stage.outcome.value for stage in record.stages) == OUTCOMES[name]


def test_the_verdict_is_told_in_the_words_of_an_astronomer(name, record):
    wcs, *sentences = VERDICTS.get(name, (None,))
    expected = OMITTED if wcs is None else " ".join((f"Final WCS: {wcs}.", *sentences))
    assert verdict(record) == expected
    assert last_line(record) == f"{expected} See {record.root}_report.html."
    assert why(record) == REASONS[name]


def test_every_report_says_the_same_of_the_alignment(name, record):
    sentence = alignment_sentence(record)
    assert sentence in head_of(page_of(name))
    assert last_line(record) == summary(record)[-1] == explain(record)[-1]
    assert last_line(record) in trailer(record).splitlines()
    if record.selection is None:
        assert record.outcome.value in trailer(record)
        assert f"{record.root}: {record.outcome.value}" in summary(record)
        assert "No WCS was chosen." in explain(record)
    else:
        assert sentence == VERDICTS[name][1]
        assert f"  alignment: {sentence}" in trailer(record).splitlines()
        assert all(f"Why this WCS: {why(record)}" in lines for lines in (summary(record), explain(record)))
        head = head_of(page_of(name))
        assert f"Final WCS: {VERDICTS[name][0]}. Why: {why(record)}" in head


def test_just_the_stage_that_was_chosen_is_called_in_use(name, record):
    standing = standing_stage(record)
    expected = [standing.stage.value] if standing_verification(record) is not None else []
    assert re.findall(r"<strong>([^<]*) \(in use\)</strong>", page_of(name)) == expected


def test_the_head_of_the_page_has_the_largest_offset_of_the_delivered_product(name, record):
    verification = standing_verification(record)
    head = page_of(name).partition("</header>")[0]
    if verification is not None and verification.worst is not None:
        assert f"<dd>{verification.worst.offset_pix:.3f} px</dd>" in head
    elif record.stages:
        assert "not measured" in head


def test_what_went_wrong_is_told_on_the_page_in_the_trailer_and_in_the_explanation(name, record):
    page, text = page_of(name), trailer(record)
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
def test_a_mended_association_was_misaligned_and_says_so(name, record):
    default = next(stage for stage in record.stages if stage.stage is Stage.DEFAULT)
    assert default.verification.verdict.value == "misaligned"
    assert "with the WCS in use they are not" in page_of(name)


def test_a_trailed_exposure_that_is_left_out_is_counted_as_such():
    head = head_of(page_of("trailed"))
    assert "3 of 4" in head
    assert "1 left out" in head


def test_names_of_files_keep_their_letters_at_the_beginning_of_a_sentence(record):
    names = {file.name for file in record.inputs}
    told = " ".join(concern.text for concern in concerns(record))
    assert not [name for name in names if f"{name[:1].upper()}{name[1:]}" in told]


def test_a_page_without_pixels_denies_no_product_that_was_made(name, record):
    assert ("No product was made." in page_of(name)) is (record.products == ())


def test_stages_that_a_trailed_exposure_forbids_are_not_called_the_users_choice():
    reasons = [stage.reason for stage in golden_record("trailed").stages if stage.outcome is StageOutcome.SKIPPED]
    assert [reason.partition(", because ")[2] for reason in reasons] == ["an exposure is trailed"] * 2


def test_no_sentence_has_two_stops_in_a_row(name, record):
    told = [page_of(name), trailer(record), *explain(record)]
    assert [text for text in told if re.search(r"[^.]\.[.;]", re.sub("<[^>]*>", "", text))] == []


@pytest.mark.parametrize("name", ["aligned", "misaligned", "undetermined"])
def test_verify_ends_with_the_agreement_of_the_exposures_and_names_each_once_in_a_line(record):
    lines = describe_verification(standing_verification(record))
    assert lines[-1] == f"{alignment_sentence(record)} Nothing was changed."
    assert not [line for line in lines if re.search(r"(\w{9}): \1", line)]
