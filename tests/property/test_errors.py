"""Errors survive the way between processes with everything that they carry."""

from __future__ import annotations

import copy
import pickle

import pytest

from astrodriz_core.errors import AstrodrizError, DifferentInputError, InputError, MissingFilesError

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
