"""The demonstration: its report tells the story of the planted error, and its last line names the report."""

import html
import json
import re
from pathlib import Path

import pytest
from attrs import evolve
from golden_runs import golden_record

from astrodriz_io.cli import astrodriz
from astrodriz_io.commands.story import story_section
from astrodriz_io.report.page import report_page
from astrodriz_io.simulate import WcsScore
from astrodriz_io.simulate.scoring import ExposureScore

BEFORE = WcsScore((ExposureScore("i00101a1q", "IDC_a", 340.0, -80.0, 350.2),), 350.2, 2.3)
AFTER = WcsScore((ExposureScore("i00101a1q", "IDC_a-FIT_REL_GAIAeDR3", 2.0, -1.0, 2.4),), 2.4, 0.9)


def text_of(page):
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def test_the_story_tells_what_was_wrong_what_was_found_and_what_was_left():
    record = golden_record("aligned")
    page = text_of(report_page(record, None, story_section(record, BEFORE, AFTER)))
    assert page.index("The planted error") < page.index("This page was made without a look at")
    assert "The headers of 1 exposure were made to point 350.2 mas rms beside the truth; to each other" in page
    moved = [e for e in record.stages[2].apriori.exposures if e.east_mas is not None]
    largest = max((e.east_mas**2 + e.north_mas**2) ** 0.5 for e in moved)
    assert f"The a priori solutions (kept) moved exposures by up to {largest:.1f} mas." in page
    assert "The fit to Gaia, 3 stars, 1.9 mas rms, moved them by another" in page
    assert "2.4 mas rms against the truth, 0.9 mas between exposures: 0.69 % of the error." in page
    assert "i00101a1q +340.0 -80.0 +2.0 -1.0 IDC_a-FIT_REL_GAIAeDR3" in page


def test_a_story_without_a_fit_says_what_the_wcs_is_and_that_the_error_is_still_there():
    record = golden_record("misaligned")
    page = text_of(report_page(record, None, story_section(record, BEFORE, evolve(BEFORE))))
    assert "Pipeline default, not fitted to a catalogue: that is the final WCS." in page
    assert "2.3 mas between exposures: the error was not removed." in page
    assert "The a priori solutions" not in page.partition("What was found.")[2].partition("What was left.")[0]


@pytest.mark.slow
def test_the_demonstration_ends_by_naming_its_report(tmp_path, capsys):
    assert astrodriz(["demo", str(tmp_path / "demo"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["summary"].endswith(f"The report tells the story: {told['page']}")
    assert told["after"]["absolute_rms_mas"] < 0.05 * told["before"]["absolute_rms_mas"]
    page = Path(told["page"]).read_text(encoding="utf-8")
    assert "The planted error" in page
    assert "data:image/png" in page
