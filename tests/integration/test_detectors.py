"""Every detector and mode, end to end: units, fluxes and positions of the product's stars against the truth, and the
verdict on an association of which one exposure is off its place."""

from __future__ import annotations

from collections.abc import Callable, Container
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from _pytest.mark import ParameterSet
from astropy.io import fits
from attrs import evolve, field, frozen
from star_photometry import compare_stars
from whole_runs import copied

from astrodriz import (
    RunOutcome,
    Settings,
    SilentProgress,
    SimulatedAssociation,
    SimulationSpec,
    Stage,
    Verdict,
    process,
    settings_from_environment,
    simulate_association,
    verify,
)
from astrodriz_io.inputs.exposures import read_exposure
from astrodriz_io.simulate import FieldKind
from astrodriz_io.simulate.detectors import detector_model

SIZE = 160
FLUX_TOLERANCE = 0.01
POSITION_TOLERANCE_PIX = 0.03
LEAST_STARS = 10

Change = Callable[[Path], None]


@frozen
class Mode:
    """How exposures differ from what the simulator makes of a detector: by the spec, or a change of each file."""

    name: str
    detector: str
    unit: str
    spec: dict[str, Any] = field(factory=dict)
    change: Change | None = None
    size: int = SIZE
    binning: int = 1


def in_unit(path: Path, unit: str, factor: float) -> None:
    """Give an exposure in another unit: `factor` of it make one of the old."""
    with fits.open(path, mode="update") as hdus:
        for hdu in hdus:
            if hdu.name in ("SCI", "ERR"):
                hdu.data = (hdu.data * factor).astype(np.float32)
            if hdu.name == "SCI":
                hdu.header["BUNIT"] = unit


def per_second(path: Path, unit: str) -> None:
    in_unit(path, unit, 1.0 / read_exposure(path).exposure_time)


def times_seconds(path: Path, unit: str) -> None:
    in_unit(path, unit, read_exposure(path).exposure_time)


def one_amplifier(path: Path, letter: str) -> None:
    """Read by one amplifier; the headers have 0 for the others."""
    with fits.open(path, mode="update") as hdus:
        header = hdus[0].header
        header["CCDAMP"] = letter
        for other in set("ABCD") - {letter}:
            header[f"ATODGN{other}"] = header[f"READNSE{other}"] = 0.0


def binned(path: Path) -> None:
    """Add up two by two pixels, as the readout electronics do."""
    with fits.open(path, mode="update") as hdus:
        for hdu in hdus[1:]:
            ny, nx = (n // 2 for n in hdu.data.shape)
            blocks = hdu.data[: 2 * ny, : 2 * nx].reshape(ny, 2, nx, 2)
            if hdu.name == "SCI":
                hdu.data = blocks.sum(axis=(1, 3))
                _bin_header(hdu.header)
            elif hdu.name == "ERR":
                hdu.data = np.sqrt((blocks**2).sum(axis=(1, 3)))
            else:
                hdu.data = np.bitwise_or.reduce(np.bitwise_or.reduce(blocks, axis=3), axis=1)


def _bin_header(header: fits.Header) -> None:
    for axis in (1, 2):
        header[f"BINAXIS{axis}"] = 2
        header[f"LTM{axis}_{axis}"] = 0.5
        header[f"LTV{axis}"] = header[f"LTV{axis}"] / 2 + 0.25
        header[f"CRPIX{axis}"] = (header[f"CRPIX{axis}"] - 0.5) / 2 + 0.5
        for other in (1, 2):
            header[f"CD{axis}_{other}"] *= 2


MODES = (
    Mode("full frame", "WFC3/UVIS", "ELECTRONS/S"),
    Mode("full frame", "WFC3/IR", "ELECTRONS/S"),
    Mode("full frame", "ACS/WFC", "ELECTRONS/S"),
    Mode("full frame", "ACS/HRC", "ELECTRONS/S"),
    Mode("full frame", "ACS/SBC", "ELECTRONS/S"),
    Mode("full frame", "WFPC2/PC", "COUNTS/S"),
    Mode("full frame", "STIS/CCD", "COUNTS/S"),
    Mode("full frame", "STIS/FUV-MAMA", "COUNTS/S"),
    Mode("full frame", "STIS/NUV-MAMA", "COUNTS/S"),
    Mode("full frame", "NICMOS/1", "COUNTS/S"),
    Mode("full frame", "NICMOS/2", "COUNTS/S"),
    Mode("full frame", "NICMOS/3", "COUNTS/S"),
    Mode("subarray by C", "WFC3/UVIS", "ELECTRONS/S", {"subarray": True}, partial(one_amplifier, letter="C")),
    Mode("subarray by A", "ACS/WFC", "ELECTRONS/S", {"subarray": True}, partial(one_amplifier, letter="A")),
    Mode("subarray", "WFC3/IR", "ELECTRONS/S", {"subarray": True}),
    Mode("read by D", "ACS/HRC", "ELECTRONS/S", {}, partial(one_amplifier, letter="D")),
    Mode("binned", "STIS/CCD", "COUNTS/S", {"stars": 24}, binned, size=240, binning=2),
    Mode("binned", "WFC3/UVIS", "ELECTRONS/S", {"subarray": True, "stars": 24}, binned, size=240, binning=2),
    Mode("in electrons/s", "ACS/WFC", "ELECTRONS/S", {"subarray": True}, partial(per_second, unit="ELECTRONS/S")),
    Mode("in electrons", "WFC3/IR", "ELECTRONS/S", {}, partial(times_seconds, unit="ELECTRONS")),
    Mode("in counts/s", "STIS/CCD", "COUNTS/S", {}, partial(per_second, unit="COUNTS/S")),
    Mode("from c0m and c1m", "WFPC2/PC", "COUNTS/S", {}, Path.unlink),
    Mode("in counts", "NICMOS/2", "COUNTS/S", {}, partial(times_seconds, unit="COUNTS")),
)


def modes(usual: Container[tuple[str, str]]) -> list[ParameterSet]:
    """Every mode, of which those that are not usual are slow: each takes seconds."""
    return [
        pytest.param(
            mode,
            marks=() if (mode.detector, mode.name) in usual else pytest.mark.slow,
            id=f"{mode.detector} {mode.name}",
        )
        for mode in MODES
    ]


USUAL_PRODUCTS = {
    ("WFC3/IR", "full frame"),
    ("ACS/SBC", "full frame"),
    ("NICMOS/3", "full frame"),
    ("ACS/WFC", "subarray by A"),
    ("STIS/CCD", "binned"),
    ("WFC3/IR", "in electrons"),
    ("WFPC2/PC", "from c0m and c1m"),
}
"""At least one of every instrument, of every unit, of every form."""


@pytest.mark.parametrize("mode", modes(USUAL_PRODUCTS))
def test_a_product_of_every_detector_has_the_true_fluxes_and_positions(mode: Mode, tmp_path: Path) -> None:
    spec = SimulationSpec(
        detector=mode.detector,
        size=mode.size,
        exposures=2,
        sky=FieldKind.STANDARDS,
        cosmic_ray_rate=0.0,
        pointing_arcsec=0.0,
        roll_deg=0.0,
        jitter_pix=0.0,
        **mode.spec,
    )
    association = simulated(mode, spec, tmp_path)
    record = process(association.input, environment=references_only(association), num_cores=1, headerlets=False)
    assert record.outcome is RunOutcome.DONE
    assert record.detector == mode.detector
    both = association.flc and association.flc[0].exists()
    assert {product.suffix for product in record.products} == ({"drc", "drz"} if both else {"drz"})
    for product in record.products:
        path = tmp_path / product.filename
        assert product.units == fits.getval(path, "BUNIT", "SCI") == mode.unit
        assert product.exposures == association.rootnames
        stars = compare_stars(path, association)
        gain = mean_gain(spec) if mode.unit == "COUNTS/S" else 1.0
        assert len(stars.flux) >= LEAST_STARS
        assert np.median(stars.flux) * gain == pytest.approx(1.0, abs=FLUX_TOLERANCE)
        np.testing.assert_allclose(np.median(stars.offset, axis=0), 0.0, atol=POSITION_TOLERANCE_PIX)


OFF_PIXELS = 1.5
STARS = 60
USUAL_VERDICTS = {("ACS/SBC", "full frame"), ("STIS/FUV-MAMA", "full frame"), ("STIS/CCD", "binned")}


@pytest.mark.parametrize("each", modes(USUAL_VERDICTS))
def test_an_exposure_off_its_place_is_found_on_every_detector(each: Mode, tmp_path: Path) -> None:
    off = ((1, OFF_PIXELS * each.binning),)
    plain = SimulationSpec(detector=each.detector, size=each.size, exposures=3, misalign=off, **each.spec)
    spec = evolve(plain, stars=STARS)
    association = simulated(each, spec, tmp_path)
    settings, _ = settings_from_environment(Settings(num_cores=1), association.environment)
    found = verify(association.input, settings, SilentProgress())
    assert found.verdict is Verdict.MISALIGNED
    assert found.worst is not None
    assert found.worst.rootname == association.rootnames[1]
    pixel = spec.model.idctab.row(spec.reference_chip.number).scale
    measured = found.worst.offset_pix * found.measurements.pixel_scale_arcsec / pixel
    assert measured == pytest.approx(OFF_PIXELS * each.binning, rel=0.1)


def test_a_run_notices_a_misplaced_exposure_where_no_cosmic_rays_are_looked_for(tmp_path: Path) -> None:
    spec = SimulationSpec(detector="ACS/SBC", size=SIZE, exposures=3, stars=STARS, misalign=((1, OFF_PIXELS),))
    association = simulate_association(tmp_path, spec)
    record = process(association.input, environment=references_only(association), num_cores=1, headerlets=False)
    default = next(stage for stage in record.stages if stage.stage is Stage.DEFAULT)
    assert record.parameters is not None
    assert not record.parameters.driz_separate
    assert default.verification is not None
    assert default.verification.verdict is Verdict.MISALIGNED
    assert default.drizzle is not None
    assert default.drizzle.cosmic_rays == ()


def test_the_alignment_of_spectra_is_undetermined(misaligned_association: SimulatedAssociation, tmp_path: Path) -> None:
    path = copied(misaligned_association, tmp_path / "run")
    for flt in path.parent.glob("*_flt.fits"):
        fits.setval(flt, "OBSTYPE", value="SPECTROSCOPIC")
    settings, _ = settings_from_environment(Settings(num_cores=1), misaligned_association.environment)
    found = verify(path, settings, SilentProgress())
    assert {policy.verdict for policy in found.policies} == {Verdict.UNDETERMINED}
    assert "OBSTYPE is not IMAGING" in found.reason
    assert found.worst is None


def simulated(mode: Mode, spec: SimulationSpec, folder: Path) -> SimulatedAssociation:
    """An association in the form of a mode."""
    association = simulate_association(folder, spec)
    if mode.change is not None:
        for path in association.flt:
            mode.change(path)
        for path in association.flc:
            path.unlink()
    return association


def references_only(association: SimulatedAssociation) -> dict[str, str]:
    """The simulated references, and no alignment: the pointing in the headers is the truth."""
    return association.environment | {
        "ASTROMETRY_APPLY_APRIORI": "off",
        "ASTROMETRY_COMPUTE_APOSTERIORI": "off",
    }


def mean_gain(spec: SimulationSpec) -> float:
    model = detector_model(spec.detector)
    return float(np.mean([chip.gain or model.electronics.gain for chip in model.chips]))
