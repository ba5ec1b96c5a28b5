"""Datasets, runs and scores of the astrometry benchmark, each in a process of its own."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from astropy.io import fits
from attrs import frozen

from astrodriz_io.wcs.headers import edit_together, restore_wcs

RUN = "import sys; from astrodriz_io.cli import runastrodriz; sys.exit(runastrodriz())"
WAITED = re.compile(r"waited ([\d.]+) s for web services")


@frozen
class Fieldkit:
    """The programs that build associations with a known truth, score them and stand in for the services.

    Attributes
    ----------
    folder : Path
        Of the programs.
    work : Path
        Where datasets are built and processed.
    ready : mapping of str to Path
        Datasets that have been built already, by recipe; built without options.
    """

    folder: Path
    work: Path
    ready: Mapping[str, Path]

    def dataset(self, recipe: str, options: Sequence[str] = ()) -> Path:
        """The folder of a dataset; built where it is not there yet."""
        if not options and recipe in self.ready:
            return self.ready[recipe]
        name = "_".join((recipe, *options)).replace(":", "-")
        target = self.work / "datasets" / name
        if not (target / "truth.json").exists():
            shutil.rmtree(target, ignore_errors=True)
            self._call("build.py", recipe, str(target), *options)
        return target

    def score(self, dataset: Path, processed: Path) -> dict[str, float]:
        """Absolute and relative error of the WCS in a folder, mas."""
        scored = json.loads(self._call("score.py", str(dataset), str(processed)))
        return {"absolute": scored["absolute_rms_mas"], "relative": scored["relative_rms_mas"]}

    def _call(self, program: str, *words: str) -> str:
        command = [sys.executable, str(self.folder / program), *words]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return done.stdout


def process(
    kit: Fieldkit, dataset: Path, options: Sequence[str], environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Run runastrodriz on a copy of a dataset, and score the WCS before its a posteriori stage and at the end."""
    folder = kit.work / "run"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in sorted((*dataset.glob("*_asn.fits"), *dataset.glob("*_raw.fits"), *dataset.glob("*_fl[ct].fits"))):
        shutil.copy(path, folder)
    variables = {name: f"{dataset / 'refs' / name}/" for name in ("iref", "jref")}
    command = [sys.executable, "-c", RUN, *options, next(folder.glob("*_asn.fits")).name]
    cpu, started = _cpu_of_children(), time.monotonic()
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **variables, **(environment or {})}, capture_output=True, text=True
    )
    measured: dict[str, Any] = {
        "seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(_cpu_of_children() - cpu, 1),
        "load": round(os.getloadavg()[0], 1),
        "exit_code": done.returncode,
        "traceback": "Traceback" in done.stderr,
    }
    if done.returncode == 0:
        measured |= _said(folder) | _scored(kit, dataset, folder)
    shutil.rmtree(folder)
    return measured


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _said(folder: Path) -> dict[str, Any]:
    """What record, trailer and headers say of the run."""
    record = _record(folder)
    stages = {stage["stage"]: stage for stage in record["stages"]}
    first, last = stages["a priori"], stages["a posteriori"]
    fit = last.get("aposteriori") or {}
    chosen = fit["attempts"][fit["chosen"]] if fit.get("chosen") is not None else None
    exposure = next(path for path in sorted(folder.glob("*_flt.fits")))
    return {
        "wcsname": stages["final products"]["wcs"][0]["chips"][0]["wcsname"],
        "apriori": {"outcome": first["outcome"], "reason": first["reason"]},
        "aposteriori": {
            "outcome": last["outcome"],
            "reason": fit.get("reason") or last["reason"],
            "fit": fit.get("outcome"),
        },
        "geometry": chosen and chosen["fit"]["geometry"],
        "matches": chosen and chosen["fit"]["matches"],
        "rms_mas": chosen and round((chosen["fit"]["rms_ra_mas"] ** 2 + chosen["fit"]["rms_dec_mas"] ** 2) ** 0.5, 2),
        "warnings": record["warnings"],
        "not_tried": fits.getval(exposure, "NOTTRIED") if "NOTTRIED" in fits.getheader(exposure) else None,
        "waited": sum(map(float, WAITED.findall(next(folder.glob("*.tra")).read_text()))),
    }


def _record(folder: Path) -> dict[str, Any]:
    return json.loads(next(folder.glob("*_decisions.json")).read_text())


def _scored(kit: Fieldkit, dataset: Path, folder: Path) -> dict[str, Any]:
    """Errors with the final WCS, and with the one before the a posteriori stage."""
    stages = {stage["stage"]: stage for stage in _record(folder)["stages"]}
    after = kit.score(dataset, folder)
    if stages["a posteriori"]["outcome"] != "kept":
        return {"before": after, "after": after}
    standing = stages["a priori" if stages["a priori"]["outcome"] == "kept" else "default products"]
    name = standing["wcs"][0]["chips"][0]["wcsname"]
    earlier = folder / "before"
    earlier.mkdir()
    copies = [Path(shutil.copy(path, earlier)) for path in sorted(folder.glob("*_fl[ct].fits"))]
    edit_together(copies, lambda _, hdulist: restore_wcs(hdulist, name))
    return {"before": kit.score(dataset, earlier), "after": after}
