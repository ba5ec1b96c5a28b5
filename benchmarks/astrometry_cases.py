"""Alignment of whole runs against a known truth, and with services that fail.

    python benchmarks/astrometry_cases.py --fieldkit DIR [--work DIR] [--dataset RECIPE=DIR] [--only PATTERN]
                                          [--output JSON] [--page MARKDOWN]

--fieldkit DIR   programs build.py, score.py and services.py, which build associations with a known truth, score the
                 WCS that a pipeline left, and stand in for the archive's services
--dataset        a dataset that has been built already (may be given for each recipe)
--only           rows whose "table: case" the pattern matches; rows that JSON holds already stay in it

Every row is a run of runastrodriz in a process of its own. JSON is written after each row, the page at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table
from attrs import field, frozen

from astrometry_page import page
from astrometry_runs import Fieldkit, process

RECIPES = (("ir-ers", 1), ("ir-ers", 2), ("ir-ers", 3), ("acs-sparse", 1), ("acs-47tuc", 1))
STARS = (0, 1, 2, 3, 5, 10)
DRAWS = 3
"""Random choices of so many stars."""

NOISE_CATALOGUES, NOISE_ROWS = 20, 200

FIELD_ARCSEC = 60.0
"""Stars within this distance of the field's centre are on every exposure of WFC3/IR."""

DISPLACED = (
    ("pointing 1 arcsec", ("--pointing", "1")),
    ("pointing 3 arcsec", ("--pointing", "3", "--pointing-pa", "2.5")),
    ("pointing 5 arcsec", ("--pointing", "5", "--pointing-pa", "4.0")),
    ("roll 0.02 degrees", ("--roll", "0.02")),
    ("roll 0.05 degrees", ("--roll", "0.05")),
    ("one exposure off by 0.5 pixel", ("--misalign", "1:0.5")),
    ("one exposure off by 5 pixels", ("--misalign", "2:5")),
    ("one exposure off by 20 pixels", ("--misalign", "3:20")),
    (
        "pointing 5 arcsec, roll 0.05 degrees, one exposure off by 20 pixels",
        ("--pointing", "5", "--roll", "0.05", "--misalign", "1:20"),
    ),
)
FAULTS = ("refuse", "slow:25", "500", "garbage", "truncate", "short")
FAULTY = {
    "none": ("",),
    "catalog": (*FAULTS, "error"),
    "observation": FAULTS,
    "headerlet": FAULTS,
    "gsc": FAULTS,
    "all": ("refuse", "slow:25", "500"),
}
"""Faults of each service; the guide star service is asked where the database knows no exposure."""

GUIDE_STAR_OFFSET_DEG = (8.0e-5, 5.5e-5)


@frozen
class Case:
    """One row.

    Attributes
    ----------
    table, name : str
    run : callable
        Gives what was measured.
    """

    table: str
    name: str
    run: Callable[[Fieldkit], dict[str, Any]] = field(repr=False)

    @property
    def key(self) -> str:
        """By which the row is known."""
        return f"{self.table}: {self.name}"


def local(dataset: Path, catalog: Path | None = None) -> list[str]:
    """Options of a run with local files in place of the services."""
    return ["--catalog", str(catalog or dataset / "gaia.ecsv"), "--headerlets", str(dataset / "headerlets")]


def recipes() -> Iterator[Case]:
    for recipe, seed in RECIPES:

        def run(kit: Fieldkit, recipe: str = recipe, seed: int = seed) -> dict[str, Any]:
            dataset = kit.dataset(recipe, () if seed == 1 else ("--seed", str(seed)))
            return process(kit, dataset, local(dataset))

        yield Case("recipes", f"{recipe}, seed {seed}", run)


def displaced() -> Iterator[Case]:
    """Without a priori solutions, which would put most of it right by themselves."""
    for name, options in DISPLACED:

        def run(kit: Fieldkit, options: tuple[str, ...] = options) -> dict[str, Any]:
            dataset = kit.dataset("ir-ers", options)
            words = ["--catalog", str(dataset / "gaia.ecsv")]
            return process(kit, dataset, words, {"ASTROMETRY_APPLY_APRIORI": "off"})

        yield Case("displaced", name, run)


def stars() -> Iterator[Case]:
    for count in STARS:
        for draw in range(DRAWS if count else 1):

            def run(kit: Fieldkit, count: int = count, draw: int = draw) -> dict[str, Any]:
                dataset = kit.dataset("ir-ers")
                path = kit.work / "few.ecsv"
                few_stars(Table.read(dataset / "gaia.ecsv"), count, draw).write(path, overwrite=True)
                return process(kit, dataset, local(dataset, path))

            yield Case("stars", f"{count} stars, draw {draw + 1}", run)


def few_stars(table: Table, count: int, draw: int) -> Table:
    """So many stars near the centre of the field, chosen at random."""
    east = (table["ra"] - np.mean(table["ra"])) * np.cos(np.deg2rad(np.mean(table["dec"]))) * 3600
    north = (table["dec"] - np.mean(table["dec"])) * 3600
    inside = np.flatnonzero(np.hypot(east, north) < FIELD_ARCSEC)
    return table[np.sort(np.random.default_rng(draw).permutation(inside)[:count])]


def noise() -> Iterator[Case]:
    for seed in range(NOISE_CATALOGUES):

        def run(kit: Fieldkit, seed: int = seed) -> dict[str, Any]:
            dataset = kit.dataset("ir-ers")
            path = kit.work / "noise.ecsv"
            noise_rows(Table.read(dataset / "gaia.ecsv"), seed).write(path, overwrite=True)
            return process(kit, dataset, local(dataset, path))

        yield Case("noise", f"catalogue {seed + 1}", run)


def noise_rows(table: Table, seed: int) -> Table:
    """Positions without any meaning, in the field of the true catalogue."""
    rng = np.random.default_rng(1000 + seed)
    columns = {name: rng.uniform(np.min(table[name]), np.max(table[name]), NOISE_ROWS) for name in ("ra", "dec", "mag")}
    return Table({**columns, "ref_epoch": np.full(NOISE_ROWS, 2016.0)})


def faults() -> Iterator[Case]:
    for service, modes in FAULTY.items():
        for mode in modes:

            def run(kit: Fieldkit, service: str = service, mode: str = mode) -> dict[str, Any]:
                return with_services(kit, service, mode)

            yield Case("faults", f"{service} {mode}".strip(), run)
    yield Case("faults", "none, database without the exposures", lambda kit: with_services(kit, "gsc", ""))


def with_services(kit: Fieldkit, service: str, mode: str) -> dict[str, Any]:
    """A run that has the stand-ins of the services and nothing else."""
    dataset = kit.dataset("ir-ers")
    sys.path.insert(0, str(kit.folder))
    services = import_module("services")
    roots = [exposure["root"] for exposure in json.loads((dataset / "truth.json").read_text())["exposures"]]
    fault = [f"{service}={mode}" if service != "all" else mode] if mode else []
    standing_in = services.Services(
        catalogs={"GAIAEDR3": str(dataset / "gaia.ecsv")},
        headerlets=None if service == "gsc" else dataset / "headerlets",
        gsc_offsets=dict.fromkeys(roots, GUIDE_STAR_OFFSET_DEG),
        fail=fault,
    )
    with standing_in as running:
        measured = process(kit, dataset, [], running.environ)
        return measured | {"requests": len(running.requests)}


def cases() -> tuple[Case, ...]:
    """Every row, in the order of the page."""
    return (*recipes(), *displaced(), *stars(), *noise(), *faults())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fieldkit", type=Path, required=True, metavar="DIR")
    parser.add_argument("--work", type=Path, metavar="DIR", help="datasets and runs (default: a private folder)")
    parser.add_argument("--dataset", action="append", default=[], metavar="RECIPE=DIR")
    parser.add_argument("--only", default="", metavar="PATTERN")
    parser.add_argument("--output", type=Path, metavar="JSON")
    parser.add_argument("--page", type=Path, metavar="MARKDOWN")
    asked = parser.parse_args()
    results = json.loads(asked.output.read_text()) if asked.output and asked.output.exists() else {"rows": []}
    rows = {row["key"]: row for row in results["rows"]}
    ready = {recipe: Path(folder).resolve() for recipe, folder in (text.split("=", 1) for text in asked.dataset)}
    every = cases()
    with nullcontext(asked.work) if asked.work else tempfile.TemporaryDirectory() as work:
        kit = Fieldkit(asked.fieldkit.resolve(), Path(work).resolve(), ready)
        kit.work.mkdir(parents=True, exist_ok=True)
        for case in every:
            if not re.search(asked.only, case.key):
                continue
            print(case.key, flush=True)
            rows[case.key] = {"key": case.key, "table": case.table, "case": case.name, **case.run(kit)}
            ordered = [rows[one.key] for one in every if one.key in rows]
            results = {"environment": environment(), "rows": ordered}
            if asked.output:
                asked.output.write_text(json.dumps(results, indent=1) + "\n")
        shutil.rmtree(kit.work / "run", ignore_errors=True)
    text = page(results)
    print(text)
    if asked.page:
        asked.page.write_text(text)


def environment() -> dict[str, str]:
    """What the figures depend on."""
    packages = ("astrodriz", "stwcs", "tweakwcs", "photutils", "astropy", "numpy")
    return {"python": platform.python_version(), "cores": str(os.cpu_count())} | {p: version(p) for p in packages}


if __name__ == "__main__":
    main()
