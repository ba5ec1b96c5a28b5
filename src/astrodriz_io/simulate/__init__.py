"""Associations with a known truth, and the score of a WCS against it."""

from __future__ import annotations

from astrodriz_io.simulate.association import SimulatedAssociation, simulate_association
from astrodriz_io.simulate.detectors import detector_names
from astrodriz_io.simulate.scoring import ExposureScore, WcsScore, score_wcs
from astrodriz_io.simulate.spec import FieldKind, SimulationSpec

__all__ = [
    "ExposureScore",
    "FieldKind",
    "SimulatedAssociation",
    "SimulationSpec",
    "WcsScore",
    "detector_names",
    "score_wcs",
    "simulate_association",
]
