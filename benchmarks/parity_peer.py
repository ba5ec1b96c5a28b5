"""One case of the parity benchmark, run inside the Python that has AstroDrizzle.

    parity_peer.py CASE.json OUT.npz

CASE.json holds ``files`` (exposures, all in the folder in which the case is run), ``environment`` (the
reference variables), ``action`` and ``parameters``:

``astrodrizzle``  runs AstroDrizzle with the parameters; OUT gets every image that it leaves behind,
``blot``          blots the image ``source`` onto the chips of the first file with AstroDrizzle's own routine,
                  at every ``stepsize`` and with every one of the ``interpolants``,
``versions``      prints the versions of the packages that matter and writes nothing.

The images are named as AstroDrizzle names them: ``<rootname>_single_sci``, ``<rootname>_sci1_crmask``, ...
"""

import json
import os
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
from astropy.io import fits

IMAGES = (
    "staticMask",
    "single_sci",
    "single_wht",
    "med",
    "blt",
    "crmask",
    "drz_sci",
    "drz_wht",
    "drz_ctx",
    "drc_sci",
    "drc_wht",
    "drc_ctx",
)
"""Endings of the names of the images that AstroDrizzle leaves behind."""

COMMON = {"mdriztab": False, "num_cores": 1, "preserve": False, "clean": False, "build": False, "in_memory": False}
"""What every case has: no table, one process, images that stay on the disk as separate files."""

PACKAGES = ("drizzlepac", "stsci.skypac", "spherical_geometry", "stsci.imagestats", "stwcs", "astropy", "numpy")


def versions():
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    print(json.dumps(found))


def repair_sky_matching():
    """Give spherical_geometry 1.4 the method that skypac 1.0.12 calls.

    Without it each of the matching methods fails inside AstroDrizzle, which then takes ``localmin`` instead.
    """
    from spherical_geometry.polygon import SphericalPolygon

    if not hasattr(SphericalPolygon, "iter_polygons_flat"):
        SphericalPolygon.iter_polygons_flat = lambda self: iter(self)


def forget_sky(files):
    """Delete MDRIZSKY, which AstroDrizzle would otherwise take for the sky of this run."""
    for name in files:
        with fits.open(name, mode="update") as hdus:
            for hdu in hdus:
                hdu.header.pop("MDRIZSKY", None)


def astrodrizzle(case):
    from drizzlepac.astrodrizzle import AstroDrizzle

    repair_sky_matching()
    forget_sky(case["files"])
    before = {path: path.stat().st_mtime_ns for path in Path().glob("*.fits")}
    AstroDrizzle(case["files"], output=case["name"], **COMMON, **case["parameters"])
    new = [path for path in Path().glob("*.fits") if before.get(path) != path.stat().st_mtime_ns]
    arrays = {}
    for path in new:
        if path.stem.endswith(IMAGES):
            arrays[path.stem] = fits.getdata(path)
        if path.stem.endswith(("single_sci", "drz_sci", "drc_sci")):
            arrays[path.stem + "_wcs"] = wcs_numbers(fits.getheader(path))
    for name in case["files"]:
        with fits.open(name) as hdus:
            for hdu in hdus:
                if hdu.name == "SCI" and "MDRIZSKY" in hdu.header:
                    arrays[f"{name[:9]}_{hdu.ver}_sky"] = np.float64(hdu.header["MDRIZSKY"])
    return arrays


def wcs_numbers(header):
    keywords = ("CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2", "CD1_1", "CD1_2", "CD2_1", "CD2_2")
    return np.array([header[keyword] for keyword in keywords], dtype=np.float64)


def blot(case):
    from drizzlepac.ablot import do_blot
    from stwcs.wcsutil import HSTWCS

    name = case["files"][0]
    source = np.load(case["source"])
    source_wcs = HSTWCS(case["source_wcs"])
    arrays = {}
    with fits.open(name) as hdus:
        chips = [hdu.ver for hdu in hdus if hdu.name == "SCI"]
        exptime = hdus[0].header["EXPTIME"]
    for chip in chips:
        for interpolant in case["interpolants"]:
            for step in case["stepsize"]:
                wcs = HSTWCS(name, ext=("SCI", chip))
                arrays[f"{interpolant}_{step}_{chip}"] = do_blot(
                    source, source_wcs, wcs, exptime, interp=interpolant, sinscl=case["sinscl"], stepsize=step
                )
    return arrays


def main():
    case = json.loads(Path(sys.argv[1]).read_text())
    if case["action"] == "versions":
        versions()
        return
    os.environ.update(case["environment"])
    os.chdir(Path(sys.argv[1]).parent)
    np.savez(sys.argv[2], **{"astrodrizzle": astrodrizzle, "blot": blot}[case["action"]](case))


if __name__ == "__main__":
    main()
