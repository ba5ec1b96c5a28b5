"""Exposures of two detectors that see the same sky, aligned together: each is searched as its own detector asks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aligned_exposures import copies, with_default_wcs
from attrs import evolve

from astrodriz import SimulationSpec, alignment_parameters, score_wcs, simulate_association
from astrodriz_core.errors import InputError
from astrodriz_core.records.astrometry import AlignmentOutcome
from astrodriz_io.align.alignment import align, parameters_of, propose_alignment
from astrodriz_io.align.exposure_sources import find_association_sources
from astrodriz_io.catalogs.files import FileCatalog
from astrodriz_io.inputs.exposure_sets import common_detector
from astrodriz_io.inputs.exposures import read_exposure
from astrodriz_io.simulate import association

COMMON: dict[str, Any] = {
    "exposures": 2,
    "pointing_arcsec": 0.5,
    "roll_deg": 0.0,
    "epoch": 2014.0,
    "cosmic_ray_rate": 0.0,
}


@pytest.fixture(scope="module")
def fields(tmp_path_factory):
    """WFC3/IR and WFC3/UVIS on the same stars, each with its own truth, and the exposures of both in one folder."""
    folder = tmp_path_factory.mktemp("mixed")
    stars: list[Any] = []
    made, patch = [], pytest.MonkeyPatch()
    make = association.make_stars
    for name, spec in (
        ("ir", SimulationSpec(detector="WFC3/IR", size=300, stars=220, galaxies=0, seed=3, **COMMON)),
        ("uvis", SimulationSpec(detector="WFC3/UVIS", size=450, galaxies=0, seed=4, **COMMON)),
    ):
        patch.setattr(
            association, "make_stars", lambda s, c: stars[0] if stars else stars.append(make(s, c)) or stars[0]
        )
        made.append(simulate_association(folder / name, spec))
    patch.undo()
    files = [
        file
        for each in made
        for file in copies(with_default_wcs(each, folder / f"{each.folder.name}_wcs"), folder / "all")
    ]
    return made, files


def test_the_exposures_of_both_detectors_land_on_the_truth_whatever_their_order(fields, tmp_path):
    made, files = fields
    for name, order in (("forth", files), ("back", files[::-1])):
        record = align(copies(order, tmp_path / name), [FileCatalog(made[0].catalogue)])
        assert record.outcome is AlignmentOutcome.ALIGNED
        for each in made:
            assert score_wcs(each.truth, tmp_path / name).absolute_rms_mas < 6.0


def test_each_exposure_is_searched_as_if_it_were_with_its_own_kind_alone(fields):
    _, files = fields
    exposures = [read_exposure(file) for file in files]
    together = propose_alignment(files, []).record.sources
    for exposure, found in zip(exposures, together, strict=True):
        alone = find_association_sources([exposure], [parameters_of(exposure).sources])
        assert found == alone.records[0]
    widths = {found.rootname[0:4]: found.chips[0].counts.psf_fwhm for found in together}
    assert len(set(np.round(list(widths.values()), 2))) == 2


def test_parameters_that_are_given_hold_for_all(fields):
    own = alignment_parameters("WFC3", "IR")
    few = evolve(own, sources=evolve(own.sources, max_sources=5))
    sources = propose_alignment(fields[1], [], few).record.sources
    assert all(chip.counts.kept <= 5 for found in sources for chip in found.chips)


def test_images_of_several_detectors_are_not_measured_against_each_other(fields):
    exposures = [read_exposure(file) for file in fields[1]]
    assert common_detector(exposures[:2]).name == "WFC3/IR"
    with pytest.raises(InputError, match=r"WFC3/IR: .*; WFC3/UVIS: "):
        common_detector(exposures)
