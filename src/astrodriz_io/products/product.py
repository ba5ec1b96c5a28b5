"""The product file: SCI, WHT, CTX and the table of its inputs' headers."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError
from stwcs.updatewcs.updatehdr import interpret_wcsname_type

from astrodriz_core.arrays import Array
from astrodriz_core.combine.frame import frame_orientation
from astrodriz_core.errors import InputError
from astrodriz_core.records.drizzling import OutputFrame, ProductRecord
from astrodriz_io.drizzling.chips import DrizzleChip
from astrodriz_io.drizzling.combination import Combination
from astrodriz_io.drizzling.frame import frame_wcs
from astrodriz_io.fits.arrays import read_header
from astrodriz_io.products.exposures import checksum_comment
from astrodriz_io.products.headers import blend_headers, header_table
from astrodriz_io.storage.digests import sha256_of

__all__ = ["sky_region", "write_product"]


def write_product(combination: Combination, path: Path, moment: str) -> ProductRecord:
    """Write a combination as one multi-extension FITS file.

    Parameters
    ----------
    combination : Combination
        What was drizzled.
    path : Path
        Name of the file; its suffix (drz or drc) is recorded.
    moment : str
        When the run began, ``yyyy-mm-ddThh:mm:ss``: its date is the value of DATE.
    """
    chips = combination.inputs.chips
    primaries = [read_header(chip.exposure.path, "PRIMARY") for chip in chips]
    sciences = [read_header(chip.exposure.path, "SCI", chip.chip.extver) for chip in chips]
    final = combination.final
    wcs_header = _wcs_header(combination, sciences[0])
    hdus = fits.HDUList(
        [
            fits.PrimaryHDU(header=_primary_header(combination, primaries, path.name, moment[:10])),
            fits.ImageHDU(final.sci, _sci_header(combination, sciences, wcs_header, path.name), name="SCI"),
            fits.ImageHDU(final.wht, _plane_header(wcs_header), name="WHT"),
            *_context_hdus(final.ctx, wcs_header),
            header_table([_joined(one, two) for one, two in zip(primaries, sciences, strict=True)]),
        ]
    )
    for hdu in hdus[1:]:
        hdu.header["EXTVER"] = 1
    hdus.update_extend()
    for hdu in hdus:
        hdu.add_checksum(when=checksum_comment(moment))
    hdus.writeto(path)
    return ProductRecord(
        filename=path.name,
        suffix=path.stem.rpartition("_")[2],
        exposures=combination.record.exposures,
        exptime=final.exptime,
        units=final.units,
        sha256=sha256_of(path),
    )


def sky_region(frame: OutputFrame, chips: Sequence[DrizzleChip]) -> str:
    """S_REGION: the convex outline, on the sky, of all chips of a product.

    Returns
    -------
    str
        ``POLYGON ICRS`` and right ascension and declination of each corner, degrees, closed.

    Raises
    ------
    InputError
        With their distortion, the corners of all chips lie in a line.
    """
    wcs = frame_wcs(frame)
    corners = np.concatenate([wcs.wcs_world2pix(chip.wcs.calc_footprint(), 0) for chip in chips])
    try:
        outline = corners[ConvexHull(corners).vertices]
    except QhullError as failure:
        where = ", ".join(dict.fromkeys(chip.exposure.path.name for chip in chips))
        problem = "with the distortion, the corners of the chips lie in a line on the sky."
        raise InputError(problem, where=where, remedy="Check the IDCTAB that the headers name.") from failure
    closed = np.concatenate([outline, outline[:1]])
    sky: Array = wcs.wcs_pix2world(closed, 0)
    return "POLYGON ICRS " + " ".join(f"{value:.8f}" for value in sky.ravel())


def _primary_header(
    combination: Combination, primaries: Sequence[fits.Header], filename: str, date: str
) -> fits.Header:
    exposures = combination.inputs.exposures
    firsts = [primaries[index] for index in _first_chips(combination)]
    header = blend_headers(firsts)
    header["DATE"] = (date, "date this file was written")
    header["FILENAME"] = (filename, "name of file")
    header["ROOTNAME"] = (filename.rpartition("_")[0], "rootname of the product")
    header["NEXTEND"] = (3 if combination.final.ctx is None else 4, "number of extensions")
    header["EXPTIME"] = (combination.final.exptime, "total exposure time, s")
    header["TEXPTIME"] = (combination.final.exptime, "total exposure time, s")
    header["NDRIZIM"] = (len(combination.inputs.chips), "number of chips drizzled")
    header["ASN_MTYP"] = ("PROD-DTH", "role of this file in the association")
    header["DRIZCORR"] = ("COMPLETE", "drizzle processing")
    header["PROD_VER"] = (f"astrodriz {version('astrodriz')}", "software that made this product")
    ends = [exposure.exposure.end for exposure in exposures]
    if all(end is not None for end in ends):
        header["EXPEND"] = max(end for end in ends if end is not None)
    for number, chip in enumerate(combination.inputs.chips, 1):
        header.extend(_provenance(combination, number, chip, filename))
    return header


def _first_chips(combination: Combination) -> list[int]:
    """Index of the first chip of every exposure among all chips."""
    counts = [len(exposure.chips) for exposure in combination.inputs.exposures]
    return [sum(counts[:index]) for index in range(len(counts))]


def _provenance(combination: Combination, number: int, chip: DrizzleChip, filename: str) -> list[fits.Card]:
    """The ``Dnnn`` keywords of one chip."""
    parameters = combination.inputs.parameters
    fill = parameters.final_fillval
    source = chip.exposure.path.name
    values = {
        "VER": (f"drizzle {version('drizzle')}", "resampling software"),
        "GEOM": ("wcs", "source of geometric information"),
        "DATA": (f"{source}[sci,{chip.chip.extver}]", "input data image"),
        "DEXP": (chip.exptime, "input image exposure time (s)"),
        "OUDA": (f"{filename}[sci,1]", "output data image"),
        "OUWE": (f"{filename}[wht,1]", "output weighting image"),
        "OUCO": (f"{filename}[ctx,1]", "output context image"),
        "WTSC": (parameters.final_wht_type.value, "kind of the weights"),
        "KERN": (parameters.final_kernel.value, "form of the drizzling kernel"),
        "PIXF": (parameters.final_pixfrac, "linear size of drop"),
        "COEF": ("SIP" if chip.wcs.sip is not None else "none", "source of distortion coefficients"),
        "OUUN": (parameters.final_units.value, "units of output image"),
        "FVAL": ("INDEF" if fill is None else str(fill), "value of pixels without data"),
        "SCAL": (combination.final.frame.pixel_scale_arcsec, "output pixel size (arcsec)"),
        "ISCL": (chip.pixel_scale_arcsec, "input pixel size (arcsec)"),
        "SKY": (combination.inputs.native_sky(chip), f"subtracted sky ({chip.chip.unit.value})"),
    }
    return [fits.Card(f"D{number:03d}{name}", *value) for name, value in values.items()]


def _sci_header(
    combination: Combination, sciences: Sequence[fits.Header], wcs_header: fits.Header, filename: str
) -> fits.Header:
    header = blend_headers(sciences)
    header["ROOTNAME"] = (filename.rpartition("_")[0], "rootname of the product")
    header.update(wcs_header)
    header["BUNIT"] = (combination.final.units, "brightness units")
    header["NCOMBINE"] = (len(combination.inputs.exposures), "number of exposures combined")
    header["NDRIZIM"] = (len(combination.inputs.chips), "number of chips drizzled")
    header["MDRIZSKY"] = (
        float(np.mean([combination.inputs.native_sky(chip) for chip in combination.inputs.chips])),
        "mean sky subtracted from inputs",
    )
    header["S_REGION"] = sky_region(combination.final.frame, combination.inputs.chips)
    header["VAFACTOR"] = (1.0, "velocity aberration is corrected for")
    if "CCDCHIP" in header:
        header["CCDCHIP"] = (-999, "all chips are combined")
    return header


def _plane_header(wcs_header: fits.Header) -> fits.Header:
    header: fits.Header = wcs_header.copy()
    return header


def _wcs_header(combination: Combination, science: fits.Header) -> fits.Header:
    frame = combination.final.frame
    header = fits.Header()
    header["WCSAXES"] = (2, "number of World Coordinate System axes")
    for axis in (0, 1):
        header[f"CRPIX{axis + 1}"] = (frame.crpix[axis], "pixel coordinate of reference point")
        header[f"CRVAL{axis + 1}"] = (frame.crval[axis], "[deg] coordinate value at reference point")
        header[f"CTYPE{axis + 1}"] = (("RA---TAN", "DEC--TAN")[axis], "coordinate type and projection")
        header[f"CUNIT{axis + 1}"] = ("deg", "units of coordinate increment and value")
        for other in (0, 1):
            header[f"CD{axis + 1}_{other + 1}"] = (frame.cd[axis][other], "[deg] transformation matrix element")
    header["RADESYS"] = (science.get("RADESYS", "ICRS"), "celestial reference system")
    header["ORIENTAT"] = (frame_orientation(frame), "position angle of image y axis (deg. e of n)")
    name = science.get("WCSNAME", "")
    header["WCSNAME"] = (name, "coordinate system title")
    header["WCSTYPE"] = (interpret_wcsname_type(name), "kind of the solution")
    return header


def _context_hdus(planes: NDArray[np.int32] | None, wcs_header: fits.Header) -> tuple[fits.ImageHDU, ...]:
    """The CTX extension, one plane as a two-dimensional image as the archive has it; none where it was not made."""
    if planes is None:
        return ()
    return (fits.ImageHDU(planes[0] if len(planes) == 1 else planes, _plane_header(wcs_header), name="CTX"),)


def _joined(primary: fits.Header, science: fits.Header) -> fits.Header:
    joined: fits.Header = primary.copy(strip=True)
    joined.update(science)
    return joined
