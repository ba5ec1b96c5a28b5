"""Metadata of calibrated exposures: what the stages need to know before they read an array."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from astropy.io import fits
from attrs import field, frozen

from astrodriz_core.errors import InputError
from astrodriz_core.instruments.detectors import DetectorDescription, Electronics, SignalUnit, detector_description
from astrodriz_core.instruments.observation import Observation, ObservationHeader, classify_observation
from astrodriz_core.names import Rootname
from astrodriz_io.fits.arrays import image_shape
from astrodriz_io.fits.files import header_rootname, keyword_number, keyword_text, open_fits
from astrodriz_io.inputs.keyword_table import check_keywords

__all__ = ["Chip", "Exposure", "filter_names", "read_exposure"]

_FILTER_KEYWORDS: Mapping[str, tuple[str, ...]] = {
    "ACS": ("FILTER1", "FILTER2"),
    "WFC3": ("FILTER",),
    "WFPC2": ("FILTNAM1", "FILTNAM2"),
    "STIS": ("OPT_ELEM", "FILTER"),
    "NICMOS": ("FILTER", "FILTER2"),
}
_UNITS = {unit.value: unit for unit in SignalUnit} | {
    "ELECTRON": SignalUnit.ELECTRONS,
    "ELECTRON/S": SignalUnit.ELECTRONS_PER_SECOND,
    "ELECTRONS/SEC": SignalUnit.ELECTRONS_PER_SECOND,
    "COUNTS/SEC": SignalUnit.COUNTS_PER_SECOND,
    "COUNT": SignalUnit.COUNTS,
    "DN": SignalUnit.COUNTS,
    "DN/S": SignalUnit.COUNTS_PER_SECOND,
}

_FETCH = "Fetch or calibrate the file again."

_LEAST_SIDE = 2
_SHOWN = 40
"""Pixels; the centres of fewer span no area, and no frame follows from them."""


@frozen
class Chip:
    """One chip of an exposure, from its SCI header.

    Attributes
    ----------
    extver : int
        EXTVER of its extensions.
    shape : tuple of int
        (ny, nx).
    unit : SignalUnit
        Unit of the array.
    electronics : Electronics
        Chip number, amplifiers, gains, read noises, dark.
    binning : tuple of int
        (along x, along y) in detector pixels.
    offset : tuple of float
        LTV1, LTV2: where detector pixel (0, 0) lies in this image, along x and y.
    n_good_pixels : int or None
        NGOODPIX; None where the header has none.
    wcsname : str
        WCSNAME of the primary WCS; empty where there is none.
    """

    extver: int
    shape: tuple[int, int]
    unit: SignalUnit
    electronics: Electronics
    binning: tuple[int, int]
    offset: tuple[float, float]
    n_good_pixels: int | None
    wcsname: str


@frozen
class Exposure:
    """One calibrated exposure, without its arrays.

    Attributes
    ----------
    rootname : str
        ROOTNAME, lower case; the file name's root where the header has none.
    description : DetectorDescription
        Its detector.
    filters : tuple of str
        Optical elements in the light path, blanks left out.
    exposure_time : float
        Seconds.
    start, end : float or None
        EXPSTART, EXPEND, modified Julian dates.
    target : str
        TARGNAME.
    subarray : bool
        Whether only a part of the detector was read.
    observation : Observation
        Whether it can be combined and aligned, and why not.
    chips : tuple of Chip
        In the order of the file.
    path : Path
        The file.
    """

    rootname: Rootname
    description: DetectorDescription
    filters: tuple[str, ...]
    exposure_time: float
    start: float | None
    end: float | None
    target: str
    subarray: bool
    observation: Observation
    chips: tuple[Chip, ...]
    path: Path = field(eq=False)

    @property
    def configuration(self) -> str:
        """Detector and filters, such as ``ACS/WFC F606W,CLEAR2L``."""
        return f"{self.description.name} {','.join(self.filters)}".rstrip()


def read_exposure(path: Path) -> Exposure:
    """Read the headers of a FLT or FLC.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Exposure
        An exposure of zero seconds or without good pixels is read like any other; its `observation` says so.

    Raises
    ------
    MissingFilesError
        There is no such file.
    InputError
        The file is damaged, has no SCI extension, comes from an unknown detector, or lacks a number that
        every exposure has; the message names file, extension and keyword.
    """
    with open_fits(path) as hdulist:
        primary = hdulist[0].header
        sci = [hdu for hdu in hdulist[1:] if hdu.name == "SCI"]
        if not sci:
            problem = "the file has no SCI extension."
            raise InputError(problem, where=path.name, remedy="Give an FLT or FLC.")
        check_keywords(primary, path.name)
        for hdu in sci:
            check_keywords(hdu.header, f"{path.name}[SCI,{hdu.ver}]")
        description = _description(primary, path.name)
        chips = tuple(_chip(hdu, primary, description, path.name) for hdu in sci)
        _check_whole(hdulist, description, chips, path.name)
        _check_extensions(hdulist, path.name)
        return _exposure(path, primary, sci[0].header, description, chips)


def filter_names(header: fits.Header) -> tuple[str, ...]:
    """Optical elements that a primary header names, upper case, blanks left out."""
    keywords = _FILTER_KEYWORDS.get(keyword_text(header, "INSTRUME").upper(), ())
    return tuple(name for keyword in keywords if (name := keyword_text(header, keyword).upper()))


def _check_whole(
    hdulist: fits.HDUList, description: DetectorDescription, chips: tuple[Chip, ...], file_name: str
) -> None:
    """Refuse a file that was cut between two extensions, which would pass for one without DQ or a chip."""
    promised = _number((hdulist[0].header,), "NEXTEND") or 0
    present = {(hdu.name, hdu.ver) for hdu in hdulist[1:]}
    expected = {(name, chip.extver) for chip in chips for name in ("ERR", "DQ")}
    something_lacks = not expected <= present or len(chips) < len(description.chips)
    if promised > len(hdulist) - 1 and something_lacks:
        problem = f"NEXTEND promises {promised:.0f} extensions, but the file ends after {len(hdulist) - 1}."
        raise InputError(problem, where=f"{file_name}: NEXTEND", remedy=_FETCH)


def _check_extensions(hdulist: fits.HDUList, file_name: str) -> None:
    """Refuse chips that cannot be told apart, flags that are no whole numbers, and products of an earlier drizzle."""
    drizzled = [keyword for keyword in ("NDRIZIM", "D001DATA") if keyword in hdulist[0].header]
    if drizzled:
        problem = "this is a drizzled product, not an exposure."
        raise InputError(
            problem, where=f"{file_name}: {drizzled[0]}", remedy="Give a calibrated exposure (FLT or FLC)."
        )
    versions = [hdu.ver for hdu in hdulist[1:] if hdu.name == "SCI"]
    strange = [version for version in versions if type(version) is not int]
    if strange:
        problem = f"{str(strange[0])[:_SHOWN]!r} is no whole number."
        raise InputError(problem, where=f"{file_name}: EXTVER", remedy=_FETCH)
    doubled = [version for version in versions if versions.count(version) > 1]
    if doubled:
        problem = "several extensions have this name and number."
        raise InputError(problem, where=f"{file_name}[SCI,{doubled[0]}]: EXTVER", remedy=_FETCH)
    for hdu in hdulist[1:]:
        if hdu.name == "DQ" and (keyword_number(hdu.header, "BITPIX") or 0) < 0:
            problem = "the flags are not whole numbers."
            raise InputError(problem, where=f"{file_name}[DQ,{hdu.ver}]: BITPIX", remedy=_FETCH)


def _exposure(
    path: Path,
    primary: fits.Header,
    sci: fits.Header,
    description: DetectorDescription,
    chips: tuple[Chip, ...],
) -> Exposure:
    headers = (primary, sci)
    seconds = _required_number(headers, "EXPTIME", path.name)
    return Exposure(
        rootname=header_rootname(primary, path.name),
        description=description,
        filters=filter_names(primary),
        exposure_time=seconds,
        start=_number(headers, "EXPSTART"),
        end=_number(headers, "EXPEND"),
        target=keyword_text(primary, "TARGNAME"),
        subarray=keyword_text(primary, "SUBARRAY").upper().startswith("T"),
        observation=classify_observation(_observation_header(primary, seconds, chips)),
        chips=chips,
        path=path,
    )


def _observation_header(primary: fits.Header, seconds: float, chips: tuple[Chip, ...]) -> ObservationHeader:
    def text(keyword: str) -> str:
        return keyword_text(primary, keyword).upper()

    counted = [chip.n_good_pixels for chip in chips if chip.n_good_pixels is not None]
    return ObservationHeader(
        instrument=text("INSTRUME"),
        exposure_time=seconds,
        filters=filter_names(primary),
        observation_type=text("OBSTYPE"),
        image_type=text("IMAGETYP"),
        target=text("TARGNAME"),
        moving_target=text("MTFLAG").startswith("T"),
        scan_type=text("SCAN_TYP"),
        guiding=text("FGSLOCK"),
        quality=text("QUALITY"),
        charge_injection=text("CHINJECT"),
        drizzle_switch=text("DRIZCORR"),
        n_good_pixels=sum(counted) if counted else None,
    )


def _description(primary: fits.Header, file_name: str) -> DetectorDescription:
    instrument = keyword_text(primary, "INSTRUME")
    detector = keyword_text(primary, "CAMERA" if instrument.upper() == "NICMOS" else "DETECTOR")
    try:
        return detector_description(instrument, detector)
    except InputError as failure:
        keywords = "INSTRUME, DETECTOR"
        raise InputError(failure.problem, where=f"{file_name}: {keywords}", remedy=failure.remedy) from failure


def _chip(hdu: fits.ImageHDU, primary: fits.Header, description: DetectorDescription, file_name: str) -> Chip:
    header, where = hdu.header, f"{file_name}[SCI,{hdu.ver}]"
    shape = image_shape(hdu)
    if shape is None:
        raise InputError("there is no two-dimensional image in it.", where=where)
    if min(shape) < _LEAST_SIDE:
        raise InputError(f"an image of {shape[1]} x {shape[0]} pixels covers no sky.", where=where)
    good = _number((header,), "NGOODPIX" if "NGOODPIX" in header else "GPIXELS")
    return Chip(
        extver=hdu.ver,
        shape=shape,
        unit=_unit(keyword_text(header, "BUNIT"), description, where),
        electronics=_electronics(primary, header, description),
        binning=(_whole(header, "BINAXIS1"), _whole(header, "BINAXIS2")),
        offset=(_number((header,), "LTV1") or 0.0, _number((header,), "LTV2") or 0.0),
        n_good_pixels=None if good is None else int(good),
        wcsname=keyword_text(header, "WCSNAME"),
    )


def _electronics(primary: fits.Header, header: fits.Header, description: DetectorDescription) -> Electronics:
    chip = _number((header, primary), description.chip_keyword) if description.chip_keyword else 1.0
    amplifiers = keyword_text(primary, "CCDAMP").upper()
    return Electronics(
        chip=int(chip or description.chips[0]),
        amplifiers=amplifiers,
        gains=_numbers(primary, _of_amplifiers(description.gain_keywords, amplifiers)),
        read_noises=_numbers(primary, _of_amplifiers(description.read_noise_keywords, amplifiers)),
        dark=_number((header,), description.dark_keyword) if description.dark_keyword else None,
        dark_time=_number((primary, header), description.dark_time_keyword),
    )


def _of_amplifiers(keywords: tuple[str, ...], amplifiers: str) -> tuple[str, ...]:
    """Keep, of the keywords that end with an amplifier's letter, those in use; all where none is named."""
    if len(keywords) == 1:
        return keywords
    return tuple(keyword for keyword in keywords if keyword[-1] in amplifiers) or keywords


def _unit(bunit: str, description: DetectorDescription, where: str) -> SignalUnit:
    if not bunit:
        return description.native_unit
    unit = _UNITS.get(bunit.upper())
    if unit is None:
        known = ", ".join(unit.value for unit in SignalUnit)
        problem = f"the unit {bunit!r} is not one of a calibrated exposure."
        raise InputError(problem, where=f"{where}: BUNIT", remedy=f"Known units: {known}.")
    return unit


def _number(headers: Iterable[fits.Header], keyword: str) -> float | None:
    """First finite number that a header gives; texts and NaN count as not given."""
    for header in headers:
        value = keyword_number(header, keyword)
        if value is not None:
            return float(value)
    return None


def _required_number(headers: Iterable[fits.Header], keyword: str, file_name: str) -> float:
    value = _number(headers, keyword)
    if value is None:
        raise InputError("the header gives no number.", where=f"{file_name}: {keyword}")
    return value


def _numbers(header: fits.Header, keywords: tuple[str, ...]) -> tuple[float, ...]:
    values = (_number((header,), keyword) for keyword in keywords)
    return tuple(value for value in values if value is not None)


def _whole(header: fits.Header, keyword: str) -> int:
    return int(_number((header,), keyword) or 1)
