"""Data quality: the bits of each instrument, named and explained once, and masks from them.

Sources: the data quality tables of the WFC3, ACS, WFPC2, STIS and NICMOS data handbooks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from astrodriz_core.arrays import Mask
from astrodriz_core.errors import UsageError

__all__ = [
    "ACS_FLAGS",
    "ASTRODRIZZLE_COSMIC_RAY",
    "DQ_FLAGS",
    "NICMOS_FLAGS",
    "STIS_FLAGS",
    "WFC3_IR_FLAGS",
    "WFC3_UVIS_FLAGS",
    "WFPC2_FLAGS",
    "DqFlag",
    "explain_dq",
    "good_pixels",
    "interpret_bits",
]

ASTRODRIZZLE_COSMIC_RAY = 4096
"""The bit that a drizzle run sets, and resets before it looks for cosmic rays afresh."""


@frozen
class DqFlag:
    """One bit of an instrument's DQ arrays.

    Attributes
    ----------
    bit : int
        Value of the bit, a power of two.
    name : str
        Short name.
    explanation : str
        What a pixel with this bit is.
    """

    bit: int
    name: str
    explanation: str


_DECODING = DqFlag(1, "decoding error", "Reed-Solomon error: data lost in transmission or compression.")
_FILL = DqFlag(2, "fill value", "Lost data, replaced by a fill value.")
_ASTRODRIZZLE = DqFlag(
    ASTRODRIZZLE_COSMIC_RAY, "cosmic ray (drizzle)", "Cosmic ray or artefact found by a drizzle run."
)

ACS_FLAGS: tuple[DqFlag, ...] = (
    _DECODING,
    _FILL,
    DqFlag(4, "bad detector pixel", "Bad detector pixel, or beyond the aperture."),
    DqFlag(8, "masked", "Behind an aperture feature, such as the occulting finger of the HRC."),
    DqFlag(16, "hot", "Dark current above 0.14 electrons/s."),
    DqFlag(32, "unstable", "Dark current unstable between anneals (before 2017: tail of a hot pixel)."),
    DqFlag(64, "warm", "Dark current of 0.06 to 0.14 electrons/s."),
    DqFlag(128, "bias structure", "Bias structure, mostly bad columns."),
    DqFlag(256, "saturated", "Full-well or A-to-D saturation."),
    DqFlag(512, "bad in reference file", "Bad pixel in a reference file, such as the flat field."),
    DqFlag(1024, "sink pixel", "Charge trap that swallows electrons during readout."),
    DqFlag(2048, "A-to-D saturation", "The converter is saturated: the signal is lost."),
    _ASTRODRIZZLE,
    DqFlag(8192, "cosmic ray (acsrej)", "Cosmic ray found by combining CR-SPLIT exposures."),
    DqFlag(16384, "flagged by hand", "Flagged by a user."),
)

WFC3_UVIS_FLAGS: tuple[DqFlag, ...] = (
    _DECODING,
    _FILL,
    DqFlag(4, "bad detector pixel", "Bad detector pixel, or beyond the aperture."),
    DqFlag(8, "masked", "Behind an aperture feature."),
    DqFlag(16, "hot", "Dark current above 54 electrons/hour."),
    DqFlag(32, "unstable", "Dark current unstable between anneals (earlier: tail of a hot pixel)."),
    DqFlag(64, "warm", "Dark current between the warm and the hot limit."),
    DqFlag(128, "bad in bias", "Bad pixel in the bias frame."),
    DqFlag(256, "full-well saturation", "The well is full; charge bleeds along the column."),
    DqFlag(512, "bad in flat", "Bad or uncertain pixel in the flat field."),
    DqFlag(1024, "charge trap", "Sink pixel, or pixel below a charge trap."),
    DqFlag(2048, "A-to-D saturation", "The converter is saturated: the signal is lost."),
    _ASTRODRIZZLE,
    DqFlag(8192, "cosmic ray (calwf3)", "Cosmic ray found by combining CR-SPLIT exposures."),
    DqFlag(16384, "ghost or crosstalk", "Ghost image or electronic crosstalk."),
)

WFC3_IR_FLAGS: tuple[DqFlag, ...] = (
    _DECODING,
    _FILL,
    DqFlag(4, "bad detector pixel", "Dead or otherwise bad pixel."),
    DqFlag(8, "deviant zero read", "Unstable or deviant signal in the zero read."),
    DqFlag(16, "hot", "Dark current above 0.4 electrons/s."),
    DqFlag(32, "unstable", "Response or dark current unstable."),
    DqFlag(64, "warm", "Warm pixel (obsolete)."),
    DqFlag(128, "bad reference pixel", "Bad pixel among the reference pixels."),
    DqFlag(256, "saturated", "Full-well or A-to-D saturation."),
    DqFlag(512, "blob or bad in flat", "Blob, or bad pixel in the flat field."),
    DqFlag(1024, "reserved", "Not used."),
    DqFlag(2048, "signal in zero read", "The source was so bright that the zero read has its signal."),
    _ASTRODRIZZLE,
    DqFlag(8192, "cosmic ray (calwf3)", "Jump in the ramp: cosmic ray, already corrected by calwf3."),
    DqFlag(16384, "ghost or crosstalk", "Ghost image or electronic crosstalk."),
)

WFPC2_FLAGS: tuple[DqFlag, ...] = (
    _DECODING,
    DqFlag(2, "calibration file defect", "Flagged in a calibration file, traps of the static mask included."),
    DqFlag(4, "camera defect", "Permanent defect: blocked column, dead pixel."),
    DqFlag(8, "A-to-D saturation", "The converter is saturated: the signal is lost."),
    DqFlag(16, "missing data", "Lost in readout or transmission."),
    DqFlag(32, "bad pixel", "Bad for a reason that has no bit of its own."),
    DqFlag(128, "permanent charge trap", "Charge trap in the chip."),
    DqFlag(256, "above a charge trap", "Questionable: read out through a charge trap."),
    DqFlag(512, "warm, unrepaired", "Warm pixel whose value was not corrected."),
    DqFlag(1024, "warm, repaired", "Warm pixel whose value was corrected."),
    DqFlag(2048, "chip masked", "The entire chip is masked out."),
    _ASTRODRIZZLE,
)

STIS_FLAGS: tuple[DqFlag, ...] = (
    _DECODING,
    _FILL,
    DqFlag(4, "bad detector pixel", "Bad column or row, mixed science and bias, or beyond the aperture."),
    DqFlag(8, "masked", "Behind the occulting bar."),
    DqFlag(16, "hot", "Dark rate more than 5 sigma above the median."),
    DqFlag(32, "large blemish", "Depth above 40 percent of the normalised flat field."),
    DqFlag(64, "vignetted", "Vignetted pixel."),
    DqFlag(128, "overscan", "In the overscan region."),
    DqFlag(256, "saturated", "Saturated, or a count rate beyond the linear range."),
    DqFlag(512, "bad in reference file", "Bad pixel in a reference file."),
    DqFlag(1024, "small blemish", "Depth of 40 to 70 percent in the normalised flat field."),
    DqFlag(2048, "background rejected", "Too much of the background was rejected in a spectral extraction."),
    DqFlag(4096, "bad input", "Extracted flux affected by bad data; in images set by drizzle runs."),
    DqFlag(8192, "cosmic ray", "Rejected as a cosmic ray when exposures were combined."),
    DqFlag(16384, "no CTI correction", "Extracted flux without correction for charge transfer."),
)

NICMOS_FLAGS: tuple[DqFlag, ...] = (
    _DECODING,
    DqFlag(2, "poor linearity", "Poor or uncertain correction of the linearity."),
    DqFlag(4, "poor dark", "Poor or uncertain correction of the dark current."),
    DqFlag(8, "poor flat", "Poor or uncertain correction of the flat field."),
    DqFlag(16, "grot", "Shadowed by a particle on the detector."),
    DqFlag(32, "defective", "Hot or cold pixel."),
    DqFlag(64, "saturated", "Saturated in the final read."),
    DqFlag(128, "missing data", "Lost in telemetry."),
    DqFlag(256, "bad in calibration", "Unusable in calibrated data."),
    DqFlag(512, "cosmic ray (calnica)", "Jump in the ramp: cosmic ray, already corrected by calnica."),
    DqFlag(1024, "source", "The pixel holds a source."),
    DqFlag(2048, "signal in zero read", "The source was so bright that the zero read has its signal."),
    _ASTRODRIZZLE,
)

DQ_FLAGS: Mapping[str, tuple[DqFlag, ...]] = {
    "ACS/WFC": ACS_FLAGS,
    "ACS/HRC": ACS_FLAGS,
    "ACS/SBC": ACS_FLAGS,
    "WFC3/UVIS": WFC3_UVIS_FLAGS,
    "WFC3/IR": WFC3_IR_FLAGS,
    "WFPC2/PC": WFPC2_FLAGS,
    "STIS/CCD": STIS_FLAGS,
    "STIS/FUV-MAMA": STIS_FLAGS,
    "STIS/NUV-MAMA": STIS_FLAGS,
    "NICMOS/1": NICMOS_FLAGS,
    "NICMOS/2": NICMOS_FLAGS,
    "NICMOS/3": NICMOS_FLAGS,
}
"""The bits by name of the detector."""


def interpret_bits(value: str | int | None) -> int | None:
    """Good bits as one number, from the forms that AstroDrizzle's parameters take.

    Parameters
    ----------
    value : str, int or None
        A number; flags joined by ``,``, ``+`` or ``|`` ("16,512"); ``~`` before either for all bits but
        these; "INDEF", "None", an empty text or None for no mask at all.

    Returns
    -------
    int or None
        The bits, negative for the complement form (``~4`` is -5); None where no mask is to be applied.

    Raises
    ------
    UsageError
        The text is none of these forms, or a flag of a list is not a power of two.

    Examples
    --------
    >>> interpret_bits("16,512")
    528
    >>> interpret_bits("~4")
    -5
    """
    if isinstance(value, bool):
        raise _bad_bits(value)
    # Not above: astropy.nddata takes longer to load than all else that a command line needs.
    from astropy.nddata.bitmask import interpret_bit_flags

    try:
        bits: int | None = interpret_bit_flags(value)
    except (ValueError, TypeError) as failure:
        raise _bad_bits(value) from failure
    return bits


def good_pixels(dq: NDArray[np.integer[Any]], bits: int | None) -> Mask:
    """Where a pixel has no flag except those that are called good.

    ``good = (dq & ~bits) == 0``.

    Parameters
    ----------
    dq : ndarray of int, any shape
        DQ array; signed 16-bit arrays are read as bit patterns, so their sign bit is flag 32768.
    bits : int or None
        Bits that do not make a pixel bad; negative values are complements, as `interpret_bits` returns
        them (-5 makes bit 4 alone bad). None applies no mask: every pixel is good.

    Returns
    -------
    ndarray of bool, of the shape of `dq`
        True where the pixel may be used. An empty array gives an empty mask.
    """
    if bits is None:
        return np.ones(dq.shape, dtype=np.bool_)
    unsigned = np.dtype(f"u{dq.dtype.itemsize}").newbyteorder(dq.dtype.byteorder)
    # A Python int beyond the array's type cannot be combined with it, so only the bits that fit are taken.
    bad = unsigned.type(~bits & (2 ** (8 * dq.dtype.itemsize) - 1))
    mask: Mask = (dq.view(unsigned) & bad) == 0
    return mask


def explain_dq(value: int, flags: tuple[DqFlag, ...]) -> tuple[DqFlag, ...]:
    """Give the flags that are set in one DQ value, lowest bit first."""
    return tuple(flag for flag in flags if value & flag.bit)


def _bad_bits(value: object) -> UsageError:
    return UsageError(
        f"{value!r} does not name DQ bits.",
        remedy="Give a number, flags as '16,512', '~4', or INDEF for no mask.",
    )
