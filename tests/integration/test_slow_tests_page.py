"""The page that tells of the last run of the slow tests."""

from slow_tests_page import commit_in_use, page, read_cases

JUNIT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" timestamp="2026-11-21T18:00:00" tests="4">
<testcase classname="tests.integration.test_b" name="test_kills_leave_one_set" time="60.2">
<properties><property name="kills" value="200"/></properties></testcase>
<testcase classname="tests.integration.test_a" name="test_cells[one]" time="1.0"/>
<testcase classname="tests.integration.test_a" name="test_cells[two]" time="2.0">
<failure message="no">x</failure></testcase>
<testcase classname="tests.integration.test_a" name="test_cells[three]" time="0.0"><skipped message="no"/></testcase>
</testsuite></testsuites>
"""


def test_the_page_counts_the_cases_of_each_test(tmp_path):
    (tmp_path / "slow.xml").write_text(JUNIT)
    text = page(read_cases(tmp_path / "slow.xml"), commit="abc", date="2026-11-21", machine="a machine")
    assert "commit abc, 2026-11-21, a machine; 2 passed, 1 failed, 1 skipped, 63 s of tests." in text
    assert text.splitlines()[-2:] == [
        "| `tests/integration/test_a.py`: cells | 3 | 1 | 1 | 1 | 3 |  |",
        "| `tests/integration/test_b.py`: kills leave one set | 1 | 1 | 0 | 0 | 60 | kills: 200 |",
    ]


def test_an_error_in_a_fixture_counts_as_failed(tmp_path):
    (tmp_path / "slow.xml").write_text(JUNIT.replace("failure", "error"))
    assert [case.outcome for case in read_cases(tmp_path / "slow.xml")].count("failed") == 1


def test_a_case_that_was_run_again_counts_once_and_the_page_says_so(tmp_path):
    (tmp_path / "slow.xml").write_text(JUNIT)
    (tmp_path / "again.xml").write_text(
        '<testsuite><testcase classname="tests.integration.test_a" name="test_cells[two]" time="3.0"/></testsuite>'
    )
    cases = read_cases(tmp_path / "slow.xml", tmp_path / "again.xml")
    text = page(cases, commit="abc", date="2026-11-21", machine="a machine", again=1)
    assert "3 passed, 0 failed, 1 skipped, 64 s of tests; 1 run again." in text


def test_a_page_without_cases_says_so():
    assert "0 passed, 0 failed" in page([], commit=commit_in_use(), date="", machine="")
