"""Small simulated associations that the integration tests share, read only; made once for all workers of a session.

A test that changes files copies them first: ``shutil.copytree(association.folder, tmp_path / "run")``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from shared_between_workers import made_once
from whole_runs import run

from astrodriz import RunRecord, SimulatedAssociation, SimulationSpec, simulate_association
from astrodriz_io.simulate import FieldKind

SMALL = 256


@pytest.fixture(scope="session")
def ir_association(tmp_path_factory: pytest.TempPathFactory) -> SimulatedAssociation:
    """Three WFC3/IR exposures of 256 x 256 pixels: stars and galaxies, a pointing error of 0.35 arcsec."""
    return _simulated(tmp_path_factory, "ir", SimulationSpec(detector="WFC3/IR", size=SMALL, exposures=3))


@pytest.fixture(scope="session")
def ir_pair(tmp_path_factory: pytest.TempPathFactory) -> SimulatedAssociation:
    """Two WFC3/IR exposures of 256 x 256 pixels, for runs whose images do not matter."""
    return _simulated(tmp_path_factory, "ir-pair", SimulationSpec(detector="WFC3/IR", size=SMALL, exposures=2))


@pytest.fixture(scope="session")
def acs_pair(tmp_path_factory: pytest.TempPathFactory) -> SimulatedAssociation:
    """Two ACS/WFC exposures, FLT and FLC, with two chips of 256 x 256 pixels: a star field."""
    spec = SimulationSpec(detector="ACS/WFC", size=SMALL, sky=FieldKind.CROWDED, exposures=2)
    return _simulated(tmp_path_factory, "acs-pair", spec)


@pytest.fixture(scope="session")
def misaligned_association(tmp_path_factory: pytest.TempPathFactory) -> SimulatedAssociation:
    """Three WFC3/IR exposures of 256 x 256 pixels, the third of them two pixels off its place."""
    spec = SimulationSpec(detector="WFC3/IR", size=SMALL, exposures=3, misalign=((2, 2.0),))
    return _simulated(tmp_path_factory, "misaligned", spec)


@pytest.fixture(scope="session")
def ir_singleton(tmp_path_factory: pytest.TempPathFactory) -> SimulatedAssociation:
    """One WFC3/IR exposure of 256 x 256 pixels without an association table."""
    spec = SimulationSpec(detector="WFC3/IR", size=SMALL, exposures=1, singleton=True)
    return _simulated(tmp_path_factory, "singleton", spec)


@pytest.fixture(scope="session")
def ir_run(ir_association: SimulatedAssociation, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunRecord, Path]:
    """A whole run on the WFC3/IR association: its record and the folder that it left."""
    return made_once(tmp_path_factory, "ir-run", lambda folder: _run(ir_association, folder, make_manifest=True))


@pytest.fixture(scope="session")
def acs_run(acs_pair: SimulatedAssociation, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunRecord, Path]:
    """The same on the two ACS/WFC exposures."""
    return made_once(tmp_path_factory, "acs-run", lambda folder: _run(acs_pair, folder))


@pytest.fixture
def reference_environment(monkeypatch: pytest.MonkeyPatch) -> Callable[[SimulatedAssociation], None]:
    """Point the reference variables (``jref`` and the like) at an association's files, for one test."""

    def point_at(association: SimulatedAssociation) -> None:
        for variable, folder in association.environment.items():
            monkeypatch.setenv(variable, folder)

    return point_at


def _simulated(factory: pytest.TempPathFactory, name: str, spec: SimulationSpec) -> SimulatedAssociation:
    return made_once(factory, name, lambda folder: simulate_association(folder, spec))


def _run(association: SimulatedAssociation, folder: Path, **options: bool) -> tuple[RunRecord, Path]:
    return run(association, folder / "run", **options), folder / "run"
