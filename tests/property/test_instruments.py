"""The table of detectors, and the electronics of an exposure from its header values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrodriz_core.errors import InputError
from astrodriz_core.instruments.detectors import (
    DETECTORS,
    DetectorDescription,
    DetectorKind,
    Electronics,
    ReadoutDirection,
    SignalUnit,
    dark_electrons,
    detector_description,
    electrons_per_unit,
    gain,
    readout_direction,
    readout_noise_electrons,
)

positive = st.floats(0.1, 100.0)
every_detector = pytest.mark.parametrize("description", DETECTORS.values(), ids=DETECTORS.keys())


def test_the_detectors_of_the_archive() -> None:
    assert set(DETECTORS) == {
        "WFC3/UVIS",
        "WFC3/IR",
        "ACS/WFC",
        "ACS/HRC",
        "ACS/SBC",
        "WFPC2/PC",
        "STIS/CCD",
        "STIS/FUV-MAMA",
        "STIS/NUV-MAMA",
        "NICMOS/1",
        "NICMOS/2",
        "NICMOS/3",
    }


@pytest.mark.parametrize(
    ("name", "sigma", "bits"),
    [
        ("WFC3/IR", 2.0, 512),
        ("WFC3/UVIS", 1.5, 1360),
        ("ACS/WFC", 1.5, 1360),
        ("ACS/SBC", 2.0, 0),
        ("ACS/HRC", 1.5, 1360),
        ("WFPC2/PC", 1.5, 1360),
    ],
)
def test_figures_of_the_focus_index(name: str, sigma: float, bits: int) -> None:
    assert (DETECTORS[name].log_sigma_pixels, DETECTORS[name].good_bits) == (sigma, bits)


@every_detector
def test_descriptions_are_complete(description: DetectorDescription) -> None:
    assert description.reference_variable in {"iref", "jref", "nref", "oref", "uref"}
    assert 0.02 < description.pixel_scale_arcsec < 0.25
    assert 0.05 <= description.psf_fwhm_arcsec <= 0.25
    assert description.readout
    assert len(description.chips) == 1 or description.chip_keyword
    assert description.gain_keywords or description.gain_constant is not None
    assert bool(description.dark_keyword) != (description.dark_rate is not None)
    moves = any(readout.direction is not ReadoutDirection.NONE for readout in description.readout)
    assert moves is (description.kind is DetectorKind.CCD)


@pytest.mark.parametrize(
    ("instrume", "detector", "name"),
    [
        ("WFC3", "IR", "WFC3/IR"),
        (" wfc3 ", "uvis ", "WFC3/UVIS"),
        ("NICMOS", "3", "NICMOS/3"),
        ("WFPC2", "", "WFPC2/PC"),
        ("WFPC2", "4", "WFPC2/PC"),
    ],
)
def test_lookup(instrume: str, detector: str, name: str) -> None:
    assert detector_description(instrume, detector).name == name


def test_unknown_detector_lists_the_known_ones() -> None:
    with pytest.raises(InputError) as caught:
        detector_description("COS", "FUV")
    assert "'COS/FUV'" in str(caught.value)
    assert all(name in str(caught.value) for name in DETECTORS)


@given(st.lists(positive, min_size=1, max_size=4), st.lists(positive, min_size=1, max_size=4))
def test_amplifiers_are_averaged(gains: list[float], noises: list[float]) -> None:
    electronics = Electronics(chip=1, gains=tuple(gains), read_noises=tuple(noises))
    description = DETECTORS["ACS/WFC"]
    assert gain(description, electronics) == pytest.approx(sum(gains) / len(gains))
    assert readout_noise_electrons(description, electronics) == pytest.approx(sum(noises) / len(noises))


def test_amplifiers_that_were_not_used_do_not_count() -> None:
    electronics = Electronics(chip=1, gains=(0.0, 2.0, 0.0, 3.0), read_noises=(0.0, 4.0, 0.0, 5.0))
    assert gain(DETECTORS["ACS/HRC"], electronics) == 2.5
    assert readout_noise_electrons(DETECTORS["ACS/HRC"], electronics) == 4.5


@pytest.mark.parametrize(
    ("chip", "commanded", "expected"),
    [(1, 7.0, (7.12, 5.24)), (3, 15.0, (13.95, 6.99)), (4, 15.0, (13.95, 8.32))],
)
def test_wfpc2_takes_measured_values(chip: int, commanded: float, expected: tuple[float, float]) -> None:
    electronics = Electronics(chip=chip, gains=(commanded,))
    description = DETECTORS["WFPC2/PC"]
    assert (gain(description, electronics), readout_noise_electrons(description, electronics)) == expected


@pytest.mark.parametrize("gains", [(), (8.0,), (7.0, 7.0)])
def test_wfpc2_gain_that_was_never_measured_is_refused(gains: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="ATODGAIN"):
        readout_noise_electrons(DETECTORS["WFPC2/PC"], Electronics(chip=1, gains=gains))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("ACS/SBC", (1.0, 0.0)), ("STIS/NUV-MAMA", (1.0, 0.0)), ("NICMOS/1", (5.4, 26.0)), ("NICMOS/3", (6.5, 29.0))],
)
def test_constants_where_there_are_no_keywords(name: str, expected: tuple[float, float]) -> None:
    electronics = Electronics(chip=1)
    found = gain(DETECTORS[name], electronics), readout_noise_electrons(DETECTORS[name], electronics)
    assert found == expected


def test_missing_keywords_are_named() -> None:
    with pytest.raises(InputError, match="ATODGNA"):
        gain(DETECTORS["WFC3/UVIS"], Electronics(chip=1))
    with pytest.raises(InputError, match="READNSEA"):
        readout_noise_electrons(DETECTORS["WFC3/UVIS"], Electronics(chip=1, read_noises=(0.0,)))
    with pytest.raises(InputError, match="MEANDARK"):
        dark_electrons(DETECTORS["WFC3/UVIS"], Electronics(chip=1))
    with pytest.raises(InputError, match="DARKTIME"):
        dark_electrons(DETECTORS["WFPC2/PC"], Electronics(chip=1))


def test_dark_is_the_keyword_or_rate_times_time() -> None:
    assert dark_electrons(DETECTORS["ACS/WFC"], Electronics(chip=1, dark=1.5, dark_time=100.0)) == 1.5
    assert dark_electrons(DETECTORS["WFPC2/PC"], Electronics(chip=1, dark_time=100.0)) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("bunit", "electrons", "is_rate"),
    [("ELECTRONS", 1.0, False), ("ELECTRONS/S", 1.0, True), ("COUNTS", 2.0, False), ("COUNTS/S", 2.0, True)],
)
def test_only_counts_need_the_gain(bunit: str, electrons: float, is_rate: bool) -> None:
    unit = SignalUnit(bunit)
    assert electrons_per_unit(DETECTORS["ACS/WFC"], Electronics(chip=1, gains=(2.0,)), unit) == electrons
    assert unit.is_rate is is_rate


@pytest.mark.parametrize(
    ("name", "chip", "amplifiers", "expected"),
    [
        ("ACS/WFC", 2, "ABCD", ReadoutDirection.DOWN),
        ("ACS/WFC", 1, "ABCD", ReadoutDirection.UP),
        ("WFC3/UVIS", 1, "A", ReadoutDirection.UP),
        ("ACS/HRC", 1, "C", ReadoutDirection.DOWN),
        ("ACS/HRC", 1, "A", ReadoutDirection.UP),
        ("ACS/HRC", 1, "", ReadoutDirection.NONE),
        ("WFPC2/PC", 3, "", ReadoutDirection.DOWN),
        ("STIS/CCD", 1, "D", ReadoutDirection.UP),
        ("WFC3/IR", 1, "ABCD", ReadoutDirection.NONE),
    ],
)
def test_direction_by_chip_then_amplifier(name: str, chip: int, amplifiers: str, expected: ReadoutDirection) -> None:
    assert readout_direction(DETECTORS[name], Electronics(chip=chip, amplifiers=amplifiers)) is expected
