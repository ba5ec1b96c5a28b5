"""Which keywords are looked up in headers: recorded in real runs, and kept in a file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from astropy.io import fits
from degenerate_files import Case as Degenerate
from degenerate_files import nothing, write_case

from astrodriz import process
from hostile.acting import environment

__all__ = ["DETECTORS", "KEYWORDS_FILE", "keywords_of_runs", "known_keywords", "recorded", "wcs_keywords"]

KEYWORDS_FILE = Path(__file__).with_name("keywords_read.json")
KEYWORD = re.compile(r"[A-Z0-9_-]{1,8}")
EXTENSIONS = ("PRIMARY", "SCI", "ERR", "DQ")
DETECTORS = ("WFC3/IR", "WFC3/UVIS", "ACS/WFC", "ACS/SBC", "WFPC2/PC", "STIS/CCD", "NICMOS/2")
"""One of each way of reading an instrument's headers."""

OF_OTHER_CHIPS = re.compile(r"D(?!001)\d{3}[A-Z]+")
"""Keywords of a product that only repeat those of its first chip."""


@contextmanager
def recorded() -> Iterator[dict[str, set[str]]]:
    """Every keyword that is looked up, written or removed within the block, by the name of the extension."""
    found: dict[str, set[str]] = {}
    original = fits.Header._cardindex

    def index(header: fits.Header, key: object) -> int:
        word = key[0] if isinstance(key, tuple) else key
        if isinstance(word, str) and KEYWORD.fullmatch(word.upper()):
            found.setdefault(_extension(header), set()).add(word.upper())
        return original(header, key)

    with patch.object(fits.Header, "_cardindex", index):
        yield found


def keywords_of_runs(folder: Path, detectors: Sequence[str] = DETECTORS) -> dict[str, list[str]]:
    """What whole runs on sound exposures of some detectors look up, as the file keeps it."""
    with recorded() as found, environment():
        for detector in detectors:
            own = folder / detector.replace("/", "_")
            own.mkdir()
            tiny = write_case(own, detector, Degenerate(nothing, size=8))
            process(tiny.input, environment=tiny.environment, num_cores=1)
    return {name: sorted(word for word in found[name] if not OF_OTHER_CHIPS.fullmatch(word)) for name in EXTENSIONS}


def known_keywords() -> Mapping[str, tuple[str, ...]]:
    """The file's content: keywords by the name of the extension."""
    tree = json.loads(KEYWORDS_FILE.read_text("utf-8"))
    return {name: tuple(words) for name, words in tree.items()}


def wcs_keywords() -> tuple[str, ...]:
    """What wcslib reads from the text of a header, where nothing can be recorded (FITS WCS papers I, II; SIP)."""
    axes = [f"{word}{axis}" for word in ("CTYPE", "CUNIT", "CRVAL", "CRPIX", "CDELT", "CROTA") for axis in (1, 2, 3)]
    matrices = [f"{word}{i}_{j}" for word in ("CD", "PC", "PV", "PS") for i in (1, 2) for j in (0, 1, 2)]
    terms = [f"{axis}_{p}_{q}" for axis in ("A", "B", "AP", "BP") for p, q in ((0, 2), (1, 1), (2, 0), (0, 9))]
    orders = [f"{axis}_ORDER" for axis in ("A", "B", "AP", "BP")]
    distortion = [f"{word}{axis}" for word in ("CPDIS", "CPERR", "CQDIS", "D2IMDIS", "D2IMERR") for axis in (1, 2)]
    single = ("WCSAXES", "WCSNAME", "LONPOLE", "LATPOLE", "RADESYS", "EQUINOX", "EPOCH", "VELREF", "RESTFRQ", "SPECSYS")
    dates = ("DATE-OBS", "MJD-OBS", "DATE-AVG", "MJDREF", "TIMESYS", "OBSGEO-X")
    return (*axes, *matrices, *terms, *orders, *distortion, *single, *dates)


def _extension(header: fits.Header) -> str:
    # The index of the header itself: looking a keyword up would be recorded in turn.
    indices = header._keyword_indices
    if "EXTNAME" in indices:
        return str(header._cards[indices["EXTNAME"][0]].value).upper()
    return "other" if "XTENSION" in indices else "PRIMARY"
