"""Exposures of the detectors, small and sound, whose headers become wrong card by card."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from astropy.io import fits
from attrs import field, frozen
from degenerate_files import VARIABLES, nothing, write_case
from degenerate_files import Case as Degenerate
from tiny_files import write_exposure, write_lookup

from hostile.acting import command, run_command, run_until
from hostile.cards import CARD_SPOILS, Hdu, join, split, spoil_card
from hostile.cases import Case, Mutation, Place
from hostile.keywords import known_keywords, wcs_keywords

__all__ = ["CardSource", "card_places", "exposure_sources", "hdus_of", "spoiled"]

SIZE = 8
CATALOGUE = b"ra,dec,mag,pmra,pmdec,ref_epoch\n" + b"".join(
    f"{30 + 1e-5 * i:.6f},{-20 + 2e-5 * i:.6f},{18 + i / 10},1.2,-0.3,2016.0\n".encode() for i in range(9)
)
TABLE_KEYWORDS = ("INSTRUME", "DETECTOR", "CAMERA", "DRIZCORR", "IDCTAB", "ROOTNAME", "NEXTEND", "EXTNAME", "EXTVER")
"""What is read from the RAW file and the association table, beside what their own headers hold."""

TABLES = {"NPOLFILE": "a_npl.fits", "D2IMFILE": "a_d2i.fits"}

DEPTHS: Mapping[str, float] = {"opened": 0.98, "prepared": 0.017, "run": 0.003}


def hdus_of(data: bytes) -> tuple[Hdu, ...]:
    """A sound file in HDUs."""
    spans: list[int] = []
    with fits.open(io.BytesIO(data)) as hdulist:
        for hdu in hdulist:
            place = hdu.fileinfo()
            spans += [place["datLoc"], place["datLoc"] + place["datSpan"]]
    return split(data, spans)


def spoiled(hdus: Mapping[str, tuple[Hdu, ...]], mutations: Iterable[Mutation]) -> dict[str, bytes]:
    """The files in which something is wrong, put together again."""
    changed: dict[str, list[Hdu]] = {}
    for mutation in mutations:
        name, _, index = mutation.place.file.partition("[")
        parts, at = changed.setdefault(name, list(hdus[name])), int(index.split(":")[0])
        parts[at] = spoil_card(parts[at], mutation.place.name, mutation.how, mutation.chance)
    return {name: join(tuple(parts)) for name, parts in changed.items()}


@frozen(eq=False, repr=False)
class CardSource:
    """A set of FITS files of which cards are wrong.

    Attributes
    ----------
    entry : str
        The input of the run.
    variable : str
        Variable of the reference files, which lie in the same folder.
    sound : mapping of str to bytes
        All files.
    hdus : mapping of str to tuple of Hdu
        Of those in which something can be wrong.
    """

    name: str
    weight: float
    entry: str
    variable: str
    sound: Mapping[str, bytes]
    hdus: Mapping[str, tuple[Hdu, ...]]
    places: tuple[Place, ...]
    depths: Mapping[str, float] = field(default=DEPTHS)
    action: Callable[[Case, Path], None] | None = None
    names_files: bool = False

    def hows(self, place: Place) -> Sequence[str]:
        """Every way in which a card can be wrong."""
        return _HOWS

    def files(self, case: Case) -> Mapping[str, bytes]:
        """The sound files and those that are not."""
        return {**self.sound, **spoiled(self.hdus, case.mutations)}

    def act(self, case: Case, folder: Path) -> None:
        """Process the input, or do what the source was made for."""
        if self.action is not None:
            self.action(case, folder)
            return
        entry, variables = folder / self.entry, {self.variable: str(folder)}
        if case.depth == "run":
            run_command(entry, variables, "--catalog", str(folder / "stars.csv"), "--headerlets", str(folder))
        elif case.depth == "verify":
            command("verify", str(entry), "-n", "1", good=(0, 3, 4), variables=variables)
        else:
            run_until(case.depth, entry, variables)

    def may_change(self, case: Case) -> Sequence[str]:
        """The exposures, which a run updates."""
        return [name for name in self.sound if name.endswith(_EXPOSURES)] if case.depth in ("run", "apply") else ()

    def told(self, case: Case) -> Sequence[str]:
        """The roots of all files: a message about an association may name any of them."""
        return () if case.depth == "service" else tuple({name.split("_")[0] for name in self.sound})


_HOWS = tuple(CARD_SPOILS)
_EXPOSURES = ("_flt.fits", "_flc.fits", "_cal.fits")


def exposure_sources(folder: Path) -> tuple[CardSource, ...]:
    """One for each kind of file set; `folder` receives the sound files."""
    make = partial(_source, folder)
    return (
        make("WFC3/IR", 5, ("flt",), alone=True),
        make("WFC3/IR", 0.8, ("asn", "raw", "flt"), count=2),
        make("ACS/WFC", 1.4, ("flc", "flt"), alone=True),
        make("WFPC2/PC", 0.6, ("d0m", "c0m", "c1m")),
        make("STIS/CCD", 2, ("flt",), alone=True),
        make("NICMOS/2", 2, ("cal",), alone=True),
        make("ACS/SBC", 0.8, ("flt",), alone=True),
        make("WFC3/UVIS", 0.6, ("flt",), alone=True),
        _reference_source(folder / "references"),
    )


def _source(
    parent: Path, detector: str, weight: float, suffixes: Sequence[str], *, count: int = 1, alone: bool = False
) -> CardSource:
    folder = parent / f"{detector.replace('/', '_')}_{count}"
    folder.mkdir()
    tiny = write_case(folder, detector, Degenerate(nothing, size=SIZE, count=count))
    (folder / "stars.csv").write_bytes(CATALOGUE)
    if "flc" in suffixes:
        _add_tables(folder)
    if "c0m" in suffixes:
        _split_wfpc2(tiny.exposures[-1])
    sound = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    last = tiny.exposures[-1].name.split("_")[0]
    names = [tiny.input.name if suffix == "asn" else f"{last}_{suffix}.fits" for suffix in suffixes]
    hdus = {name: hdus_of(sound[name]) for name in names}
    return CardSource(
        name=f"headers {detector}{' association' if count > 1 else ''}",
        weight=weight,
        entry=names[0] if alone or count > 1 else tiny.input.name,
        variable=VARIABLES[detector.split("/")[0]],
        sound=sound,
        hdus=hdus,
        places=tuple(place for name in names for place in card_places(name, hdus[name])),
        depths={**DEPTHS, "verify": 0.003} if count > 1 else DEPTHS,
    )


def _reference_source(folder: Path) -> CardSource:
    """The files of a distortion model, read when it is applied."""
    folder.mkdir()
    write_case(folder, "ACS/WFC", Degenerate(nothing, size=SIZE, count=1))
    _add_tables(folder)
    (folder / "stars.csv").write_bytes(CATALOGUE)
    (folder / "xabc01aaq_flt.fits").unlink()
    sound = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    hdus = {name: hdus_of(sound[name]) for name in ("a1b2c_idc.fits", *TABLES.values())}
    places = tuple(
        Place(f"{name}[{index}:{hdu.name}]", keyword)
        for name, parts in hdus.items() for index, hdu in enumerate(parts) for keyword in hdu.keywords
    )  # fmt: skip
    depths = {"prepared": 0.95, "run": 0.05}
    return CardSource("reference files", 0.2, "xabc01aaq_flc.fits", "jref", sound, hdus, places, depths)


def _add_tables(folder: Path) -> None:
    """A FLC and a FLT that name tables of NPOLFILE and D2IMFILE, and these."""
    for name in TABLES.values():
        write_lookup(folder / name, (2, 1))
    primary = {"ROOTNAME": "xabc01aaq", "IDCTAB": "jref$a1b2c_idc.fits"}
    primary |= {keyword: f"jref${name}" for keyword, name in TABLES.items()}
    for suffix in ("flc", "flt"):
        write_exposure(folder / f"xabc01aaq_{suffix}.fits", "ACS/WFC", primary=primary, size=SIZE)


def card_places(name: str, hdus: Sequence[Hdu]) -> Iterable[Place]:
    """Every card that is there or looked up, of the first and the last of several chips."""
    known = known_keywords()
    is_exposure = not name.endswith(("_asn.fits", "_raw.fits", "_d0m.fits"))
    last = max((version for hdu in hdus if (version := hdu.name.partition(",")[2])), default="")
    for index, hdu in enumerate(hdus):
        kind, _, version = hdu.name.partition(",")
        if version not in ("", "1", last):
            continue
        read = known.get(kind, ()) if is_exposure else TABLE_KEYWORDS
        wcs = wcs_keywords() if kind == "SCI" and is_exposure else ()
        for keyword in dict.fromkeys((*read, *wcs, *hdu.keywords)):
            yield Place(f"{name}[{index}:{hdu.name}]", keyword)


def _split_wfpc2(flt: Path) -> None:
    """An image and its flags, as WFPC2's calibration leaves them, in place of a FLT."""
    with fits.open(flt) as hdulist:
        hdulist[0].header["NEXTEND"] = sum(hdu.name == "SCI" for hdu in hdulist)
        primary, chips = hdulist[0].header, [hdu for hdu in hdulist if hdu.name == "SCI"]
        flags = [fits.ImageHDU(hdu.data, chip.header, name="SCI", ver=chip.ver)
                 for hdu, chip in zip((h for h in hdulist if h.name == "DQ"), chips, strict=True)]  # fmt: skip
        root = flt.name.split("_")[0]
        fits.HDUList([fits.PrimaryHDU(header=primary), *chips]).writeto(flt.with_name(f"{root}_c0m.fits"))
        fits.HDUList([fits.PrimaryHDU(header=primary), *flags]).writeto(flt.with_name(f"{root}_c1m.fits"))
    flt.unlink()
