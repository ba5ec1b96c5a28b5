"""Damaged and hostile input, made from a seed, for everything that reads: the cases, the readers, the verdict."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import re
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import astropy
from astropy.io import fits
from attrs import evolve, field, frozen
from tiny_files import write_asn, write_exposure, write_idctab, write_mdriztab, write_raw

from astrodriz import AstrodrizError, Settings, drizzle_parameters, dump_record, read_record
from astrodriz_core.errors import CatalogError, DatabaseError
from astrodriz_core.names import Rootname
from astrodriz_core.records.run import FileDigest, ParameterSource
from astrodriz_io.catalogs.files import FileCatalog, Footprint
from astrodriz_io.catalogs.service import ServiceCatalog
from astrodriz_io.fits.arrays import read_dq, read_err, read_sci
from astrodriz_io.fits.files import open_fits
from astrodriz_io.inputs.asn_table import read_asn_table
from astrodriz_io.inputs.association import raw_idctab, read_association
from astrodriz_io.inputs.exposures import read_exposure
from astrodriz_io.inputs.mdriztab import read_mdriztab
from astrodriz_io.inputs.reference_folders import ReferenceFolders
from astrodriz_io.inputs.references import distortion_references
from astrodriz_io.record_files.exposure_states import keep_state, restore_state
from astrodriz_io.record_files.sidecar import Piece, SidecarWriter, read_sidecar
from astrodriz_io.run.record import omitted_record
from astrodriz_io.services.guide_stars import GuideStarFile, GuideStarService
from astrodriz_io.services.headerlet_sources import DatabaseSource, FolderSource, read_headerlet
from astrodriz_io.services.time_budget import TimeBudget
from astrodriz_io.services.web import WebClient
from astrodriz_io.storage.digests import sha256_of
from astrodriz_io.storage.disk import Disk
from astrodriz_io.storage.journal import Transaction
from astrodriz_io.storage.publishing import recover
from astrodriz_io.wcs.attached import attach_headerlet, attached_headerlets
from astrodriz_io.wcs.distortion import apply_distortion, exposure_wcs
from astrodriz_io.wcs.headerlets import content_hash, make_headerlet

SIZE = 8
CARD, BLOCK = 80, 2880
SECONDS = 5.0
"""Longest time that one case may take; they take milliseconds, so this leaves room for a busy machine."""

NUMBERS = (
    "0", "-1", "1", "2", "999", "99999", "2147483647", "-2147483648", "9223372036854775807", "99999999999999999999",
    "1E400", "-1E-400", "NaN", "1D5", "0.5", "T", "F", "''", "'NaN'", "'../../etc/passwd'", "", "(1,2)", "'\u00e9'",
)  # fmt: skip
NAMES = (
    "../../../etc/passwd", "/etc/passwd", "..", "*", "?", "[a-z]", "$HOME/x", "jref$../../x", "HOME$x", "~/x", "a\0b",
    "`id`", "$(id)", "x" * 60, "\u00e9\u00df", "", " ", "iabc01aaq", "CON", "jref$x_idc.fits", "file:///etc/passwd",
)  # fmt: skip
KEYWORDS = (
    "NAXIS", "NAXIS1", "NAXIS2", "BITPIX", "PCOUNT", "GCOUNT", "TFIELDS", "XTENSION", "SIMPLE", "EXTEND", "EXTNAME",
    "EXTVER", "CRVAL1", "CRPIX1", "CD1_1", "CD2_2", "CTYPE1", "A_ORDER", "A_0_2", "B_ORDER", "EXPTIME", "INSTRUME",
    "DETECTOR", "ROOTNAME", "BUNIT", "IDCTAB", "NPOLFILE", "D2IMFILE", "NGOODPIX", "BSCALE", "BZERO", "BLANK",
    "TFORM1", "TTYPE1", "TFORM2", "TDIM1", "THEAP", "CCDCHIP", "NEXTEND", "WCSNAME", "LTV1", "BINAXIS1", "NPIX1",
    "ZIMAGE", "ZCMPTYPE", "ZNAXIS1", "CONTINUE", "HIERARCH", "LONGSTRN", "CHECKSUM", "WCSAXES", "DRIZCORR",
)  # fmt: skip


@frozen
class Reader:
    """One kind of file: a sound one, and what reads it.

    Attributes
    ----------
    name : str
        The file's name.
    sound : bytes
        An undamaged one.
    read : callable
        Reads the file at a path.
    weight : int
        How often it is chosen; small where a case takes long.
    """

    name: str
    sound: bytes
    read: Callable[[Path], object]
    weight: int = 10

    @property
    def is_fits(self) -> bool:
        """Whether damage goes by blocks and cards."""
        return self.name.endswith(".fits")


@frozen
class Failure:
    """A case that ended otherwise than with success or an `AstrodrizError`."""

    reader: str
    seed: int
    what: str
    data: bytes = field(repr=False)

    @property
    def file_name(self) -> str:
        """Name under which it is kept: the reader and the content."""
        return f"{self.reader}--{hashlib.sha256(self.data).hexdigest()[:12]}"


@frozen
class FileClient(WebClient):
    """A web service whose reply is whatever lies in a file."""

    path: Path = Path()

    def _once(self, url: str, parameters: object) -> bytes:
        return self.path.read_bytes()


def client(path: Path, error: type[AstrodrizError]) -> FileClient:
    return FileClient("service", error, TimeBudget(), attempts=1, path=path)


def readers(folder: Path) -> tuple[Reader, ...]:
    """All readers; `folder` receives the sound files that they are made from."""
    references = ReferenceFolders(variables=(("iref", folder), ("jref", folder)))
    exposure = write_exposure(folder / "iabc01aaq_flt.fits", primary={"IDCTAB": "iref$x_idc.fits"}, size=SIZE)
    write_idctab(folder / "x_idc.fits", size=SIZE)
    two_chips = write_exposure(folder / "jabc01aaq_flc.fits", "ACS/WFC", size=SIZE)
    asn = write_asn(folder / "iabc01010_asn.fits", [("IABC01AAQ", "EXP-DTH", True), ("IABC01010", "PROD-DTH", True)])
    raw = write_raw(folder / "iabc01aaq_raw.fits", IDCTAB="iref$x_idc.fits")
    table = write_mdriztab(folder / "x_mdz.fits", [{"filter": "ANY", "numimages": 1, "driz_sep_bits": 16}])
    sound = read_exposure(exposure)

    def parameters(path: Path) -> None:
        drizzle_parameters([sound], references, parameter_file=path)

    def distortion(path: Path) -> None:
        apply_distortion([path], references)

    def idctab(path: Path) -> None:
        copy = path.with_name("iabc01aaq_flt.fits")
        copy.write_bytes(exposure.read_bytes())
        path.rename(path.with_name("x_idc.fits"))
        apply_distortion([copy], ReferenceFolders(variables=(("iref", path.parent),)))

    changed = exposure.with_name("jabc01aaq_flt.fits")
    changed.write_bytes(exposure.read_bytes())
    apply_distortion([changed], references)
    writer = SidecarWriter(folder / "sound_decisions.zip")
    kept = keep_state(changed, exposure, writer)
    archive = writer.close()

    def sidecar(path: Path) -> None:
        with read_sidecar(path.parent, FileDigest(path.name, sha256_of(path))) as found:
            restore_state(kept, exposure, path.with_name("again_flt.fits"), found)

    def state(path: Path) -> None:
        whole = SidecarWriter(path.with_name("run_decisions.zip"))
        with zipfile.ZipFile(folder / archive.name) as pieces:
            for name in pieces.namelist():
                whole.add(Piece(name.split("/")[0]), pieces.read(name))
        damaged = FileDigest(changed.name, whole.add(Piece.STATE, path.read_bytes()))
        with read_sidecar(path.parent, whole.close()) as found:
            restore_state(damaged, exposure, path.with_name("again_flt.fits"), found)

    with zipfile.ZipFile(folder / archive.name) as pieces:
        sound_state = pieces.read(f"{Piece.STATE.value}/{kept.sha256}")

    return (
        Reader("iabc01aaq_flt.fits", exposure.read_bytes(), _read_exposure, 20),
        Reader("jabc01aaq_flc.fits", two_chips.read_bytes(), _read_exposure, 5),
        Reader("iabc01010_asn.fits", asn.read_bytes(), _read_association, 20),
        Reader("iabc01aaq_raw.fits", raw.read_bytes(), _read_raw, 10),
        Reader("x_mdz.fits", table.read_bytes(), lambda path: read_mdriztab(path, ("F140W",), 4), 15),
        Reader("kabc01aaq_flt.fits", _tile_compressed(exposure), _read_exposure, 5),
        Reader("iabc01abq_flt.fits.gz", gzip.compress(exposure.read_bytes(), mtime=0), _read_exposure, 2),
        Reader("hdrlet_flt.fits", _with_headerlet(exposure, references), _read_attached, 5),
        Reader("dist_flt.fits", exposure.read_bytes(), distortion, 1),
        Reader("y_idc.fits", (folder / "x_idc.fits").read_bytes(), idctab, 1),
        Reader("a_hlet.fits", _headerlet(exposure, references), _read_headerlet, 10),
        Reader("cat.fits", _catalogue_fits(), _read_catalogue, 5),
        Reader("cat.csv", CSV, _read_catalogue, 5),
        Reader("cat.ecsv", ECSV, _read_catalogue, 4),
        Reader("reply.txt", b"Objects found: 2\r\n" + CSV.replace(b"\n", b"\r\n"), _read_reply, 5),
        Reader("database.xml", XML, _read_database, 10),
        Reader("guide.xml", GUIDE, _read_guide, 10),
        Reader("guide.json", b'{"iabc01aaq": {"deltaRA": "1e-5", "deltaDEC": "2e-5"}, "x": [1e-5, 2e-5]}',
               _read_offset),
        Reader("best.json", b'{"iabc01aaq": "IDC_x-GSC240"}', _read_best),
        Reader("run_decisions.json", _record(asn), read_record, 6),
        Reader("run_decisions.zip", (folder / archive.name).read_bytes(), sidecar, 5),
        Reader("state.json", sound_state, state, 3),
        Reader("mine.toml", b'final_pixfrac = 0.8\ncombine_type = "median"\ndriz_cr_snr = "3.5 3.0"\n', parameters, 6),
        Reader("commit.json", JOURNAL, _read_journal, 6),
    )  # fmt: skip


def cases(readers: tuple[Reader, ...], seed: int, number: int) -> Iterator[tuple[Reader, int, bytes]]:
    """Damaged files, each made from a seed of its own."""
    weights = [reader.weight for reader in readers]
    for case in range(seed, seed + number):
        chance = random.Random(case)
        (reader,) = chance.choices(readers, weights)
        yield reader, case, _damaged(reader, chance)


def check(reader: Reader, data: bytes, folder: Path, seed: int = 0) -> Failure | None:
    """Read one file in a folder of its own; None where it is read, or refused as it should be."""
    path = folder / reader.name
    path.write_bytes(data)
    before = time.monotonic()
    what = ""
    try:
        with warnings.catch_warnings(), watched(folder) as outside:
            warnings.simplefilter("ignore")
            reader.read(path)
    except AstrodrizError as error:
        what = "" if error.problem else "an error without a message"
    except Exception:  # noqa: BLE001  (what a case may raise is the question)
        what = traceback.format_exc()
    finally:
        for file in folder.iterdir():
            if file.is_file() or file.is_symlink():
                file.unlink()
    if time.monotonic() - before > SECONDS:
        what = what or f"it took {time.monotonic() - before:.1f} s"
    if outside:
        what = what or f"opened {outside}"
    return Failure(reader.name, seed, what, data) if what else None


WATCHES: list[tuple[tuple[str, ...], list[str]]] = []
EVENTS = frozenset({"open", "os.listdir", "os.scandir", "os.remove", "os.rename", "os.mkdir", "os.symlink", "os.link"})
INNOCENT = ("/proc/", "/dev/", "/sys/", "/etc/ssl", "/etc/localtime", "/usr/", sys.prefix, sys.base_prefix)


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if not WATCHES or event not in EVENTS or not arguments or not isinstance(arguments[0], (str, bytes, Path)):
        return
    name = arguments[0].decode(errors="replace") if isinstance(arguments[0], bytes) else str(arguments[0])
    for allowed, outside in WATCHES:
        if name.startswith(("/", "..", "~")) and not name.startswith(allowed):
            outside.append(name)


sys.addaudithook(_hook)


@contextmanager
def watched(folder: Path) -> Iterator[list[str]]:
    """Files outside of a folder that are opened, listed or changed within the block."""
    source = str(Path(__file__).parents[2])
    # Made by readers() beside the folder: the sound reference files; and the private folder of stwcs's links.
    links, own = f"{tempfile.gettempdir()}/astrodriz-", str(Path(astropy.__file__).parent)
    allowed = (str(folder.parent), links, source, *INNOCENT, own)
    outside: list[str] = []
    WATCHES.append((allowed, outside))
    try:
        yield outside
    finally:
        WATCHES.pop()


def _read_exposure(path: Path) -> None:
    exposure = read_exposure(path)
    for chip in exposure.chips:
        read_sci(path, chip.extver)
        read_err(path, chip.extver)
        read_dq(path, chip.extver)
    exposure_wcs(path)
    folders = ReferenceFolders(variables=(("iref", path.parent.parent),))
    with open_fits(path) as hdulist:
        distortion_references(hdulist[0].header, path.name, folders, beside=path.parent)


def _read_association(path: Path) -> None:
    for root, _ in read_asn_table(path).members:
        # Names that would lead elsewhere are not given out, or the watch sees it.
        path.with_name(f"{root}_flt.fits").write_bytes(b"")
    read_association(path, force=True)


def _read_attached(path: Path) -> None:
    with open_fits(path) as hdulist:
        for _, headerlet in attached_headerlets(hdulist):
            content_hash(headerlet)


def _read_headerlet(path: Path) -> None:
    read_headerlet(path.read_bytes(), path.name)


def _read_raw(path: Path) -> None:
    flt = path.with_name(path.name.replace("_raw", "_flt"))
    flt.write_bytes(b"")
    association = read_association(path)
    for member in association.members:
        raw_idctab(association, member.rootname)


def _read_catalogue(path: Path) -> None:
    FileCatalog(path).query(Footprint(30.0, -20.0, 0.1), 2015.2)


def _read_reply(path: Path) -> None:
    ServiceCatalog("http://host", client=client(path, CatalogError), name="GAIAeDR3").query(
        Footprint(30.0, -20.0, 0.1), 2015.2
    )


def _read_database(path: Path) -> None:
    for offer in (
        DatabaseSource("http://host", client=client(path, DatabaseError)).offers(Rootname("iabc01aaq")).solutions[:2]
    ):
        try:
            offer.load()
        except DatabaseError:
            continue


def _read_guide(path: Path) -> None:
    GuideStarService("http://host", client=client(path, DatabaseError)).offset(Rootname("iabc01aaq"))


def _read_best(path: Path) -> None:
    FolderSource(path.parent).offers(Rootname("iabc01aaq"))


def _read_offset(path: Path) -> None:
    for root in ("iabc01aaq", "x"):
        GuideStarFile(path).offset(Rootname(root))


def _read_journal(path: Path) -> None:
    home = path.parent / "home"
    transaction = Transaction(home / ".a_astrodriz_commit", Disk())
    transaction.folder.mkdir(parents=True, exist_ok=True)
    path.rename(transaction.journal)
    recover(home)


CSV = b"""ra,dec,mag,pmra,pmdec,epoch,ra_error,dec_error
30.0001,-20.0002,18.5,1.2,-0.3,2016.0,0.1,0.1
30.0011,-20.0012,19.5,,,2016.0,0.2,0.2
"""
ECSV = b"""# %ECSV 1.0
# ---
# datatype:
# - {name: ra, datatype: float64}
# - {name: dec, datatype: float64}
# - {name: mag, datatype: float64}
# schema: astropy-2.0
ra dec mag
30.0001 -20.0002 18.5
30.0011 -20.0012 19.5
"""
XML = b"""<?xml version="1.0"?><observation><bestSolutionID>2</bestSolutionID>
<solution><solutionID>1</solutionID><wcsName>IDC_x</wcsName></solution>
<solution><solutionID>2</solutionID><wcsName>IDC_x-GSC240</wcsName></solution></observation>"""
GUIDE = b"""<?xml version="1.0"?><r><msg>Success</msg><deltaRA>1e-5</deltaRA><deltaDEC>2e-5</deltaDEC>
<dGSinputDEC>-20.0</dGSinputDEC><outputCatalog>GSC240</outputCatalog></r>"""
JOURNAL = json.dumps([{"name": name, "sha256": "0" * 64, "replaces": False} for name in ("a.fits", "b.fits")]).encode()


def _record(asn: Path) -> bytes:
    association = read_association(asn, force=True)
    record = omitted_record(association, Settings(num_cores=1).as_record(), datetime(2020, 1, 1, tzinfo=UTC))
    files = (FileDigest("iabc01aaq_flt.fits", "0" * 64), FileDigest("iabc01010_asn.fits", "1" * 64))
    return dump_record(evolve(record, inputs=files, parameter_sources=(ParameterSource("a", "1", "-p"),))).encode()


def _headerlet(exposure: Path, references: ReferenceFolders) -> bytes:
    copy = exposure.with_name("habc01aaq_flt.fits")
    copy.write_bytes(exposure.read_bytes())
    apply_distortion([copy], references)
    with fits.open(copy) as hdulist:
        return _bytes_of(make_headerlet(hdulist, "name", author="author", description="text"))


def _with_headerlet(exposure: Path, references: ReferenceFolders) -> bytes:
    copy = exposure.with_name("gabc01aaq_flt.fits")
    copy.write_bytes(exposure.read_bytes())
    apply_distortion([copy], references)
    with fits.open(copy) as hdulist:
        attach_headerlet(hdulist, make_headerlet(hdulist, "name", author="author", description="text"))
        return _bytes_of(hdulist)


def _tile_compressed(exposure: Path) -> bytes:
    with fits.open(exposure) as hdulist:
        images = [fits.CompImageHDU(hdu.data, hdu.header) if hdu.name == "DQ" else hdu for hdu in hdulist]
        return _bytes_of(fits.HDUList(images))


def _catalogue_fits() -> bytes:
    columns = [fits.Column(name, "D", array=[value, value]) for name, value in (("ra", 30), ("dec", -20), ("mag", 18))]
    return _bytes_of(fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)]))


def _bytes_of(hdulist: fits.HDUList) -> bytes:
    stream = io.BytesIO()
    hdulist.writeto(stream)
    return stream.getvalue()


def _damaged(reader: Reader, chance: random.Random) -> bytes:
    damages = FITS_DAMAGES if reader.is_fits else TEXT_DAMAGES
    data = reader.sound
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        data = chance.choice(damages)(data, chance)
    return data


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _cut_at_block(data: bytes, chance: random.Random) -> bytes:
    return data[: BLOCK * chance.randrange(len(data) // BLOCK + 1)]


def _flip(data: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(chance.choice((1, 3, 30)) if damaged else 0):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def _cards(data: bytes) -> list[int]:
    """Where the cards are that have a value."""
    return [at for at in range(0, len(data) - CARD + 1, CARD) if data[at + 8 : at + 10] == b"= "]


def _value(chance: random.Random) -> str:
    if chance.random() < 0.6:
        return chance.choice(NUMBERS).rjust(20)
    return "'" + chance.choice(NAMES)[:66] + "'"


def _card(keyword: str, chance: random.Random) -> bytes:
    return f"{keyword:<8}= {_value(chance)}".encode("latin-1", "replace")[:CARD].ljust(CARD)


def _lie(data: bytes, chance: random.Random) -> bytes:
    """Another value for a card, of those that say most for choice."""
    cards = _cards(data)
    if not cards:
        return data
    wanted = chance.choice(KEYWORDS).ljust(8).encode()
    named = [at for at in cards if data[at : at + 8] == wanted]
    at = chance.choice(named or cards)
    keyword = data[at : at + 8].decode("latin-1")
    return data[:at] + _card(keyword, chance) + data[at + CARD :]


def _another_card(data: bytes, chance: random.Random) -> bytes:
    """A card in the place of another: a duplicate, an unknown one, or no card at all."""
    cards = _cards(data)
    if not cards:
        return data
    at = chance.choice(cards)
    new = chance.choice(
        (
            data[chance.choice(cards) :][:CARD],
            _card(chance.choice(KEYWORDS), chance),
            bytes(chance.randrange(256) for _ in range(CARD)),
            b"END".ljust(CARD),
            b" " * CARD,
        )
    )
    return data[:at] + new + data[at + CARD :]


def _moved_block(data: bytes, chance: random.Random) -> bytes:
    blocks = [data[at : at + BLOCK] for at in range(0, len(data), BLOCK)]
    if len(blocks) > 1:
        block = blocks.pop(chance.randrange(len(blocks)))
        if chance.random() < 0.7:
            blocks.insert(chance.randrange(len(blocks) + 1), block)
    return b"".join(blocks)


def _hostile_text(data: bytes, chance: random.Random) -> bytes:
    """A number or a word replaced by something that no sound file has there."""
    words = list(re.finditer(rb"[A-Za-z0-9_.+-]+", data))
    if not words:
        return data
    word = chance.choice(words)
    new = chance.choice((*NUMBERS, *NAMES, "null", "[]", "{}", "[" * 3000, "\ud800", "1" * 5000)).encode(
        "utf-8", "replace"
    )
    return data[: word.start()] + new + data[word.end() :]


def _dropped_line(data: bytes, chance: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    if lines:
        line = lines.pop(chance.randrange(len(lines)))
        if chance.random() < 0.5:
            lines[chance.randrange(len(lines) + 1) :][:0] = [line]
    return b"".join(lines)


Damage = Callable[[bytes, random.Random], bytes]
FITS_DAMAGES: tuple[Damage, ...] = (_cut, _cut_at_block, _flip, _lie, _lie, _lie, _another_card, _moved_block)
TEXT_DAMAGES: tuple[Damage, ...] = (_cut, _flip, _hostile_text, _hostile_text, _dropped_line)


def by_name(made: tuple[Reader, ...]) -> Mapping[str, Reader]:
    """Readers by the name of their file."""
    return {reader.name: reader for reader in made}
