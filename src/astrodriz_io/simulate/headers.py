"""Headers of simulated files: the cards of the detector's data file, filled with what the exposure says."""

from __future__ import annotations

import numpy as np
from astropy.io import fits
from astropy.time import Time, TimeDelta
from attrs import frozen

from astrodriz_core.records.common import ChipWcs
from astrodriz_io.simulate.detectors import Scalar, SimulatedChip, SimulatedElectronics
from astrodriz_io.simulate.references import reference_keywords
from astrodriz_io.simulate.spec import SimulationSpec

__all__ = [
    "CALIBRATION",
    "VAFACTOR",
    "WRITTEN",
    "ImageStatistics",
    "Schedule",
    "primary_header",
    "schedule",
    "sci_header",
]

CALIBRATION = "astrodriz simulate"
"""CAL_VER and ORIGIN of every simulated file."""

WRITTEN = "2024-01-01"
"""DATE of every simulated file; no clock is read, so that the same spec gives the same bytes."""

VAFACTOR = 1.0 + 2.3e-5
"""Velocity aberration: the size of the field on the detector, a typical value of an orbit."""

OVERHEAD_S = 180.0
"""Time between the end of an exposure and the start of the next."""

AMPLIFIERS = "ABCD"
MAGNITUDE_ST_ZERO = -21.1
"""PHOTZPT: the ST magnitude of a flux of one erg per second, cm2 and Angstrom."""

CHIP_KEYWORDS: dict[str, str] = {"WFPC2": "DETECTOR"}
"""Keyword of the SCI header that numbers the chip, where it is not CCDCHIP."""

AB_ZERO_POINT = 48.6
"""AB magnitude of a flux density of one erg per second, cm2 and Hz."""
ANGSTROM_PER_SECOND = 2.99792458e18
"""Speed of light."""
JANSKY = 1e-23
"""In erg per second, cm2 and Hz."""


@frozen
class Schedule:
    """When and where one exposure is taken.

    Attributes
    ----------
    index : int
        Place in the association, from 0.
    rootname : str
    start_mjd : float
    date_obs, time_obs : str
        Start, as the header writes it.
    postarg : tuple of float
        Offset of the dither, arcsec along the detector's x and y.
    """

    index: int
    rootname: str
    start_mjd: float
    date_obs: str
    time_obs: str
    postarg: tuple[float, float]


@frozen
class ImageStatistics:
    """Numbers of the good pixels that a SCI header states."""

    good_pixels: int
    minimum: float
    maximum: float
    mean: float


DITHERS_PIX: tuple[tuple[float, float], ...] = (
    (0.0, 0.0),
    (23.52, 17.25),
    (-21.25, 24.50),
    (9.27, -28.75),
    (34.75, 5.52),
    (-30.48, -12.73),
    (4.73, 38.27),
    (17.50, -35.48),
)
"""Offsets along x and y with different fractions of a pixel; they start again after eight exposures."""


def schedule(spec: SimulationSpec, index: int) -> Schedule:
    """Return when and where an exposure is taken."""
    delay = index * (spec.exposure_time + OVERHEAD_S)
    start = Time(spec.start_epoch, format="jyear", scale="utc") + TimeDelta(delay, format="sec")
    date_obs, time_obs = start.isot[:19].split("T")
    scale = spec.model.idctab.row(spec.reference_chip.number).scale
    x, y = DITHERS_PIX[index % len(DITHERS_PIX)]
    return Schedule(index, spec.rootnames[index], float(start.mjd), date_obs, time_obs, (x * scale, y * scale))


def primary_header(spec: SimulationSpec, when: Schedule, suffix: str) -> fits.Header:
    """Return the primary header of the file of one exposure.

    Parameters
    ----------
    spec : SimulationSpec
    when : Schedule
    suffix : str
        Suffix of the file's name: ``flt``, ``flc``, ``raw``, ...
    """
    model = spec.model
    corrected = model.electronics.corrects_cte and suffix == "flc"
    values: dict[str, Scalar] = {
        **_identity(spec, when, suffix),
        **_times(spec, when),
        **reference_keywords(model),
        **_amplifiers(model.electronics),
        **_photometry(spec),
        **spec.filter_model.keywords,
        "MDRIZTAB": "N/A",
        "SUBARRAY": spec.subarray,
        "PA_V3": spec.pa_v3_deg,
        "POSTARG1": round(when.postarg[0], 6),
        "POSTARG2": round(when.postarg[1], 6),
        "PCTECORR": "COMPLETE" if corrected else "OMIT",
    }
    return _filled(model.primary, values)


def sci_header(
    spec: SimulationSpec, when: Schedule, chip: SimulatedChip, wcs: ChipWcs, statistics: ImageStatistics
) -> fits.Header:
    """Return the SCI header of one chip, with the WCS that the archive's first processing would give."""
    x0, y0, nx, ny = chip.cut(spec.size)
    values: dict[str, Scalar] = {
        "ORIGIN": CALIBRATION,
        "DATE": WRITTEN,
        "ROOTNAME": when.rootname,
        "EXPNAME": when.rootname,
        "BUNIT": spec.model.electronics.unit,
        CHIP_KEYWORDS.get(spec.model.instrument, "CCDCHIP"): chip.number,
        **linear_wcs_cards(wcs),
        "LTV1": float(-x0) if spec.subarray else 0.0,
        "LTV2": float(-y0) if spec.subarray else 0.0,
        "CENTERA1": x0 + nx // 2,
        "CENTERA2": y0 + ny // 2,
        "SIZAXIS1": nx,
        "SIZAXIS2": ny,
        "VAFACTOR": VAFACTOR,
        **_photometry(spec),
        **_readout_times(spec, when),
        **_statistics(statistics),
        "MEANDARK": spec.model.electronics.dark * spec.exposure_time,
    }
    return _filled(spec.model.sci, values)


def _filled(cards: tuple[tuple[str, Scalar, str], ...], values: dict[str, Scalar]) -> fits.Header:
    """Header with the cards in their order: constants as they stand, the others from `values`."""
    header = fits.Header()
    for keyword, constant, comment in cards:
        value = values.get(keyword, constant) if constant is None else constant
        if value is not None:
            header.append((keyword, value, comment))
    return header


def _identity(spec: SimulationSpec, when: Schedule, suffix: str) -> dict[str, Scalar]:
    """Say what the file is, of which target, in which association."""
    member = not spec.singleton
    association = spec.association_root
    return {
        "ORIGIN": CALIBRATION,
        "CAL_VER": CALIBRATION,
        "DATE": WRITTEN,
        "FILENAME": f"{when.rootname}_{suffix}.fits",
        "ROOTNAME": when.rootname,
        "TARGNAME": f"SIM-{spec.sky.value.upper()}",
        "RA_TARG": spec.target[0],
        "DEC_TARG": spec.target[1],
        "PROPOSID": 10000 + spec.seed % 10000,
        "PROPAPER": spec.model.keyword_value("APERTURE"),
        "ASN_ID": association.upper() if member else "NONE",
        "ASN_TAB": f"{association}_asn.fits" if member else "NONE",
        "ASN_MTYP": "EXP-DTH" if member else " ",
    }


def _times(spec: SimulationSpec, when: Schedule) -> dict[str, Scalar]:
    """Start, end and duration."""
    return {
        "DATE-OBS": when.date_obs,
        "TIME-OBS": when.time_obs,
        "EXPSTART": when.start_mjd,
        "EXPEND": when.start_mjd + spec.exposure_time / 86400.0,
        "EXPTIME": spec.exposure_time,
        "TEXPTIME": spec.exposure_time,
        "DARKTIME": spec.exposure_time,
        "TDATEOBS": when.date_obs,
        "TTIMEOBS": when.time_obs,
        "TEXPSTRT": when.start_mjd,
        "TEXPEND": when.start_mjd + spec.exposure_time / 86400.0,
    }


def _readout_times(spec: SimulationSpec, when: Schedule) -> dict[str, Scalar]:
    """Return the times that SCI headers of detectors read out along a ramp state."""
    return {
        "SAMPTIME": spec.exposure_time,
        "DELTATIM": spec.exposure_time,
        "ROUTTIME": when.start_mjd + spec.exposure_time / 86400.0,
        **_times(spec, when),
    }


def _amplifiers(electronics: SimulatedElectronics) -> dict[str, Scalar]:
    """Gain and read noise."""
    gains = zip(AMPLIFIERS, electronics.amplifier_gains, strict=False)
    noises = zip(AMPLIFIERS, electronics.amplifier_read_noise, strict=False)
    return {
        "CCDGAIN": electronics.gain,
        "ATODGAIN": electronics.gain,
        "READNSE": electronics.read_noise,
        **{f"ATODGN{letter}": gain for letter, gain in gains},
        **{f"READNSE{letter}": noise for letter, noise in noises},
    }


def _photometry(spec: SimulationSpec) -> dict[str, Scalar]:
    """Calibration to physical units: flux densities of one BUNIT per second by the AB zero point."""
    filter_ = spec.filter_model
    chip = spec.model.reference_chip
    gain = spec.model.electrons_per_unit(chip, 1.0)
    per_hertz = gain * 10.0 ** (-0.4 * (filter_.zero_point + AB_ZERO_POINT))
    return {
        "PHOTMODE": spec.model.photmode.format(filter=spec.filter_name),
        "PHOTFLAM": per_hertz * ANGSTROM_PER_SECOND / filter_.pivot**2,
        "PHOTFNU": per_hertz / JANSKY,
        "PHOTZPT": MAGNITUDE_ST_ZERO,
        "PHOTPLAM": filter_.pivot,
        "PHOTBW": filter_.width,
    }


def linear_wcs_cards(wcs: ChipWcs) -> dict[str, Scalar]:
    """Return the linear part of the WCS, and the aperture's position and angle."""
    orientation = float(np.rad2deg(np.arctan2(wcs.cd[0][1], wcs.cd[1][1])))
    return {
        "CRPIX1": wcs.crpix[0],
        "CRPIX2": wcs.crpix[1],
        "CRVAL1": wcs.crval[0],
        "CRVAL2": wcs.crval[1],
        **{f"CD{i + 1}_{j + 1}": wcs.cd[i][j] for i in (0, 1) for j in (0, 1)},
        "ORIENTAT": orientation,
        "PA_APER": orientation,
        "RA_APER": wcs.crval[0],
        "DEC_APER": wcs.crval[1],
    }


def _statistics(statistics: ImageStatistics) -> dict[str, Scalar]:
    """Numbers of the good pixels."""
    return {
        "NGOODPIX": statistics.good_pixels,
        "GPIXELS": statistics.good_pixels,
        "GOODMIN": statistics.minimum,
        "GOODMAX": statistics.maximum,
        "GOODMEAN": statistics.mean,
    }
