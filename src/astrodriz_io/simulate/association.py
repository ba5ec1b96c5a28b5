"""A whole association with a known truth, as the archive delivers it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from astropy.io import fits
from attrs import frozen

from astrodriz_core.arrays import Array
from astrodriz_core.errors import StorageError
from astrodriz_io.runtime.library_warnings import library_warnings
from astrodriz_io.simulate.catalogue import reference_catalogue
from astrodriz_io.simulate.exposures import write_exposure
from astrodriz_io.simulate.pointing import PointedExposure, plan_exposures, true_hst_wcs
from astrodriz_io.simulate.references import write_references
from astrodriz_io.simulate.solutions import write_simulated_headerlets
from astrodriz_io.simulate.sources import make_galaxies, make_stars
from astrodriz_io.simulate.spec import SimulationSpec
from astrodriz_io.simulate.truth import association_truth, exposure_truth, save_truth, truth_table

__all__ = ["SimulatedAssociation", "simulate_association"]


@frozen
class SimulatedAssociation:
    """Where the files of a simulated association lie.

    Attributes
    ----------
    folder : Path
        Holds all of it.
    input : Path
        What a run is started with: the association table, or the RAW file of a singleton.
    rootnames : tuple of str
        Rootnames of the exposures.
    flt, flc, raw : tuple of Path
        Files of the exposures; `flc` is empty where the instrument has none.
    references : tuple of (str, Path)
        Variable (``jref``, ``iref``, ...) and folder of the reference files.
    catalogue : Path
        Reference catalogue, ECSV.
    headerlets : Path
        Folder of the a priori solutions.
    truth : Path
        ``truth.json``.
    sources : Path
        ``truth.ecsv``: positions and magnitudes.
    """

    folder: Path
    input: Path
    rootnames: tuple[str, ...]
    flt: tuple[Path, ...]
    flc: tuple[Path, ...]
    raw: tuple[Path, ...]
    references: tuple[tuple[str, Path], ...]
    catalogue: Path
    headerlets: Path
    truth: Path
    sources: Path

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables of the reference files, each folder with a slash at its end."""
        return {variable: f"{folder}/" for variable, folder in self.references}


@library_warnings()
def simulate_association(folder: Path, spec: SimulationSpec) -> SimulatedAssociation:
    """Simulate an association and write its files.

    Parameters
    ----------
    folder : Path
        Made where it does not exist; files of the same names are replaced.
    spec : SimulationSpec

    Returns
    -------
    SimulatedAssociation

    Raises
    ------
    StorageError
        The folder cannot be made or written to.
    """
    layout = _layout(folder, spec)
    try:
        _write_all(layout, spec)
    except OSError as failure:
        problem = f"the simulation could not be written ({failure.strerror or failure})."
        raise StorageError(problem, where=folder.name, remedy="Give a folder with space and permission.") from failure
    return layout


def _layout(folder: Path, spec: SimulationSpec) -> SimulatedAssociation:
    """Paths of everything that will be written."""
    model, roots = spec.model, spec.rootnames
    table = f"{spec.association_root}_asn.fits"
    first_raw = f"{roots[0]}_{model.raw_suffix}.fits"
    return SimulatedAssociation(
        folder=folder,
        input=folder / (first_raw if spec.singleton else table),
        rootnames=roots,
        flt=tuple(folder / f"{root}_{model.flt_suffix}.fits" for root in roots),
        flc=tuple(folder / f"{root}_flc.fits" for root in roots if model.electronics.corrects_cte),
        raw=tuple(folder / f"{root}_{model.raw_suffix}.fits" for root in roots),
        references=((model.reference_variable, folder / "refs" / model.reference_variable),),
        catalogue=folder / "gaia.ecsv",
        headerlets=folder / "headerlets",
        truth=folder / "truth.json",
        sources=folder / "truth.ecsv",
    )


def _write_all(layout: SimulatedAssociation, spec: SimulationSpec) -> None:
    """Plan the exposures, render them, and write all files."""
    for folder in (layout.headerlets, *(place for _, place in layout.references)):
        folder.mkdir(parents=True, exist_ok=True)
    for _, place in layout.references:
        write_references(place, spec.model, spec.table_size)
    with TemporaryDirectory() as private:
        write_references(Path(private), spec.model, spec.table_size)
        exposures = plan_exposures(spec, Path(private))
    corners = _corners(spec, exposures)
    stars, galaxies = make_stars(spec, corners), make_galaxies(spec, corners)
    hits = tuple(write_exposure(layout.folder, spec, exposure, stars, galaxies) for exposure in exposures)
    write_simulated_headerlets(layout.headerlets, spec, exposures)
    if not spec.singleton:
        _association_table(spec).writeto(layout.input, overwrite=True)
    reference_catalogue(spec, stars).write(layout.catalogue, overwrite=True)
    truth_table(stars, galaxies).write(layout.sources, overwrite=True)
    truths = tuple(map(exposure_truth, exposures, hits))
    save_truth(layout.truth, association_truth(spec, truths))


def _corners(spec: SimulationSpec, exposures: tuple[PointedExposure, ...]) -> Array:
    """Return the true sky positions, shape (n, 2) in degrees, of the corners of all chips."""
    wcs = (true_hst_wcs(exposure, chip.extver) for exposure in exposures for chip in spec.chips)
    return np.vstack([chip.calc_footprint() for chip in wcs])


def _association_table(spec: SimulationSpec) -> fits.HDUList:
    """Association table: the exposures, and the product that they make."""
    names = [root.upper() for root in (*spec.rootnames, spec.association_root)]
    types = ["EXP-DTH"] * spec.exposures + ["PROD-DTH"]
    columns = [
        fits.Column("MEMNAME", "14A", array=names),
        fits.Column("MEMTYPE", "14A", array=types),
        fits.Column("MEMPRSNT", "L", array=[True] * len(names)),
    ]
    primary = fits.PrimaryHDU()
    primary.header["INSTRUME"] = spec.model.instrument
    primary.header["DETECTOR"] = spec.model.detector
    primary.header["ASN_ID"] = spec.association_root.upper()
    primary.header["FILENAME"] = f"{spec.association_root}_asn.fits"
    return fits.HDUList([primary, fits.BinTableHDU.from_columns(columns, name="ASN")])
