"""Associations of a few pixels with something wrong in them, for the table of degenerate input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from astropy.io import fits
from attrs import frozen
from tiny_files import SIZE, write_asn, write_exposure, write_idctab, write_raw

VARIABLES = {"WFC3": "iref", "ACS": "jref", "WFPC2": "uref", "STIS": "oref", "NICMOS": "nref"}
SUFFIXES = {"NICMOS": ("raw", "cal"), "WFPC2": ("d0m", "flt")}
FILTER_KEYWORDS = {
    "ACS": ("FILTER1", "FILTER2"),
    "WFC3": ("FILTER",),
    "WFPC2": ("FILTNAM1", "FILTNAM2"),
    "STIS": ("OPT_ELEM", "FILTER"),
    "NICMOS": ("FILTER",),
}
ROOTS = ("xabc01aaq", "xabc01abq")
DITHER = 0.1
"""Distance of the exposures as a part of their side, so that they overlap in part."""

Spoil = Callable[[Path], None]


@frozen
class TinyAssociation:
    """Files of an association and what a run needs besides."""

    input: Path
    exposures: tuple[Path, ...]
    environment: dict[str, str]


@frozen
class Case:
    """What is wrong: with the last exposure or with all, and how large and how many they are."""

    spoil: Spoil
    every: bool = False
    count: int = 2
    size: int = SIZE


def write_case(folder: Path, detector: str, case: Case) -> TinyAssociation:
    """Write an association with what the case says."""
    instrument, name = detector.split("/")
    variable = VARIABLES[instrument]
    raw, calibrated = SUFFIXES.get(instrument, ("raw", "flt"))
    write_idctab(folder / "a1b2c_idc.fits", detector, size=case.size)
    roots, paths = ROOTS[: case.count], []
    for index, root in enumerate(roots):
        write_raw(folder / f"{root}_{raw}.fits", INSTRUME=instrument, DETECTOR=name)
        path = write_exposure(
            folder / f"{root}_{calibrated}.fits",
            detector,
            primary={"ROOTNAME": root, "IDCTAB": f"{variable}$a1b2c_idc.fits"},
            size=case.size,
        )
        move(path, index * DITHER * case.size)
        paths.append(path)
    for path in paths if case.every else paths[-1:]:
        case.spoil(path)
    rows = [(root.upper(), "EXP-DTH", True) for root in roots] + [("XABC01010", "PROD-DTH", True)]
    switches = {"ASTROMETRY_APPLY_APRIORI": "off", "ASTROMETRY_COMPUTE_APOSTERIORI": "off"}
    return TinyAssociation(
        write_asn(folder / "xabc01010_asn.fits", rows, instrument),
        tuple(paths),
        {variable: str(folder), **switches},
    )


def primary_value(path: Path, keyword: str, value: object) -> None:
    fits.setval(path, keyword, value=value, ext=0)


def science_value(path: Path, keyword: str, value: object) -> None:
    with fits.open(path, mode="update") as hdus:
        for hdu in hdus:
            if hdu.name == "SCI":
                hdu.header[keyword] = value


def pixels(path: Path, name: str, value: float) -> None:
    with fits.open(path, mode="update") as hdus:
        for hdu in hdus:
            if hdu.name == name:
                hdu.data[:] = value


def move(path: Path, shift_pix: float) -> None:
    """Point along declination by so many pixels elsewhere."""
    with fits.open(path, mode="update") as hdus:
        for hdu in hdus:
            if hdu.name == "SCI":
                hdu.header["CRVAL2"] += shift_pix * hdu.header["CD2_2"]


def without_extensions(path: Path, name: str) -> None:
    with fits.open(path) as hdus:
        kept = fits.HDUList([hdu.copy() for hdu in hdus if hdu.name != name])
    kept[0].header["NEXTEND"] = len(kept) - 1
    kept.writeto(path, overwrite=True)


def blank_filter(path: Path) -> None:
    with fits.open(path, mode="update") as hdus:
        for keyword in FILTER_KEYWORDS[hdus[0].header["INSTRUME"]]:
            hdus[0].header[keyword] = ""


def other_filter(path: Path) -> None:
    with fits.open(path, mode="update") as hdus:
        keyword, *_ = FILTER_KEYWORDS[hdus[0].header["INSTRUME"]]
        hdus[0].header[keyword] = "F999W"


def nothing(path: Path) -> None:
    """Leave the exposure as it is."""


CASES: Mapping[str, Case] = {
    "one has EXPTIME 0": Case(partial(primary_value, keyword="EXPTIME", value=0.0)),
    "all have EXPTIME 0": Case(partial(primary_value, keyword="EXPTIME", value=0.0), every=True),
    "one has NGOODPIX 0": Case(partial(science_value, keyword="NGOODPIX", value=0)),
    "all have NGOODPIX 0": Case(partial(science_value, keyword="NGOODPIX", value=0), every=True),
    "one is NaN in every pixel": Case(partial(pixels, name="SCI", value=np.nan)),
    "all are NaN in every pixel": Case(partial(pixels, name="SCI", value=np.nan), every=True),
    "one is 1e38 in every pixel": Case(partial(pixels, name="SCI", value=1e38)),
    "one is flagged in every pixel": Case(partial(pixels, name="DQ", value=2)),
    "all are flagged in every pixel": Case(partial(pixels, name="DQ", value=2), every=True),
    "they do not overlap": Case(partial(move, shift_pix=1000.0)),
    "they overlap in full": Case(partial(move, shift_pix=-DITHER * SIZE)),
    "one exposure": Case(nothing, count=1),
    "one has no SCI extension": Case(partial(without_extensions, name="SCI")),
    "one has no ERR extension": Case(partial(without_extensions, name="ERR")),
    "one has no DQ extension": Case(partial(without_extensions, name="DQ")),
    "they have different filters": Case(other_filter),
    "one names no filter": Case(blank_filter),
    "all name no filter": Case(blank_filter, every=True),
    "one names no IDCTAB": Case(partial(primary_value, keyword="IDCTAB", value="N/A")),
    "all name no IDCTAB": Case(partial(primary_value, keyword="IDCTAB", value="N/A"), every=True),
    "images of 1 x 1 pixel": Case(nothing, size=1),
    "images of 2 x 2 pixels": Case(nothing, size=2),
    "one image of 2 x 2 pixels": Case(nothing, count=1, size=2),
    "exposure times 1 : 1000": Case(partial(primary_value, keyword="EXPTIME", value=0.1)),
}
"""The rows of the table in docs/degenerate-input.md."""
