"""What a run writes into the exposures when its products are final."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from astropy.io import fits
from tiny_files import write_exposure

from astrodriz_io.drizzling.chips import DrizzleExposure, load_exposure
from astrodriz_io.products.exposures import finish_exposures


def finished(exposures: list[DrizzleExposure], not_tried: tuple[str, ...] = ()) -> None:
    """Finish exposures whose chips have 1, 2, 3 ... as their sky."""
    sky = {chip.key: 1.0 + number for exposure in exposures for number, chip in enumerate(exposure.chips)}
    inputs = SimpleNamespace(exposures=exposures, native_sky=lambda chip: sky[chip.key])
    files = {exposure.rootname: exposure.exposure.path for exposure in exposures}
    combination: Any = SimpleNamespace(inputs=inputs)
    finish_exposures(files, combination, "2026-01-02", not_tried)


@pytest.fixture
def exposures(tmp_path: Path) -> list[DrizzleExposure]:
    names = ("a1b2c301q", "a1b2c302q")
    return [load_exposure(write_exposure(tmp_path / f"{name}_flt.fits", "WFPC2/PC")) for name in names]


def test_every_chip_of_an_exposure_gets_its_own_sky_and_region(exposures: list[DrizzleExposure]) -> None:
    finished(exposures)
    for exposure in exposures:
        with fits.open(exposure.exposure.path) as hdus:
            chips = [hdus["SCI", chip.chip.extver].header for chip in exposure.chips]
            assert hdus[0].header["DRIZCORR"] == "COMPLETE"
            assert hdus[0].header["DATE"] == "2026-01-02"
        assert [header["MDRIZSKY"] for header in chips] == [1.0, 2.0, 3.0, 4.0]
        assert all(header["S_REGION"].startswith("POLYGON ICRS ") for header in chips)


def test_stages_that_were_not_tried_are_named_until_they_are(exposures: list[DrizzleExposure]) -> None:
    finished(exposures, ("a priori", "a posteriori"))
    assert fits.getval(exposures[0].exposure.path, "NOTTRIED") == "a priori, a posteriori"
    finished(exposures)
    assert "NOTTRIED" not in fits.getheader(exposures[0].exposure.path)


def test_a_file_is_rewritten_once_however_many_chips_it_has(
    exposures: list[DrizzleExposure], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    opening = fits.open
    monkeypatch.setattr(
        fits, "open", lambda path, *more, **options: opened.append(Path(path).name) or opening(path, *more, **options)
    )
    finished(exposures)
    assert opened == [exposure.exposure.path.name for exposure in exposures]
