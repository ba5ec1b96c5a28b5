"""Private copies of simulated exposures with the pipeline-default WCS, and what stands in their headers."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from astropy.io import fits
from stwcs.wcsutil import HSTWCS

from astrodriz_io.inputs.reference_folders import ReferenceFolders
from astrodriz_io.wcs.distortion import apply_distortion
from astrodriz_io.wcs.headers import edit_together, primary_wcsname, restore_wcs

LINEAR = ("CRPIX1", "CRPIX2", "CRVAL1", "CRVAL2", "CD1_1", "CD1_2", "CD2_1", "CD2_2")


def with_default_wcs(association, folder, *, flt=False):
    """Copies of the deciding exposures (FLC where there are any) in a folder, distortion applied."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = association.flc if association.flc and not flt else association.flt
    files = [Path(shutil.copy(path, folder)) for path in chosen]
    apply_distortion(files, ReferenceFolders.from_environment(association.environment))
    return files


def copies(files, folder):
    """The same files in another folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return [Path(shutil.copy(path, folder)) for path in files]


def restore_default_wcs(path):
    """Make IDC_<root> the primary WCS again."""
    edit_together([path], lambda _, hdulist: restore_wcs(hdulist, primary_wcsname(hdulist).split("-")[0]))


def names(path):
    """WCSNAME of the primary WCS and of the alternates by key."""
    header = fits.getheader(path, ("SCI", 1))
    alternates = {key[7:]: value for key, value in header["WCSNAME?"].items()}
    return header["WCSNAME"], alternates


def linear_terms(path, extver=1, key=""):
    header = fits.getheader(path, ("SCI", extver))
    return tuple(header[keyword + key] for keyword in LINEAR)


def headerlets(path):
    """HDRNAME of each HDRLET extension."""
    with fits.open(path) as hdulist:
        return [hdu.header["HDRNAME"] for hdu in hdulist if hdu.name == "HDRLET"]


def sky(path, extver=1):
    """Sky positions of a grid of pixels by the whole WCS."""
    with fits.open(path) as hdulist:
        ny, nx = hdulist["SCI", extver].shape
        grid = np.stack(np.meshgrid(np.linspace(0, nx, 5), np.linspace(0, ny, 5)), axis=-1).reshape(-1, 2)
        return HSTWCS(hdulist, ext=("SCI", extver)).all_pix2world(grid, 0)


def largest_difference_mas(first, second):
    east = (first[:, 0] - second[:, 0]) * np.cos(np.deg2rad(first[:, 1]))
    return float(np.hypot(east, first[:, 1] - second[:, 1]).max() * 3.6e6)
