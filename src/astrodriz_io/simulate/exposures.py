"""The files of one exposure: FLT, FLC where the instrument corrects charge transfer, RAW, cosmic rays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from astrodriz_core.arrays import Float32Image
from astrodriz_core.records.common import ChipWcs
from astrodriz_io.simulate.detection import Detected, detect, with_charge_trails
from astrodriz_io.simulate.detectors import SimulatedChip
from astrodriz_io.simulate.headers import ImageStatistics, primary_header, sci_header
from astrodriz_io.simulate.pointing import PointedExposure, true_hst_wcs
from astrodriz_io.simulate.rendering import expected_electrons
from astrodriz_io.simulate.sources import Galaxies, Stars
from astrodriz_io.simulate.spec import SimulationSpec

__all__ = ["write_exposure"]

RAW_SHAPE = (8, 8)
"""RAW files are read for their headers only."""
RAMP_SAMPLES = 13


def write_exposure(
    folder: Path, spec: SimulationSpec, exposure: PointedExposure, stars: Stars, galaxies: Galaxies
) -> int:
    """Render one exposure, write its files, and return the number of pixels that cosmic rays hit.

    Parameters
    ----------
    folder : Path
        Existing folder; files of the same names are replaced.
    spec : SimulationSpec
    exposure : PointedExposure
    stars : Stars
    galaxies : Galaxies
    """
    detected = tuple(_detect_chip(spec, exposure, chip, stars, galaxies) for chip in spec.chips)
    flt = tuple(chip.electrons for chip in detected)
    if spec.model.electronics.corrects_cte:
        _write(folder, spec, exposure, "flc", detected, flt)
        flt = tuple(map(with_charge_trails, spec.chips, flt))
    _write(folder, spec, exposure, spec.model.flt_suffix, detected, flt)
    _write_separate(folder, spec, exposure)
    _write_raw(folder, spec, exposure)
    _write_cosmic_rays(folder, exposure, detected)
    return sum(int(np.count_nonzero(chip.cosmic_rays)) for chip in detected)


def _detect_chip(
    spec: SimulationSpec, exposure: PointedExposure, chip: SimulatedChip, stars: Stars, galaxies: Galaxies
) -> Detected:
    """Render and detect one chip."""
    wcs = true_hst_wcs(exposure, chip.extver)
    expected = expected_electrons(spec, wcs, stars, galaxies, exposure.blur_pix)
    return detect(spec, chip, exposure.when.index, expected)


def _write(
    folder: Path,
    spec: SimulationSpec,
    exposure: PointedExposure,
    suffix: str,
    detected: tuple[Detected, ...],
    electrons: tuple[Float32Image, ...],
) -> None:
    """Write the calibrated exposure with the given signal."""
    hdus = fits.HDUList([fits.PrimaryHDU(header=primary_header(spec, exposure.when, suffix))])
    for index, chip in enumerate(spec.chips):
        for hdu in _chip_hdus(spec, exposure, chip, exposure.default[index], detected[index], electrons[index]):
            hdus.append(hdu)
    hdus[0].header["NEXTEND"] = len(hdus) - 1
    hdus.writeto(folder / f"{exposure.when.rootname}_{suffix}.fits", overwrite=True)


def _chip_hdus(
    spec: SimulationSpec,
    exposure: PointedExposure,
    chip: SimulatedChip,
    wcs: ChipWcs,
    detected: Detected,
    electrons: Float32Image,
) -> list[fits.ImageHDU]:
    """SCI, ERR and DQ extensions of a chip; SAMP and TIME too where the detector samples a ramp."""
    unit = np.float32(spec.model.electrons_per_unit(chip, spec.exposure_time))
    data = electrons / unit
    header = sci_header(spec, exposure.when, chip, wcs, _statistics(data, detected.dq))
    arrays: list[tuple[str, NDArray[np.generic]]] = [("ERR", detected.error / unit), ("DQ", detected.dq)]
    if spec.model.electronics.ramp:
        arrays.append(("SAMP", np.full(data.shape, RAMP_SAMPLES, dtype=np.int16)))
        arrays.append(("TIME", np.full(data.shape, spec.exposure_time, dtype=np.float32)))
    first = fits.ImageHDU(data, header, name="SCI", ver=chip.extver)
    return [first, *(fits.ImageHDU(array, name=name, ver=chip.extver) for name, array in arrays)]


def _statistics(data: Float32Image, dq: NDArray[np.int16]) -> ImageStatistics:
    """Numbers of the pixels without a flag."""
    good = data[dq == 0]
    return ImageStatistics(good.size, float(good.min()), float(good.max()), float(good.mean(dtype=np.float64)))


def _write_separate(folder: Path, spec: SimulationSpec, exposure: PointedExposure) -> None:
    """Write signal and data quality into two files besides, where the archive has them so."""
    if spec.model.geis_suffixes is None:
        return
    root = exposure.when.rootname
    with fits.open(folder / f"{root}_{spec.model.flt_suffix}.fits") as calibrated:
        for suffix, name in zip(spec.model.geis_suffixes, ("SCI", "DQ"), strict=True):
            hdus = fits.HDUList([calibrated[0].copy()])
            for chip in spec.chips:
                header = calibrated["SCI", chip.extver].header
                hdus.append(fits.ImageHDU(calibrated[name, chip.extver].data, header, name="SCI"))
                hdus[-1].ver = chip.extver
            hdus[0].header["FILENAME"] = f"{root}_{suffix}.fits"
            hdus[0].header["NEXTEND"] = len(hdus) - 1
            hdus.writeto(folder / f"{root}_{suffix}.fits", overwrite=True)


def _write_raw(folder: Path, spec: SimulationSpec, exposure: PointedExposure) -> None:
    """Write the RAW file: headers, and an image too small to be used."""
    suffix = spec.model.raw_suffix
    primary = fits.PrimaryHDU(header=primary_header(spec, exposure.when, suffix))
    image = fits.ImageHDU(np.zeros(RAW_SHAPE, dtype=np.int16), name="SCI", ver=1)
    primary.header["NEXTEND"] = 1
    path = folder / f"{exposure.when.rootname}_{suffix}.fits"
    fits.HDUList([primary, image]).writeto(path, overwrite=True)


def _write_cosmic_rays(folder: Path, exposure: PointedExposure, detected: tuple[Detected, ...]) -> None:
    """Write the electrons that cosmic rays left, compressed, an extension CR for each chip."""
    hdus = fits.HDUList([fits.PrimaryHDU()])
    for chip, wcs in zip(detected, exposure.default, strict=True):
        charge = np.rint(chip.cosmic_rays).astype(np.int32)
        hdus.append(fits.CompImageHDU(charge, name="CR", compression_type="RICE_1"))
        hdus[-1].ver = wcs.extver
    hdus.writeto(folder / f"{exposure.when.rootname}_crtruth.fits", overwrite=True)
