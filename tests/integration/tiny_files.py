"""FITS files of a few pixels for the tests of what a run reads: exposures, tables, reference files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from astropy.io import fits

SIZE = 32
PIXEL_ARCSEC = {
    "WFC3/IR": 0.128,
    "WFC3/UVIS": 0.04,
    "ACS/WFC": 0.05,
    "ACS/HRC": 0.025,
    "ACS/SBC": 0.03,
    "WFPC2/PC": 0.05,
    "STIS/CCD": 0.05,
    "STIS/NUV-MAMA": 0.025,
    "STIS/FUV-MAMA": 0.025,
    "NICMOS/1": 0.043,
    "NICMOS/2": 0.076,
    "NICMOS/3": 0.2,
}
CHIPS = {"ACS/WFC": (2, 1), "WFC3/UVIS": (2, 1), "WFPC2/PC": (1, 2, 3, 4), "NICMOS/2": (2,), "NICMOS/3": (3,)}
FILTERS: Mapping[str, Mapping[str, str]] = {
    "ACS": {"FILTER1": "F606W", "FILTER2": "CLEAR2L"},
    "WFC3": {"FILTER": "F140W"},
    "WFPC2": {"FILTNAM1": "F606W", "FILTNAM2": ""},
    "STIS": {"OPT_ELEM": "MIRVIS", "FILTER": "Clear"},
    "NICMOS": {"FILTER": "F160W"},
}
UNITS = {"ACS": "ELECTRONS", "WFPC2": "COUNTS", "STIS": "COUNTS", "NICMOS": "COUNTS/S"}
AMPLIFIERS = {f"ATODGN{letter}": 2.0 + 0.1 * i for i, letter in enumerate("ABCD")} | {
    f"READNSE{letter}": 4.0 + 0.1 * i for i, letter in enumerate("ABCD")
}
ELECTRONICS: Mapping[str, Mapping[str, object]] = {
    "ACS": {**AMPLIFIERS, "CCDAMP": "ABCD"},
    "WFC3": {**AMPLIFIERS, "CCDAMP": "ABCD"},
    "WFPC2": {"ATODGAIN": 7.0, "DARKTIME": 60.0, "MODE": "FULL"},
    "STIS": {"ATODGAIN": 1.0, "READNSE": 4.5, "CCDAMP": "D"},
    "NICMOS": {"ADCGAIN": 5.4},
}


def write_exposure(
    path: Path, detector: str = "WFC3/IR", *, primary: Mapping[str, object] | None = None, size: int = SIZE
) -> Path:
    """Write an exposure with all chips of its detector and a WCS without distortion."""
    chips = CHIPS.get(detector, (1,))
    hdus: list[fits.hdu.base._BaseHDU] = [fits.PrimaryHDU(header=_primary(path, detector, primary or {}))]
    for extver, chip in enumerate(chips, start=1):
        header = _sci_header(detector, chip, size)
        rng = np.random.default_rng(extver)
        hdus.append(fits.ImageHDU(rng.normal(10, 1, (size, size)).astype("f4"), header, name="SCI", ver=extver))
        hdus.append(fits.ImageHDU(np.full((size, size), 1, "f4"), name="ERR", ver=extver))
        hdus.append(fits.ImageHDU(np.zeros((size, size), "i2"), name="DQ", ver=extver))
    fits.HDUList(hdus).writeto(path, overwrite=True)
    return path


def write_raw(path: Path, drizcorr: str | None = "PERFORM", **primary: object) -> Path:
    """Write a RAW file, of which only the primary header is ever read."""
    switch = {} if drizcorr is None else {"DRIZCORR": drizcorr}
    header = fits.Header({"INSTRUME": "WFC3", "DETECTOR": "IR", **switch, **primary})
    fits.HDUList([fits.PrimaryHDU(header=header), fits.ImageHDU(np.zeros((4, 4), "i2"))]).writeto(path)
    return path


def write_asn(path: Path, rows: Sequence[tuple[str, str, bool]], instrument: str = "WFC3") -> Path:
    """Write an association table."""
    columns = [
        fits.Column("MEMNAME", "14A", array=[name for name, _, _ in rows]),
        fits.Column("MEMTYPE", "14A", array=[kind for _, kind, _ in rows]),
        fits.Column("MEMPRSNT", "L", array=[present for _, _, present in rows]),
    ]
    primary = fits.PrimaryHDU(header=fits.Header({"INSTRUME": instrument}))
    fits.HDUList([primary, fits.BinTableHDU.from_columns(columns, name="ASN")]).writeto(path)
    return path


def write_association(folder: Path, roots: Sequence[str] = ("iabc01aaq", "iabc01abq")) -> Path:
    """Write a table with its RAW and FLT files; return the table's path."""
    for root in roots:
        write_raw(folder / f"{root}_raw.fits")
        write_exposure(folder / f"{root}_flt.fits", primary={"ROOTNAME": root})
    rows = [(root.upper(), "EXP-DTH", True) for root in roots] + [("IABC01010", "PROD-DTH", True)]
    return write_asn(folder / "iabc01010_asn.fits", rows)


def write_idctab(path: Path, detector: str = "WFC3/IR", *, size: int = SIZE) -> Path:
    """Write a distortion model of third order, the same for every filter, with one row for each chip."""
    instrument, name = detector.split("/")
    chips = CHIPS.get(detector, (1,))
    scale = PIXEL_ARCSEC[detector]
    columns: dict[str, object] = {
        "DETCHIP": [str(chip) for chip in chips],
        "DIRECTION": ["forward"] * len(chips),
        "XSIZE": [size] * len(chips),
        "YSIZE": [size] * len(chips),
        "XREF": [size / 2] * len(chips),
        "YREF": [size / 2] * len(chips),
        "V2REF": [200.0] * len(chips),
        "V3REF": [300.0 + i * size * scale for i in range(len(chips))],
        "SCALE": [scale] * len(chips),
        "THETA": [0.0] * len(chips),
    }
    for i in range(1, 4):
        for j in range(i + 1):
            columns[f"CX{i}{j}"] = [scale * (j == 1 and i == 1) + 1e-7 * (i == 2)] * len(chips)
            columns[f"CY{i}{j}"] = [scale * (j == 0 and i == 1) + 2e-7 * (i == 2)] * len(chips)
    header = fits.Header({"INSTRUME": instrument, "NORDER": 3, "PARITY": 1})
    header["CAMERA" if instrument == "NICMOS" else "DETECTOR"] = int(name) if name.isdigit() else name
    table = fits.BinTableHDU.from_columns([_column(key, value) for key, value in columns.items()])
    fits.HDUList([fits.PrimaryHDU(header=header), table]).writeto(path, overwrite=True)
    return path


def write_lookup(path: Path, chips: tuple[int, ...]) -> Path:
    """Write an NPOLFILE or D2IMFILE: a coarse table of small shifts for each chip and axis."""
    hdus: list[fits.hdu.base._BaseHDU] = [
        fits.PrimaryHDU(header=fits.Header({"INSTRUME": "ACS", "DETECTOR": "WFC", "FILENAME": path.name}))
    ]
    for extver, (chip, axis) in enumerate(((c, a) for c in chips for a in ("DX", "DY")), start=1):
        header = fits.Header({"CCDCHIP": chip, "CRVAL1": 1.0, "CRVAL2": 1.0, "CDELT1": 8.0, "CDELT2": 8.0})
        data = np.full((5, 5), 0.01 * extver, "f4")
        hdus.append(fits.ImageHDU(data, header, name=axis, ver=(extver + 1) // 2))
    fits.HDUList(hdus).writeto(path)
    return path


def write_mdriztab(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    """Write an MDRIZTAB; every row has the same columns."""
    columns = [_column(key, [row[key] for row in rows]) for key in rows[0]]
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)]).writeto(path, overwrite=True)
    return path


def _column(name: str, values: object) -> fits.Column:
    array = np.array(values)
    formats = {"U": f"{max(1, array.dtype.itemsize // 4)}A", "b": "L", "i": "J", "f": "D"}
    return fits.Column(name, formats[array.dtype.kind], array=array)


def _primary(path: Path, detector: str, more: Mapping[str, object]) -> fits.Header:
    instrument, name = detector.split("/")
    header = fits.Header(
        {
            "TELESCOP": "HST",
            "INSTRUME": instrument,
            "ROOTNAME": path.name.split("_")[0],
            "FILENAME": path.name,
            "NEXTEND": 3 * len(CHIPS.get(detector, (1,))),
            "DATE-OBS": "2015-03-04",
            "EXPSTART": 57085.1,
            "EXPEND": 57085.2,
            "EXPTIME": 100.0,
            "TARGNAME": "NGC-1",
            "RA_TARG": 30.0,
            "DEC_TARG": -20.0,
            "PA_V3": 45.0,
            "OBSTYPE": "IMAGING",
            "IMAGETYP": "EXT",
            "SUBARRAY": False,
            "REFFRAME": "ICRS",
            "DRIZCORR": "PERFORM",
            "IDCTAB": "N/A",
            "NPOLFILE": "N/A",
            "D2IMFILE": "N/A",
            "ASN_MTYP": "EXP-DTH",
            **FILTERS[instrument],
            **ELECTRONICS[instrument],
        }
    )
    if instrument == "NICMOS":
        header["CAMERA"] = int(name)
    elif instrument != "WFPC2":
        header["DETECTOR"] = name
    header.update(more)
    return header


def _sci_header(detector: str, chip: int, size: int) -> fits.Header:
    instrument = detector.split("/")[0]
    degrees = PIXEL_ARCSEC[detector] / 3600
    header = fits.Header(
        {
            "BUNIT": UNITS.get(instrument, "ELECTRONS" if detector == "WFC3/UVIS" else "ELECTRONS/S"),
            "CTYPE1": "RA---TAN",
            "CTYPE2": "DEC--TAN",
            "CRVAL1": 30.0,
            "CRVAL2": -20.0,
            "CRPIX1": size / 2,
            "CRPIX2": size / 2,
            "CD1_1": -degrees,
            "CD1_2": 0.0,
            "CD2_1": 0.0,
            "CD2_2": degrees,
            "RA_APER": 30.0,
            "DEC_APER": -20.0,
            "VAFACTOR": 1.00002,
            "ORIENTAT": 0.0,
            "LTV1": 0.0,
            "LTV2": 0.0,
            "BINAXIS1": 1,
            "BINAXIS2": 1,
            "MEANDARK": 1.5,
            "NGOODPIX": size * size,
        }
    )
    if instrument == "WFPC2":
        header["DETECTOR"] = chip
    elif instrument in ("ACS", "WFC3"):
        header["CCDCHIP"] = chip
    if instrument == "STIS":
        header["DATE-OBS"] = "2015-03-04"
    return header
