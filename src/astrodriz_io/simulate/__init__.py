"""The project's own simulator: HST associations with a known truth."""

from __future__ import annotations

from astrodriz_io.simulate.association import SimulatedAssociation, simulate_association
from astrodriz_io.simulate.detectors import detector_names
from astrodriz_io.simulate.spec import FieldKind, SimulationSpec

__all__ = ["FieldKind", "SimulatedAssociation", "SimulationSpec", "detector_names", "simulate_association"]
