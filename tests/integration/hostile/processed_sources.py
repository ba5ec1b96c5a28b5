"""What a run leaves, as the input of the next: processed exposures, headerlets, records."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from degenerate_files import Case as Degenerate
from degenerate_files import nothing, write_case
from fuzzing import client

from astrodriz import process
from astrodriz_core.errors import DatabaseError
from astrodriz_core.names import Rootname
from astrodriz_io.align.apriori import apply_apriori
from astrodriz_io.services.headerlet_sources import DatabaseSource, FolderSource
from hostile.acting import environment
from hostile.cases import Case
from hostile.exposure_sources import CATALOGUE, CardSource, card_places, hdus_of

__all__ = ["processed_files", "processed_sources"]

SIZE = 8
ENTRY = "xabc01010_asn.fits"
EXPOSURE = "xabc01abq_flt.fits"
HEADERLET = "xabc01abq_flt_hlet.fits"


def processed_files(folder: Path) -> tuple[Mapping[str, bytes], Mapping[str, bytes]]:
    """Two exposures before a run on them, and everything in the folder after it."""
    folder.mkdir()
    tiny = write_case(folder, "WFC3/IR", Degenerate(nothing, size=SIZE))
    (folder / "stars.csv").write_bytes(CATALOGUE)
    untouched = _content(folder)
    with environment():
        process(tiny.input, environment=tiny.environment, num_cores=1)
    return untouched, _content(folder)


def processed_sources(untouched: Mapping[str, bytes], left: Mapping[str, bytes]) -> tuple[CardSource, ...]:
    """Processed exposures, and headerlets.

    Parameters
    ----------
    untouched, left : mapping of str to bytes
        Of `processed_files`.
    """
    sound = {name: left[name] for name in untouched}
    headerlet = hdus_of(left[HEADERLET])
    return (
        CardSource(
            name="headers of a processed exposure",
            weight=0.7,
            entry=ENTRY,
            variable="iref",
            sound=sound,
            hdus={EXPOSURE: hdus_of(left[EXPOSURE])},
            places=tuple(card_places(EXPOSURE, hdus_of(left[EXPOSURE]))),
            depths={"opened": 0.95, "prepared": 0.03, "run": 0.015, "verify": 0.005},
        ),
        CardSource(
            name="headerlet",
            weight=6,
            entry=EXPOSURE,
            variable="iref",
            sound={EXPOSURE: left[EXPOSURE], HEADERLET: left[HEADERLET]},
            hdus={HEADERLET: headerlet},
            places=tuple(card_places(HEADERLET, headerlet)),
            depths={"read": 0.77, "service": 0.2, "apply": 0.03},
            action=_use_headerlet,
        ),
    )


def _use_headerlet(case: Case, folder: Path) -> None:
    if case.depth == "apply":
        apply_apriori([folder / EXPOSURE], FolderSource(folder))
    elif case.depth == "read":
        for offer in FolderSource(folder).offers(Rootname("xabc01abq")).solutions:
            offer.load()
    else:
        service = client(folder / HEADERLET, DatabaseError)
        DatabaseSource("http://host", client=service)._loader("http://host", "IDC_a1b2c")()


def _content(folder: Path) -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
