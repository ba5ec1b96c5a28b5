"""Grammar of sentences: numbers with their nouns, and several findings in one."""

from hypothesis import given
from hypothesis import strategies as st

from astrodriz_core.sentences import capitalised, counted, ended, joined, listed, uncapitalised


def test_a_single_thing_is_singular_and_all_other_numbers_are_plural():
    assert [counted(n, "match", "matches") for n in (0, 1, 2)] == ["0 matches", "1 match", "2 matches"]


@given(st.lists(st.from_regex(r"\A[a-z]{1,5}\.?\Z")))
def test_joined_findings_have_no_stops_between_them_and_are_told_once(findings):
    parts = joined(findings).split("; ") if findings else []
    assert parts == list(dict.fromkeys(finding.rstrip(".") for finding in findings))


def test_nothing_found_is_no_sentence():
    assert joined([]) == ""


def test_a_sentence_ends_with_one_stop():
    assert [ended(text) for text in ("a", "a.", "a..")] == ["a."] * 3


def test_names_are_put_into_a_row():
    assert [listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]


def test_a_sentence_begins_with_a_capital_and_goes_on_without_but_names_keep_theirs():
    assert capitalised("the fit to GAIA") == "The fit to GAIA"
    assert [uncapitalised(text) for text in ("There is 1", "GAIAeDR3 is", "I00101a1q: no", "")] == [
        "there is 1",
        "GAIAeDR3 is",
        "I00101a1q: no",
        "",
    ]
