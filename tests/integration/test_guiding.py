"""The guiding check on files: what is trailed, what cannot be judged, and the scale at which it is measured."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from test_detectors import binned

from astrodriz import Settings, SimulationSpec, simulate_association
from astrodriz_core.errors import NoViableDataError
from astrodriz_core.records.verification import GuidingOutcome
from astrodriz_io.run import guiding
from astrodriz_io.run.guiding import find_trailed_exposures

SETTINGS = Settings(verify_guiding=True)
TRAIL_PIXELS = 4


@pytest.fixture
def trailed(ir_association, tmp_path) -> tuple[Path, ...]:
    """Two exposures during which the telescope drifted along x."""
    files = tuple(Path(shutil.copy(path, tmp_path)) for path in ir_association.flt[:2])
    for path in files:
        with fits.open(path, mode="update") as hdus:
            image = hdus["SCI", 1].data
            image[:] = np.mean([np.roll(image, step, axis=1) for step in range(TRAIL_PIXELS)], axis=0)
    return files


def test_exposures_during_which_the_telescope_drifted_are_not_combined(trailed):
    with pytest.raises(NoViableDataError, match="trailed"):
        find_trailed_exposures(trailed, SETTINGS)


@pytest.mark.parametrize(("keyword", "value"), [("OBSTYPE", "SPECTROSCOPIC"), ("MTFLAG", "T"), ("SCAN_TYP", "C")])
def test_spectra_and_trails_that_are_meant_are_not_judged(trailed, keyword, value):
    for path in trailed:
        fits.setval(path, keyword, value=value)
    result = find_trailed_exposures(trailed, SETTINGS)
    assert {check.outcome for check in result.checks} == {GuidingOutcome.UNDETERMINED}
    assert result.left_out == frozenset()
    assert result.settings == SETTINGS
    assert all(keyword in check.reason for check in result.checks)


def test_sources_of_a_binned_exposure_are_as_wide_as_its_pixels_make_them(tmp_path, monkeypatch):
    spec = SimulationSpec(detector="STIS/CCD", size=80, exposures=1, singleton=True)
    (path,) = simulate_association(tmp_path, spec).flt
    binned(path)
    seen = []
    check = guiding.check_guiding
    monkeypatch.setattr(guiding, "check_guiding", lambda image, how: seen.append(how) or check(image, how))
    find_trailed_exposures([path], SETTINGS)
    assert seen[0].pixel_scale_arcsec == pytest.approx(2 * 0.0507, rel=0.01)
    assert seen[0].psf_fwhm_pix == pytest.approx(0.08 / (2 * 0.0507), rel=0.01)
