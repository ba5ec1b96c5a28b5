"""The first stage: working copies of the exposures, with the pipeline-default WCS."""

from __future__ import annotations

from attrs import evolve

from astrodriz_io.record_files.sidecar import SidecarWriter
from astrodriz_io.run.context import StageContext
from astrodriz_io.run.preparation import prepare
from astrodriz_io.run.record import distortion_record
from astrodriz_io.run.recorder import ReplayRecorder
from astrodriz_io.run.state import PreparedRun, StartedRun, grow
from astrodriz_io.runtime.progress import ProgressReporter
from astrodriz_io.runtime.workers import Workers
from astrodriz_io.storage.names import ENDINGS
from astrodriz_io.storage.workspace import Workspace

__all__ = ["distortion_stage"]


def distortion_stage(run: StartedRun, space: Workspace, progress: ProgressReporter, workers: Workers) -> PreparedRun:
    """Take the exposures into the workspace, apply the distortion model, and leave out what gives nothing.

    Errors are those of `prepare`.
    """
    exposures = prepare(run.association, run.settings, space, progress)
    sidecar = SidecarWriter(space.place(f"{run.association.rootname}{ENDINGS['sidecar']}"))
    recorder = ReplayRecorder(sidecar, exposures.copies.untouched)
    context = StageContext(
        exposures.guiding.settings, space, exposures.parameters.parameters, progress, workers, recorder
    )
    record = evolve(distortion_record(exposures.distortion), states=context.keep_states(exposures.copies.all))
    return grow(run, PreparedRun, exposures=exposures, context=context, sidecar=sidecar, stages=(record,))
