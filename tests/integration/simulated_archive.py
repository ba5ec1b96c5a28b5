"""What the archive's services would answer, made from the files of a simulated association."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import Table
from loopback import Reply

from astrodriz import SimulatedAssociation

NOTHING: Reply = (404, b"nothing")

GAIA_COLUMNS = (
    "objID", "ra", "ra_error", "dec", "dec_error", "pmra", "pmra_error", "pmdec", "pmdec_error", "mag", "epoch",
)  # fmt: skip


def archive_of(association: SimulatedAssociation) -> Callable[[str, Mapping[str, str]], Reply]:
    """All three services, with the headerlets and the catalogue of the association."""
    catalogue = catalogue_reply(Table.read(association.catalogue))

    def answer(path: str, query: Mapping[str, str]) -> Reply:
        if path.endswith("CatalogSearch.aspx"):
            return 200, catalogue
        return database_answer(association.headerlets, path, query)

    return answer


def database_answer(folder: Path, path: str, query: Mapping[str, str]) -> Reply:
    """The astrometry database and the guide star service, from a folder of headerlets."""
    if path.endswith("GSCconvert.aspx"):
        tags = {"msg": "Success", "deltaRA": 0.2 / 3600, "deltaDEC": 0.0, "outputCatalog": "GSC242"}
        return 200, ("<r>" + "".join(f"<{k}>{v}</{k}>" for k, v in tags.items()) + "</r>").encode()
    root = path.rstrip("/").split("/")[-1]
    found = {fits.getval(p, "WCSNAME"): p for p in sorted(folder.glob(f"{root}_*hlet.fits"))}
    if query.get("wcsname") in found:
        return 200, found[query["wcsname"]].read_bytes()
    if not found or "wcsname" in query:
        return NOTHING
    best = json.loads((folder / "best.json").read_text())[root]
    solutions = "".join(
        f"<solution><solutionID>{i}</solutionID><wcsName>{n}</wcsName></solution>" for i, n in enumerate(found)
    )
    xml = f"<o><bestSolutionID>{list(found).index(best)}</bestSolutionID><solutions>{solutions}</solutions></o>"
    return 200, xml.encode()


def catalogue_reply(table: Table, columns: tuple[str, ...] = GAIA_COLUMNS, count: int | None = None) -> bytes:
    """What the catalogue service sends: a count, then CSV, with the line ends of the service."""
    values = {name.lower(): table[name] for name in table.colnames}
    values |= {"objid": np.arange(len(table)), "epoch": table["ref_epoch"], "raerr": table["ra_error"]}
    lines = [f"Objects found: {len(table) if count is None else count}", ",".join(columns)]
    lines += [",".join(repr(float(values[c.lower()][i])) for c in columns) for i in range(len(table))]
    return "".join(line + "\r\n" for line in lines).encode()
