"""The run as a value that grows: each stage takes what is known so far and returns it with what it has found.

The types say what a stage needs: a `StartedRun` becomes a `PreparedRun` by the distortion model and a `SolvedRun` by
the default products, stays one through the a priori and a posteriori stages, and ends as a `FinishedRun`.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from attrs import evolve, fields, frozen

from astrodriz_core.records.astrometry import WcsSelection
from astrodriz_core.records.common import Verdict
from astrodriz_core.records.drizzling import ProductRecord
from astrodriz_core.records.run import StageRecord
from astrodriz_core.records.verification import Verification
from astrodriz_io.drizzling.combination import Combination
from astrodriz_io.inputs.association import Association
from astrodriz_io.record_files.sidecar import SidecarWriter
from astrodriz_io.run.context import StageContext
from astrodriz_io.run.preparation import PreparedExposures
from astrodriz_io.run.settings import Settings

__all__ = ["CurrentSolution", "FinalProducts", "FinishedRun", "PreparedRun", "SolvedRun", "StartedRun", "grow"]


@frozen(eq=False)
class CurrentSolution:
    """The best WCS so far: the exposures that carry it and what was made with it.

    Attributes
    ----------
    files : tuple of Path
        The deciding exposures, in the workspace.
    combination : Combination
        The product made with it, which is the one that is delivered if nothing better comes.
    verification : Verification or None
        The judgement on it; None for a single exposure.
    """

    files: tuple[Path, ...]
    combination: Combination
    verification: Verification | None

    @property
    def is_misaligned(self) -> bool:
        """Whether the exposures are known not to fit onto each other."""
        return self.verification is not None and self.verification.verdict is Verdict.MISALIGNED


@frozen(eq=False)
class FinalProducts:
    """What the last stage left in the workspace.

    Attributes
    ----------
    products : tuple of ProductRecord
        DRZ and DRC.
    files : tuple of Path
        Their files.
    companions : Combination or None
        That of the companions, which no stage had made before; None where there are none.
    """

    products: tuple[ProductRecord, ...]
    files: tuple[Path, ...]
    companions: Combination | None


@frozen(eq=False, kw_only=True)
class StartedRun:
    """A run that has its association to itself.

    Attributes
    ----------
    association : Association
        Its files are only read until the results are complete.
    settings : Settings
        What the user asked for.
    started : datetime
        In UTC.
    """

    association: Association
    settings: Settings
    started: datetime

    @property
    def moment(self) -> str:
        """When it began, ISO 8601 to the second, with the time zone."""
        return self.started.isoformat(timespec="seconds")


@frozen(eq=False, kw_only=True)
class PreparedRun(StartedRun):
    """A run whose exposures can be combined: in the workspace, with the pipeline-default WCS.

    Attributes
    ----------
    exposures : PreparedExposures
        With what is known of them, and the drizzle parameters.
    context : StageContext
        For the stages.
    sidecar : SidecarWriter
        Receives what the record names by hash.
    stages : tuple of StageRecord
        What the stages so far have found and decided, in their order.
    """

    exposures: PreparedExposures
    context: StageContext
    sidecar: SidecarWriter
    stages: tuple[StageRecord, ...]


@frozen(eq=False, kw_only=True)
class SolvedRun(PreparedRun):
    """A run that has a verified product.

    Attributes
    ----------
    default : CurrentSolution
        The pipeline-default WCS.
    current : CurrentSolution
        The best one so far.
    """

    default: CurrentSolution
    current: CurrentSolution

    def after(self, record: StageRecord, current: CurrentSolution) -> SolvedRun:
        """The run after one more stage."""
        return evolve(self, stages=(*self.stages, record), current=current)


@frozen(eq=False, kw_only=True)
class FinishedRun(SolvedRun):
    """A run whose results are complete in the workspace.

    Attributes
    ----------
    selection : WcsSelection
        Which WCS the products have, and why.
    final : FinalProducts
        The products.
    headerlets : tuple of Path
        Their files; empty where none were asked for.
    """

    selection: WcsSelection
    final: FinalProducts
    headerlets: tuple[Path, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """Products, exposures and headerlets."""
        return (*self.final.files, *self.exposures.copies.all, *self.headerlets)


Grown = TypeVar("Grown", bound=StartedRun)


def grow(run: StartedRun, kind: type[Grown], **found: Any) -> Grown:
    """The next form of a run: all that it has, with what was found and what is changed."""
    known = {each.name: getattr(run, each.name) for each in fields(type(run))}
    return kind(**(known | found))
