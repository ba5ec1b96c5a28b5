"""Reference files of a simulated detector: IDCTAB, NPOLFILE, D2IMFILE, as stwcs reads them.

A smaller detector is a cut of every chip. Its tables are those of the whole chip with the origin of the
pixels moved, so that each pixel keeps its place on the sky; stwcs would not do that for two chips by LTV1
and LTV2, which it takes to be the same for both.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits
from attrs import evolve

from astrodriz_core.arrays import Float32Image
from astrodriz_io.simulate.detectors import DetectorModel, DistortionRow, DistortionTable, Filter, LookupTable

__all__ = ["reference_keywords", "write_references"]

USEAFTER = "Jan 01 1990 00:00:00"


def reference_keywords(model: DetectorModel) -> dict[str, str]:
    """Return IDCTAB, NPOLFILE and D2IMFILE as a header names them; ``N/A`` for a table the detector lacks."""
    tables = {"IDCTAB": model.idctab, "NPOLFILE": model.npol, "D2IMFILE": model.d2im}
    return {
        keyword: "N/A" if table is None else f"{model.reference_variable}${table.filename}"
        for keyword, table in tables.items()
    }


def write_references(folder: Path, model: DetectorModel, size: int | None = None) -> None:
    """Write the reference files of a detector into an existing folder.

    Parameters
    ----------
    folder : Path
    model : DetectorModel
    size : int or None
        Pixels on a side of each chip's cut; None for the whole chips.
    """
    _idctab(model, size).writeto(folder / model.idctab.filename, overwrite=True)
    for table, filetype, phase in ((model.npol, "DXY GRID", 0.7), (model.d2im, "D2I FILE", 2.1)):
        if table is not None:
            _lookup_file(model, size, table, filetype, phase).writeto(folder / table.filename, overwrite=True)


def _primary(model: DetectorModel, filename: str, filetype: str) -> fits.PrimaryHDU:
    """Primary HDU of a reference file."""
    header = fits.Header()
    header["TELESCOP"] = "HST"
    header["INSTRUME"] = model.instrument
    if model.instrument == "NICMOS":
        header["CAMERA"] = int(model.detector)
    elif model.instrument != "WFPC2":
        header["DETECTOR"] = model.detector
    header["FILENAME"] = filename
    header["FILETYPE"] = filetype
    header["USEAFTER"] = USEAFTER
    header["PEDIGREE"] = "MODEL"
    header["DESCRIP"] = "reference file of the astrodriz simulator"
    return fits.PrimaryHDU(header=header)


def _cut_row(model: DetectorModel, row: DistortionRow, size: int | None) -> DistortionRow:
    """Return the row with the reference pixel counted from the corner of the chip's cut."""
    chip = next(chip for chip in model.chips if chip.number == row.chip)
    x0, y0, nx, ny = chip.cut(size)
    return evolve(row, xref=row.xref - x0, yref=row.yref - y0, size=(nx, ny))


def _idctab(model: DetectorModel, size: int | None) -> fits.HDUList:
    """IDCTAB with a row for each chip and filter."""
    table = model.idctab
    primary = _primary(model, table.filename, "DISTORTION COEFFICIENTS")
    primary.header["NORDER"] = table.norder
    primary.header["PARITY"] = table.parity
    primary.header.update(table.keywords)
    cut = [_cut_row(model, row, size) for row in table.rows]
    rows = [(row, filter_) for filter_ in model.filters.values() for row in cut]
    return fits.HDUList([primary, fits.BinTableHDU.from_columns(_columns(table, rows))])


def _columns(table: DistortionTable, rows: list[tuple[DistortionRow, Filter]]) -> list[fits.Column]:
    """Columns of an IDCTAB, in the order of the archive's."""

    def column(name: str, form: str, values: list[object]) -> fits.Column:
        return fits.Column(name, form, array=np.array(values))

    polynomial = [
        column(f"{axis.upper()}{i}{j}", "D", [getattr(row, axis)[i - 1][j] for row, _ in rows])
        for axis in ("cx", "cy")
        for i in range(1, table.norder + 1)
        for j in range(i + 1)
    ]
    return [
        column("DETCHIP", "I", [row.chip for row, _ in rows]),
        column("DIRECTION", "8A", ["FORWARD"] * len(rows)),
        *(column(name, "8A", [filter_.keywords[name] for _, filter_ in rows]) for name in table.filter_columns),
        column("XSIZE", "J", [row.size[0] for row, _ in rows]),
        column("YSIZE", "J", [row.size[1] for row, _ in rows]),
        *(
            column(name.upper(), "D", [getattr(row, name) for row, _ in rows])
            for name in ("xref", "yref", "v2ref", "v3ref", "scale", "theta")
        ),
        *polynomial,
    ]


def _lookup_file(
    model: DetectorModel, size: int | None, table: LookupTable, filetype: str, phase: float
) -> fits.HDUList:
    """NPOLFILE or D2IMFILE: DX and DY of every chip, in the order of their extensions."""
    hdus: list[fits.PrimaryHDU | fits.ImageHDU] = [_primary(model, table.filename, filetype)]
    for chip in model.chips:
        x0, y0, _, _ = chip.cut(size)
        shape = tuple(n // table.step for n in reversed(chip.naxis))
        for axis, name in enumerate(("DX", "DY")):
            data = _smooth_pattern(shape, table.amplitude, phase + 1.3 * axis + 2.9 * chip.number)
            hdu = fits.ImageHDU(data, name=name, ver=chip.extver)
            hdu.header["ONAXIS1"], hdu.header["ONAXIS2"] = chip.naxis
            hdu.header["CDELT1"] = hdu.header["CDELT2"] = table.step
            hdu.header["CRVAL1"], hdu.header["CRVAL2"] = -x0, -y0
            hdu.header["CCDCHIP"] = chip.number
            hdus.append(hdu)
    return fits.HDUList(hdus)


def _smooth_pattern(shape: tuple[int, ...], amplitude: float, phase: float) -> Float32Image:
    """Return a smooth map of pixel offsets, [y, x]: two waves along each axis, at most ``amplitude``."""
    y, x = (np.linspace(0.0, 2.0 * np.pi, n) for n in shape)
    across = np.sin(2.0 * x + phase) + np.sin(5.0 * x + 2.0 * phase)
    along = np.cos(1.5 * y + phase) + np.cos(3.0 * y + 3.0 * phase)
    pattern = across[None, :] + along[:, None]
    scaled: Float32Image = (amplitude * pattern / np.abs(pattern).max()).astype(np.float32)
    return scaled
