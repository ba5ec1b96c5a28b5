"""What a run changes in the calibrated exposures; always on copies of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from astropy.io import fits
from stwcs.updatewcs.updatehdr import interpret_wcsname_type

from astrodriz_core.instruments.dq import ASTRODRIZZLE_COSMIC_RAY
from astrodriz_core.names import ChipKey
from astrodriz_io.drizzling.chips import DrizzleChip
from astrodriz_io.drizzling.combination import Combination
from astrodriz_io.drizzling.inputs import ChipMasks

__all__ = ["checksum_comment", "finish_exposures", "write_checksums", "write_cosmic_rays"]

BIT = ASTRODRIZZLE_COSMIC_RAY


def write_cosmic_rays(files: Mapping[str, Path], cosmic_rays: ChipMasks, reset_bits: int | None = BIT) -> None:
    """Reset DQ bit 4096 in the given files and set it where cosmic rays were found.

    Parameters
    ----------
    files : mapping
        File by rootname; changed in place.
    cosmic_rays : mapping
        Masks by chip; a chip without one gets no flags.
    reset_bits : int or None
        DQ bits that were taken as not set in the combination; where 4096 is none of them, flags that are there stay,
        because they counted.
    """
    reset = bool((reset_bits or 0) & BIT)
    for rootname, path in files.items():
        with fits.open(path, mode="update", memmap=False) as hdus:
            for hdu in hdus[1:]:
                if hdu.name == "DQ" and hdu.data is not None:
                    flags = hdu.data & ~hdu.data.dtype.type(BIT if reset else 0)
                    mask = cosmic_rays.get(ChipKey(rootname, hdu.ver))
                    if mask is not None:
                        flags[np.asarray(mask)] |= flags.dtype.type(BIT)
                    hdu.data = flags


def finish_exposures(files: Mapping[str, Path], combination: Combination, date: str, not_tried: Sequence[str]) -> None:
    """Write into the exposures what the final combination made of them.

    DRIZCORR becomes COMPLETE, every chip gets MDRIZSKY and CRBIT and an S_REGION that fits its WCS, and
    every WCS its WCSTYPE.

    Parameters
    ----------
    files : mapping
        File by rootname; changed in place.
    combination : Combination
        The combination of these files.
    date : str
        Value of DATE in the primary header.
    not_tried : sequence of str
        Stages that a service kept from their work: the value of NOTTRIED, which is absent where there are none.
    """
    inputs = combination.inputs
    for exposure in inputs.exposures:
        with fits.open(files[exposure.rootname], mode="update", memmap=False) as hdus:
            _finish_primary(hdus[0].header, date, not_tried)
            for chip in exposure.chips:
                _finish_chip(hdus["SCI", chip.chip.extver].header, chip, inputs.native_sky(chip))


def _finish_primary(header: fits.Header, date: str, not_tried: Sequence[str]) -> None:
    header["DRIZCORR"] = "COMPLETE"
    header["DATE"] = date
    header.remove("NOTTRIED", ignore_missing=True)
    if not_tried:
        header["NOTTRIED"] = (", ".join(not_tried), "alignment not tried in full")


def _finish_chip(header: fits.Header, chip: DrizzleChip, sky: float) -> None:
    header["MDRIZSKY"] = (sky, "sky subtracted in the drizzle run")
    header["CRBIT"] = (BIT, "DQ bit of cosmic rays found by drizzle")
    corners = chip.wcs.calc_footprint()
    closed = np.concatenate([corners, corners[:1]])
    header["S_REGION"] = "POLYGON ICRS " + " ".join(f"{value:.8f}" for value in closed.ravel())
    _write_wcs_types(header)


def write_checksums(path: Path, moment: str) -> None:
    """Write CHECKSUM and DATASUM into every header of a file that nothing will change any more.

    Parameters
    ----------
    path : Path
        Changed in place.
    moment : str
        Date and time for the comments of the two.
    """
    with fits.open(path, mode="update", memmap=False, do_not_scale_image_data=True) as hdus:
        for hdu in hdus:
            hdu.add_checksum(when=checksum_comment(moment))


def checksum_comment(moment: str) -> str:
    """Comment of CHECKSUM and DATASUM; astropy would write the time of the day."""
    return f"computed {moment}"


def _write_wcs_types(header: fits.Header) -> None:
    """Say in words what kind of solution each named WCS is."""
    names = [keyword for keyword in header if keyword.startswith("WCSNAME")]
    for keyword in names:
        header[f"WCSTYPE{keyword[7:]}"] = interpret_wcsname_type(header[keyword])
