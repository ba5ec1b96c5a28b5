"""Names from every source, hostile: refused before a path is made of them, and nothing is written elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import gettempdir

import numpy as np
import pytest
from astropy.io import fits
from degenerate_files import Case, nothing, write_case
from fuzzing import watched
from tiny_files import write_asn, write_exposure

from astrodriz import AstrodrizError, process
from astrodriz_core.errors import InputError
from astrodriz_core.names import Rootname
from astrodriz_core.records.run import FileDigest
from astrodriz_io.catalogs.cache import CacheCatalog
from astrodriz_io.catalogs.files import Footprint
from astrodriz_io.drizzling.store import ImageStore
from astrodriz_io.inputs.association import read_association
from astrodriz_io.inputs.exposures import read_exposure
from astrodriz_io.record_files.sidecar import read_sidecar
from astrodriz_io.services.guide_stars import GuideStarFile
from astrodriz_io.storage.disk import Disk
from astrodriz_io.storage.journal import Transaction
from astrodriz_io.wcs.distortion import exposure_wcs

HOSTILE = ["../escaped", "a/b", "/abs", "commit", "..", "", "a" * 300, "a\0b", "a\nb"]
TEXTS = [name for name in HOSTILE if name.isprintable() and len(name) < 60]
"""Those that a card of a header can hold."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder outside of which nothing may be opened, and beside which nothing may be left."""
    inside = tmp_path / "home"
    inside.mkdir()
    with watched(inside) as outside:
        yield inside
    # astropy tries out whether files can be mapped.
    assert [name for name in outside if not name.startswith(f"{gettempdir()}/tmp")] == []
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def with_rootname(path: Path, name: str) -> Path:
    fits.setval(path, "ROOTNAME", value=name)
    return path


@pytest.mark.parametrize("name", [name for name in TEXTS if name])
@pytest.mark.parametrize("read", [read_exposure, exposure_wcs])
def test_a_rootname_of_a_header(folder: Path, read: Callable[[Path], object], name: str) -> None:
    path = with_rootname(write_exposure(folder / "iabc01aaq_flt.fits"), name)
    with pytest.raises(InputError, match=r"^iabc01aaq_flt\.fits: ROOTNAME: "):
        read(path)


def test_without_a_rootname_all_readers_take_that_of_the_file(folder: Path) -> None:
    path = with_rootname(write_exposure(folder / "iabc01aaq_flt.fits"), "")
    assert read_exposure(path).rootname == exposure_wcs(path).rootname == "iabc01aaq"


@pytest.mark.parametrize("name", [*TEXTS, "a\nb"])
@pytest.mark.parametrize("kind", ["EXP-DTH", "PROD-DTH"])
def test_a_row_of_a_table(folder: Path, kind: str, name: str) -> None:
    write_exposure(folder / "iabc01aaq_flt.fits")
    asn = write_asn(folder / "x_asn.fits", [("IABC01AAQ", "EXP-DTH", True), (name, kind, True)])
    with pytest.raises(InputError, match=r"^x_asn\.fits\[ASN\] row 2: "):
        read_association(asn, force=True)


@pytest.mark.parametrize("root", ["commit", "scratch", ".hidden", "a b", "a" * 100, "a\nb", "caf\udce9"])
def test_the_name_of_the_input(folder: Path, root: str) -> None:
    asn = write_asn(folder / f"{root}_asn.fits", [("IABC01AAQ", "EXP-DTH", True)])
    with pytest.raises(InputError) as caught:
        read_association(asn, force=True)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["../escaped", "commit"])
def test_a_run_with_a_hostile_rootname_leaves_only_its_trailer(tmp_path: Path, name: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    association = write_case(home, "WFC3/IR", Case(nothing))
    with_rootname(association.exposures[1], name)
    before = {path.name: path.read_bytes() for path in home.iterdir()}
    with pytest.raises(InputError, match="ROOTNAME"):
        process(association.input, environment=association.environment, num_cores=1)
    after = {path.name: path.read_bytes() for path in home.iterdir()}
    assert set(after) - set(before) == {"xabc01010.tra"}
    assert {key: after[key] for key in before} == before
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "commit"])
def test_names_of_sidecars_journals_and_caches(folder: Path, name: str) -> None:
    """The places where paths are made refuse as well, whatever may have passed before."""
    transaction = Transaction(folder / ".x_astrodriz_commit", Disk())
    transaction.new.mkdir(parents=True)
    transaction.journal.write_text(json.dumps([{"name": name, "sha256": "0" * 64, "replaces": False}]))

    def sidecar() -> None:
        with read_sidecar(folder, FileDigest(name, "0" * 64)):
            pass

    attempts: tuple[Callable[[], object], ...] = (
        sidecar,
        transaction.entries,
        lambda: CacheCatalog(folder, name).query(Footprint(30.0, -20.0, 0.1), 2015.0),
    )
    for attempt in attempts:
        with pytest.raises(AstrodrizError):
            attempt()


@pytest.mark.parametrize("name", HOSTILE)
def test_an_image_of_any_name_lies_in_the_scratch_folder(tmp_path: Path, name: str) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    ImageStore(scratch).put(name, np.zeros(1))
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")] == ["scratch/images_00.raw"]


@pytest.mark.parametrize("name", ["../escaped", "a/b", "GSC\u0662\u0664\u0660", "GSC" + "9" * 5000, "a\nb", "a\0b"])
def test_the_guide_star_catalogue_that_a_service_names(folder: Path, name: str) -> None:
    offsets = folder / "gsc.json"
    offsets.write_text(json.dumps({"iabc01aaq": {"deltaRA": "1e-5", "deltaDEC": "1e-5", "outputCatalog": name}}))
    with pytest.raises(AstrodrizError, match="no sensible name"):
        GuideStarFile(offsets).offset(Rootname("iabc01aaq"))
