"""``astrodriz catalog``: the local cache of astrometric catalogues."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path

from attrs import asdict

from astrodriz_core.errors import CatalogError, InputError, UsageError
from astrodriz_io.catalogs.cache import CacheCatalog, CacheEntry, add_catalog, list_catalogs
from astrodriz_io.catalogs.files import Footprint
from astrodriz_io.commands.answer import Answer
from astrodriz_io.commands.common_options import Examples
from astrodriz_io.runtime.progress import ProgressReporter

__all__ = ["EXAMPLES", "act", "add_arguments"]

DEFAULT_NAME = "GAIAeDR3"

SHOWN_ROWS = 20
"""Rows of a query that are listed; the count says how many there are."""

NAME = re.compile(r"[A-Za-z0-9]+")
"""A name becomes a folder of the cache and a part of WCSNAME, where a hyphen or an underscore divides."""


EXAMPLES: Examples = (
    ("astrodriz catalog add --cache gaia stars.ecsv", "add the rows of a table"),
    ("astrodriz catalog list --cache gaia", "what the cache holds"),
    ("astrodriz catalog query --cache gaia 53.16 -27.79 0.05 --epoch 2014.5", "stars of a circle at an epoch"),
)


def add_arguments(parser: argparse.ArgumentParser) -> tuple[argparse.ArgumentParser, ...]:
    """Add the actions of ``astrodriz catalog`` to its parser, and return theirs."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    adding = actions.add_parser("add", help="add the rows of a table (.ecsv, .csv, .fits, .parquet)")
    adding.add_argument(
        "table", type=Path, metavar="FILE", help="table with ra, dec, mag; optionally motions and errors"
    )
    adding.set_defaults(catalog_action=_add)
    listing = actions.add_parser("list", help="list the catalogues of the cache")
    listing.set_defaults(catalog_action=_list)
    asking = actions.add_parser("query", help="show the rows in a circle, at an epoch")
    for name, unit in (("ra", "DEG"), ("dec", "DEG"), ("radius", "DEG")):
        asking.add_argument(name, type=float, metavar=f"{name.upper()}_{unit}")
    asking.add_argument("--epoch", type=float, default=2016.0, help="decimal year of the positions (default 2016.0)")
    asking.set_defaults(catalog_action=_query)
    for action in (adding, listing, asking):
        action.add_argument("--cache", type=Path, required=True, metavar="DIR", help="folder of the cache")
    for action in (adding, asking):
        action.add_argument(
            "--name", type=_name, default=DEFAULT_NAME, help=f"name of the catalogue (default {DEFAULT_NAME})"
        )
    return adding, listing, asking


def act(arguments: argparse.Namespace, _: ProgressReporter) -> Answer:
    """Fill, list or query the cache, as the command line asks.

    Raises
    ------
    UsageError
        The circle is not on the sky.
    InputError
        The table or the cache gives no usable answer, or the extra ``catalogs`` is not installed.
    LockedError
        Another command adds to the same catalogue.
    StorageError
        The cache cannot be written.
    """
    try:
        answer: Answer = arguments.catalog_action(arguments)
    except CatalogError as error:
        raise InputError(error.problem, where=error.where, remedy=error.remedy) from error
    return answer


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a name of letters and digits")
    return text


def _add(arguments: argparse.Namespace) -> Answer:
    return _entries((add_catalog(arguments.cache, arguments.table, arguments.name),))


def _list(arguments: argparse.Namespace) -> Answer:
    return _entries(list_catalogs(arguments.cache))


def _entries(entries: Sequence[CacheEntry]) -> Answer:
    lines = tuple(map(_described, entries)) or ("The cache holds no catalogue.",)
    return Answer(lines, result=lambda: {"catalogs": [asdict(entry) for entry in entries]})


def _query(arguments: argparse.Namespace) -> Answer:
    footprint = Footprint(arguments.ra, arguments.dec, arguments.radius)
    if not (abs(footprint.ra) <= 360 and abs(footprint.dec) <= 90 and 0 < footprint.radius_deg <= 180):
        raise UsageError("The circle is not on the sky.", remedy="Give RA, DEC and a radius above 0 in degrees.")
    found = CacheCatalog(arguments.cache, arguments.name).query(footprint, arguments.epoch)
    columns = (found.positions.ra, found.positions.dec, found.positions.sigma, found.mag)
    rows = [tuple(map(float, row)) for row in zip(*columns, strict=True)]
    lines = [f"{ra:14.9f} {dec:+13.9f} +-{sigma:8.2f} mas {mag:7.3f}" for ra, dec, sigma, mag in rows]
    more = [f"... and {len(lines) - SHOWN_ROWS} more"] if len(lines) > SHOWN_ROWS else []
    moved = found.provenance.with_proper_motion
    last = f"{len(rows)} rows of {arguments.name} at epoch {arguments.epoch}, {moved} moved by their proper motion"
    return Answer((*lines[:SHOWN_ROWS], *more, last), result=lambda: {"moved": moved, "rows": [*map(_row, rows)]})


def _row(row: tuple[float, ...]) -> Mapping[str, float | None]:
    """A row of a catalogue; a number that JSON does not have is None."""
    names = ("ra", "dec", "sigma_mas", "mag")
    return {name: value if isfinite(value) else None for name, value in zip(names, row, strict=True)}


def _described(entry: CacheEntry) -> str:
    return f"{entry.name}: {entry.rows} rows in {entry.pixels} pixels of HEALPix order {entry.order}"
