"""Errors survive the way between processes with everything that they carry."""

from __future__ import annotations

import copy
import pickle

import pytest

from astrodriz_core.errors import AstrodrizError, DifferentInputError, InputError, MissingFilesError

LONGEST_LINE = 4000

ERRORS = [
    InputError("wrong", where="a.fits[SCI,1]", remedy="Fetch it."),
    MissingFilesError("missing", files=("a.fits", "b.fits"), where="folder", remedy="Fetch them."),
    DifferentInputError("differs", expected="0" * 64, found="1" * 64, where="a.fits"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("travel", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))], ids=["copy", "pickle"])
def test_a_copy_says_the_same(error, travel):
    arrived = travel(error)
    assert type(arrived) is type(error)
    assert isinstance(arrived, AstrodrizError)
    assert vars(arrived) == vars(error)
    assert str(arrived) == str(error)


def test_a_message_of_any_length_stays_one_line_that_begins_and_ends_as_it_did():
    text = str(InputError(f"cannot be {'y' * 100_000} at all.", where="a.fits", remedy="Give another."))
    assert text.startswith("a.fits: cannot be yyy") and text.endswith("yyy at all. Give another.")
    assert len(text) < LONGEST_LINE and "97" in text and text.isprintable()
