"""Sources of exposures of every scale: each chip is searched with its own pixels and the PSF of its detector."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aligned_exposures import with_default_wcs
from astropy.table import Table
from scipy.spatial import Delaunay, cKDTree
from test_detectors import binned

from astrodriz import SimulatedAssociation, SimulationSpec, alignment_parameters, simulate_association
from astrodriz_io.align.alignment import parameters_of
from astrodriz_io.align.exposure_sources import AssociationSources, find_association_sources
from astrodriz_io.inputs.exposures import read_exposure
from astrodriz_io.simulate import FieldKind

REACH_ARCSEC = 0.03


def simulated(folder: Path, detector: str, **changes: Any) -> SimulatedAssociation:
    spec = {"pointing_arcsec": 0.0, "roll_deg": 0.0, "jitter_pix": 0.0, "cosmic_ray_rate": 0.0, **changes}
    return simulate_association(folder, SimulationSpec(detector=detector, exposures=1, singleton=True, **spec))


def found(association: SimulatedAssociation, folder: Path) -> AssociationSources:
    exposures = [read_exposure(path) for path in with_default_wcs(association, folder)]
    return find_association_sources(exposures, [parameters_of(exposure).sources for exposure in exposures])


def inside(corners: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Whether places lie on a chip, away from its edges."""
    centre = corners.mean(axis=0)
    return Delaunay(centre + 0.85 * (corners - centre)).find_simplex(places) >= 0


@pytest.mark.parametrize("detector", ["ACS/SBC", "ACS/HRC", "STIS/NUV-MAMA", "WFC3/UVIS", "WFPC2/PC"])
def test_the_stars_of_a_field_are_found_whatever_the_scale_of_the_detector(detector, tmp_path):
    association = simulated(tmp_path, detector, size=200, sky=FieldKind.STANDARDS)
    sources = found(association, tmp_path / "default")
    stars = Table.read(association.sources)
    places = sources.plane.project(np.array(stars["ra"]), np.array(stars["dec"]))
    places = np.concatenate([places[inside(corners, places)] for corners in sources.corners])
    distance, _ = cKDTree(sources.exposures[0].xy).query(places)
    assert len(places) >= 9
    assert np.mean(distance < REACH_ARCSEC) > 0.7


def test_each_chip_of_wfpc2_is_searched_with_its_own_scale(tmp_path):
    association = simulated(tmp_path, "WFPC2", size=80, stars=0, galaxies=0)
    sources = found(association, tmp_path / "default")
    widths = [chip.counts.psf_fwhm for chip in sources.records[0].chips]
    parameters = alignment_parameters("WFPC2", "").sources
    assert widths[0] == pytest.approx(np.hypot(parameters.psf_fwhm_arcsec / 0.0455, 0.68), rel=0.01)
    assert widths[1:] == [1.5, 1.5, 1.5]
    assert sources.pixel_arcsec == pytest.approx(0.0996, rel=0.01)


def test_windows_of_binned_exposures_are_counted_in_their_own_pixels(tmp_path):
    association = simulated(tmp_path, "STIS/CCD", size=80, stars=0, galaxies=0)
    for path in association.flt:
        binned(path)
    assert found(association, tmp_path / "default").pixel_arcsec == pytest.approx(2 * 0.0507, rel=0.01)
