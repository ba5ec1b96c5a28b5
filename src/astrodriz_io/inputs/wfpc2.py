"""WFPC2 exposures as the archive delivers them, ``c0m`` and ``c1m``, made into one FLT."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from astrodriz_core.arrays import Float32Image
from astrodriz_core.errors import InputError
from astrodriz_core.instruments.detectors import gain, readout_noise_electrons
from astrodriz_io.fits.arrays import image_array, image_shape, read_sci
from astrodriz_io.fits.files import open_fits, reading
from astrodriz_io.fits.header_cards import LENIENT
from astrodriz_io.inputs.exposures import Chip, Exposure, read_exposure

__all__ = ["write_wfpc2_flt"]


def write_wfpc2_flt(c0m: Path, c1m: Path | None, flt: Path) -> None:
    """Write a FLT with SCI, ERR and DQ of each chip from a calibrated WFPC2 exposure.

    The uncertainty, which WFPC2 files lack, is that of photon noise and read noise,
    ``sqrt(max(sci, 0) gain + read_noise**2) / gain`` in counts; NaN where SCI is NaN.

    Parameters
    ----------
    c0m : Path
        Calibrated image, one SCI extension for each chip, counts.
    c1m : Path or None
        Its data quality, one image extension for each chip; None calls every pixel good.
    flt : Path
        File to write; replaced when it exists.

    Raises
    ------
    MissingFilesError
        The image does not exist.
    InputError
        A file is damaged, the image is not of WFPC2, or the flags do not fit it.
    StorageError
        The file system refuses to write.
    """
    exposure = read_exposure(c0m)
    if exposure.description.instrument != "WFPC2":
        raise InputError("this is not a WFPC2 exposure.", where=f"{c0m.name}: INSTRUME")
    flags = {} if c1m is None else _flags(c1m)
    with open_fits(c0m) as hdulist:
        with reading(c0m.name):
            primary = fits.PrimaryHDU(header=hdulist[0].header.copy())
        headers = {hdu.ver: hdu.header.copy() for hdu in hdulist[1:] if hdu.name == "SCI"}
        extensions = list(_extensions(exposure, headers, flags))
        # As the headers of ACS and WFC3 have it; each chip's own DETECTOR stays in its SCI header.
        primary.header.update({"DETECTOR": "PC", "PRIMESI": "PC", "FILENAME": flt.name, "NEXTEND": len(extensions)})
    with reading(flt.name):
        fits.HDUList([primary, *extensions]).writeto(flt, overwrite=True, output_verify=LENIENT)


def _extensions(
    exposure: Exposure, headers: Mapping[int, fits.Header], flags: Mapping[int, NDArray[Any]]
) -> Iterator[fits.ImageHDU]:
    for chip in exposure.chips:
        sci = read_sci(exposure.path, chip.extver)
        dq = flags.get(chip.extver, np.zeros(chip.shape, np.int16))
        if dq.shape != chip.shape:
            problem = f"the flags of chip {chip.electronics.chip} have the shape {dq.shape}, not {chip.shape}."
            raise InputError(problem, where=exposure.path.name)
        try:
            error = _uncertainty(sci, exposure, chip)
        except InputError as failure:
            where = f"{exposure.path.name}[SCI,{chip.extver}]"
            raise InputError(failure.problem, where=where, remedy=failure.remedy) from failure
        yield fits.ImageHDU(sci, headers[chip.extver], name="SCI", ver=chip.extver)
        yield fits.ImageHDU(error, name="ERR", ver=chip.extver)
        yield fits.ImageHDU(dq, name="DQ", ver=chip.extver)


def _uncertainty(sci: Float32Image, exposure: Exposure, chip: Chip) -> Float32Image:
    per_count = np.float32(gain(exposure.description, chip.electronics))
    noise = np.float32(readout_noise_electrons(exposure.description, chip.electronics))
    error: Float32Image = np.sqrt(np.maximum(sci, 0) * per_count + noise**2) / per_count
    return error


def _flags(c1m: Path) -> dict[int, NDArray[Any]]:
    with open_fits(c1m) as hdulist:
        # The extensions are called SCI in some deliveries and SDQ in others.
        images = [hdu for hdu in hdulist[1:] if image_shape(hdu) is not None]
        return {hdu.ver: image_array(hdu, f"{c1m.name}[{hdu.name},{hdu.ver}]").astype(np.int16) for hdu in images}
