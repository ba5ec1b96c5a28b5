"""From the one input file to the exposures of a run: association table, RAW, or a bare exposure.

Files are only ever looked for in the folder of the input.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path

from attrs import evolve, field, frozen

from astrodriz_core.errors import InputError, MissingFilesError
from astrodriz_core.names import Rootname, file_stem, rootname
from astrodriz_io.fits.files import primary_text
from astrodriz_io.inputs.asn_table import read_asn_table
from astrodriz_io.storage.places import place

__all__ = ["Association", "DrizzleSwitch", "InputKind", "Member", "SwitchFound", "raw_idctab", "read_association"]

_INPUT_NAME = re.compile(r"(?P<root>.+)_(?P<suffix>[A-Za-z0-9]{3})\.fits", re.IGNORECASE)


class InputKind(Enum):
    """What the one input file is."""

    ASSOCIATION = "association table"
    RAW = "raw exposure"
    EXPOSURE = "calibrated exposure"


class DrizzleSwitch(Enum):
    """Value of DRIZCORR, and what it means for the run."""

    PERFORM = "PERFORM"
    """Drizzle."""
    COMPLETE = "COMPLETE"
    """Drizzled before; drizzling again is what the caller asks for, so the run goes ahead."""
    OMIT = "OMIT"
    """Do not drizzle; the run ends cleanly. Values that FITS files should not hold count as this one."""
    ABSENT = "absent"
    """The header has no such keyword. STIS and NICMOS never have it and run; others are skipped."""
    FORCED = "forced"
    """The caller overrides the switch, so it was not read."""


@frozen
class _Suffixes:
    """Names that an instrument's calibration gives to its files."""

    raw: str = "raw"
    flt: str = "flt"
    flc: str = "flc"
    image: str | None = None
    flags: str | None = None


_SUFFIXES: Mapping[str, _Suffixes] = {
    "NICMOS": _Suffixes(flt="cal"),
    "WFPC2": _Suffixes(raw="d0m", image="c0m", flags="c1m"),
}
_INSTRUMENTS_WITH_SWITCH = frozenset({"ACS", "WFC3", "WFPC2"})


@frozen
class SwitchFound:
    """DRIZCORR as a header has it.

    Attributes
    ----------
    file_name : str
    value : str
        Upper case; empty where the header has no such keyword.
    """

    file_name: str
    value: str

    def __str__(self) -> str:
        found = f"DRIZCORR is {self.value}" if self.value else "DRIZCORR is missing"
        counted = "" if self.value == DrizzleSwitch.OMIT.value else ", which counts as OMIT"
        return f"{self.file_name}: {found}{counted}"


@frozen
class Member:
    """One exposure of the input, by the names of its files (None where a file is not there).

    Attributes
    ----------
    rootname : str
        Lower-case root of the file names.
    member_type : str
        MEMTYPE of the table, such as EXP-DTH; empty for a single exposure.
    raw, flt, flc : str or None
        File names in the folder of the input, in the case that they have on disk.
    drizcorr : DrizzleSwitch
        DRIZCORR of the RAW file, or of the exposure itself where that is the input.
    c0m, c1m : str or None
        WFPC2 without a FLT: the files that it is made from, under the name in `flt`.
    switch : SwitchFound or None
        Where `drizcorr` was read, and as what; None where it was not asked for.
    """

    rootname: Rootname
    member_type: str
    raw: str | None = None
    flt: str | None = None
    flc: str | None = None
    drizcorr: DrizzleSwitch = DrizzleSwitch.ABSENT
    c0m: str | None = None
    c1m: str | None = None
    switch: SwitchFound | None = None


@frozen
class Association:
    """The exposures to combine and the name of their product.

    Attributes
    ----------
    kind : InputKind
        What the input file is.
    input_name : str
        Name of the input file.
    rootname : str
        Root of the input file's name; it names trailer and record.
    product : str
        Root of the product's name, lower case.
    instrument : str
        INSTRUME of the input file, upper case; empty where its header has none.
    members : tuple of Member
        The exposures, in the order of the table.
    drizcorr : DrizzleSwitch
        The switch for the whole: OMIT as soon as one member says so.
    folder : Path
        Where all files lie.
    """

    kind: InputKind
    input_name: str
    rootname: Rootname
    product: Rootname
    instrument: str
    members: tuple[Member, ...]
    drizcorr: DrizzleSwitch
    folder: Path = field(eq=False)

    @property
    def to_be_drizzled(self) -> bool:
        """Whether the switches let the run go ahead."""
        if self.drizcorr is DrizzleSwitch.ABSENT:
            return self.instrument not in _INSTRUMENTS_WITH_SWITCH
        return self.drizcorr is not DrizzleSwitch.OMIT

    @property
    def switched_off_by(self) -> tuple[SwitchFound, ...]:
        """The switches that keep the run from going ahead; none where it goes ahead."""
        if self.to_be_drizzled:
            return ()
        off = (DrizzleSwitch.OMIT, DrizzleSwitch.ABSENT)
        return tuple(member.switch for member in self.members if member.switch and member.drizcorr in off)

    @property
    def flt(self) -> tuple[str, ...]:
        """Names of the exposures that are not corrected for charge transfer."""
        return tuple(member.flt for member in self.members if member.flt is not None)

    @property
    def flc(self) -> tuple[str, ...]:
        """Names of the charge-transfer-corrected exposures; empty unless every member has one."""
        names = tuple(member.flc for member in self.members if member.flc is not None)
        return names if len(names) == len(self.members) else ()

    @property
    def lone_flc(self) -> tuple[str, ...]:
        """Names of FLC files that are left aside because other members have none."""
        return () if self.flc else tuple(member.flc for member in self.members if member.flc is not None)

    @property
    def deciding(self) -> tuple[str, ...]:
        """Names of the exposures that alignment and verification look at: the FLCs, else the FLTs."""
        return self.flc or self.flt

    @property
    def exposures(self) -> tuple[str, ...]:
        """Names of every exposure that the run updates."""
        return self.flt + self.flc

    @property
    def lock_names(self) -> tuple[str, ...]:
        """What no two runs may work on at a time: the association, its product and each exposure."""
        return (self.rootname, self.product, *(member.rootname for member in self.members))

    def path(self, name: str) -> Path:
        """Where the file `name` lies."""
        return place(self.folder, name)


def read_association(input_path: Path, *, force: bool = False) -> Association:
    """Read the input file and find every file that the run needs.

    An association or a RAW input needs the RAW and the FLT (NICMOS: CAL) of every member, as the
    documentation of runastrodriz says; with `force` the RAW files are not needed, since nobody asks for
    their DRIZCORR. A bare FLT or FLC is its own input: it needs no RAW, its own DRIZCORR counts, and its
    companion (the FLC of a FLT and the other way round) is used where it lies beside it.

    Parameters
    ----------
    input_path : Path
        ``<root>_asn.fits``, ``<root>_raw.fits``, ``<root>_flt.fits`` or ``<root>_flc.fits``; for WFPC2 also
        ``<root>_d0m.fits`` (its RAW) and ``<root>_c0m.fits``, for NICMOS ``<root>_cal.fits``.
    force : bool
        Run whatever DRIZCORR says.

    Returns
    -------
    Association
        Nothing on disk has been changed.

    Raises
    ------
    MissingFilesError
        One error that names every file that is not there.
    InputError
        The name of the input is none of the above, or the table is damaged, empty or names members that
        cannot be file names.
    """
    match = _INPUT_NAME.fullmatch(input_path.name)
    if match is None:
        raise _unknown_input(input_path)
    root = file_stem(match["root"], input_path.name)
    association = _first_reading(input_path, root, match["suffix"].lower())
    association = _with_files(association, force)
    return _with_switches(association, force)


def raw_idctab(association: Association, rootname: Rootname) -> str | None:
    """IDCTAB of a member's RAW file, for runs that reset the exposures to it.

    Parameters
    ----------
    association : Association
        The exposures of the run.
    rootname : str
        Root of the member.

    Returns
    -------
    str or None
        The keyword's value; None where the member has no RAW file or that has no IDCTAB.
    """
    names = [member.raw for member in association.members if member.rootname == rootname and member.raw]
    if not names:
        return None
    return primary_text(association.path(names[0]), "IDCTAB") or None


def _first_reading(input_path: Path, root: Rootname, suffix: str) -> Association:
    if suffix == "asn":
        return _from_table(input_path, root)
    instrument = primary_text(input_path, "INSTRUME").upper()
    suffixes = _SUFFIXES.get(instrument, _Suffixes())
    if suffix not in (suffixes.raw, suffixes.flt, suffixes.flc, suffixes.image):
        raise _unknown_input(input_path)
    kind = InputKind.RAW if suffix == suffixes.raw else InputKind.EXPOSURE
    member = Member(rootname(root, input_path.name), "")
    return _association(kind, input_path, root, member.rootname, instrument, (member,))


def _from_table(path: Path, root: Rootname) -> Association:
    table = read_asn_table(path)
    members = tuple(Member(name, member_type) for name, member_type in table.members)
    product = table.product or rootname(root, path.name)
    return _association(InputKind.ASSOCIATION, path, root, product, table.instrument, members)


def _association(
    kind: InputKind, path: Path, root: Rootname, product: Rootname, instrument: str, members: tuple[Member, ...]
) -> Association:
    return Association(
        kind=kind,
        input_name=path.name,
        rootname=root,
        product=product,
        instrument=instrument,
        members=members,
        drizcorr=DrizzleSwitch.ABSENT,
        folder=path.absolute().parent,
    )


def _with_files(association: Association, force: bool) -> Association:
    on_disk = _file_names(association.folder)
    suffixes = _SUFFIXES.get(association.instrument, _Suffixes())
    members = tuple(_found(member, suffixes, on_disk) for member in association.members)
    missing = tuple(name for member in members for name in _missing(member, association.kind, suffixes, force))
    if missing:
        raise _missing_files(missing, association.input_name, suffixes)
    return evolve(association, members=members)


def _file_names(folder: Path) -> Mapping[str, str]:
    """Names on disk by their lower-case form; the lower-case file itself wins where several match."""
    return {name.lower(): name for name in sorted(entry.name for entry in folder.iterdir())}


def _found(member: Member, suffixes: _Suffixes, on_disk: Mapping[str, str]) -> Member:
    def name(suffix: str) -> str | None:
        return on_disk.get(f"{member.rootname}_{suffix}.fits")

    found = evolve(member, raw=name(suffixes.raw), flt=name(suffixes.flt), flc=name(suffixes.flc))
    if found.flt is not None or suffixes.image is None or name(suffixes.image) is None:
        return found
    return evolve(found, flt=f"{member.rootname}_flt.fits", c0m=name(suffixes.image), c1m=name(suffixes.flags or ""))


def _missing(member: Member, kind: InputKind, suffixes: _Suffixes, force: bool) -> Iterable[str]:
    if kind is InputKind.EXPOSURE:
        return
    if member.raw is None and not force:
        yield f"{member.rootname}_{suffixes.raw}"
    if member.flt is None:
        yield f"{member.rootname}_{suffixes.flt}"


def _missing_files(names: tuple[str, ...], input_name: str, suffixes: _Suffixes) -> MissingFilesError:
    problem = " ".join(f"File {name} not found." for name in names)
    remedy = "Put every file into the folder of the input; nothing has been changed."
    if any(name.endswith(f"_{suffixes.raw}") for name in names):
        remedy += " With -f no raw files are needed."
    return MissingFilesError(problem, files=names, where=input_name, remedy=remedy)


def _with_switches(association: Association, force: bool) -> Association:
    members = tuple(_with_switch(member, association, force) for member in association.members)
    said = {member.drizcorr for member in members}
    # One OMIT stops the whole: a product without that exposure is not the one that was asked for.
    severest = (DrizzleSwitch.OMIT, DrizzleSwitch.ABSENT, DrizzleSwitch.COMPLETE, DrizzleSwitch.PERFORM)
    whole = next((switch for switch in severest if switch in said), DrizzleSwitch.FORCED)
    return evolve(association, members=members, drizcorr=whole)


def _with_switch(member: Member, association: Association, force: bool) -> Member:
    own = association.input_name if association.kind is InputKind.EXPOSURE else member.raw
    if force or own is None:
        return evolve(member, drizcorr=DrizzleSwitch.FORCED)
    value = primary_text(association.path(own), "DRIZCORR").upper()
    known = {"": DrizzleSwitch.ABSENT, "PERFORM": DrizzleSwitch.PERFORM, "COMPLETE": DrizzleSwitch.COMPLETE}
    return evolve(member, drizcorr=known.get(value, DrizzleSwitch.OMIT), switch=SwitchFound(own, value))


def _unknown_input(path: Path) -> InputError:
    problem = "this is not the name of an input: <root>_asn.fits, _raw.fits, _flt.fits or _flc.fits."
    remedy = "Give the association table, the raw file or the exposure."
    return InputError(problem, where=path.name, remedy=remedy)
