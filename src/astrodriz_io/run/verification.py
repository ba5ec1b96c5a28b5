"""The alignment of exposures as they stand, measured on private copies; their folder need not be writable."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from attrs import evolve

from astrodriz_core.errors import NoViableDataError
from astrodriz_core.records.verification import Verification
from astrodriz_io.drizzling.combination import combine_exposures
from astrodriz_io.drizzling.resources import DrizzleResources
from astrodriz_io.drizzling.store import ImageStore
from astrodriz_io.drizzling.undistorted import UndistortedPixels
from astrodriz_io.inputs.association import Association
from astrodriz_io.run.claim import undisturbed_association
from astrodriz_io.run.preparation import PreparedExposures, prepare
from astrodriz_io.run.record import parameter_warnings
from astrodriz_io.run.settings import Settings, settings_from_environment
from astrodriz_io.runtime.library_warnings import library_warnings
from astrodriz_io.runtime.progress import ProgressReporter, SilentProgress
from astrodriz_io.runtime.workers import worker_processes
from astrodriz_io.storage.workspace import Workspace, workspace
from astrodriz_io.verifying.combination import verify_combination

__all__ = ["verify"]

logger = logging.getLogger(__name__)


@library_warnings()
def verify(
    input_file: str | os.PathLike[str], settings: Settings | None = None, progress: ProgressReporter | None = None
) -> Verification:
    """Measure the alignment of the exposures of an input with the WCS that stands in their headers.

    The exposures are taken as a run takes them. Those without a distortion model get the pipeline-default one in a
    private copy; the files themselves are only read. Where their folder may only be read, the copies lie in a
    temporary folder elsewhere, which a logged warning names.

    Parameters
    ----------
    input_file : path
        Whatever `process` takes. DRIZCORR is not asked.
    settings : Settings, optional
        What the user asked for; by default what the environment of the process says.
    progress : ProgressReporter, optional
        Told how far it is; by default nobody is.

    Raises
    ------
    NoViableDataError
        There are fewer than two exposures, so that nothing can be compared.
    LockedError
        A run holds the association or one of its exposures.
    AstrodrizError
        What stops a run stops the verification.
    """
    settings, notes = (settings, ()) if settings else settings_from_environment(Settings(), os.environ)
    for note in notes:
        logger.warning("%s", note)
    progress = progress or SilentProgress()
    with undisturbed_association(Path(input_file), force=True, wait=settings.wait) as (association, home):
        if len(association.members) < 2:
            raise NoViableDataError("One exposure has nothing to be aligned to.", where=association.input_name)
        names = association.lock_names
        with workspace(home, association.rootname, newpath=settings.newpath, keep=False, names=names) as space:
            prepared = prepare(_deciding_alone(association), settings, space, progress, keep_wcs=True)
            for warning in parameter_warnings(prepared.parameters):
                logger.warning("%s", warning)
            progress.stage("Verify the alignment")
            verification = _measure(prepared, settings, space, progress)
    if verification is None:
        raise NoViableDataError("Fewer than two exposures can be combined.", where=association.input_name)
    return verification


def _deciding_alone(association: Association) -> Association:
    """The association without the FLT files beside FLC files, at which nothing here looks."""
    if not association.flc:
        return association
    return evolve(association, members=tuple(evolve(member, flt=None) for member in association.members))


def _measure(
    prepared: PreparedExposures, settings: Settings, space: Workspace, progress: ProgressReporter
) -> Verification | None:
    store, undistorted = ImageStore(space.scratch), UndistortedPixels(space.scratch)
    with worker_processes(settings.num_cores) as workers:
        combination = combine_exposures(
            prepared.copies.deciding,
            evolve(prepared.parameters.parameters, final_wcs=False),
            DrizzleResources(store, undistorted, progress, workers),
        )
        return verify_combination(combination, settings.policy)
