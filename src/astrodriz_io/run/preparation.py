"""The first steps of whatever looks at an association: working copies, distortion model, parameters."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve, frozen

from astrodriz_io.fits.arrays import read_header
from astrodriz_io.inputs.association import Association
from astrodriz_io.inputs.parameters import ResolvedParameters, drizzle_parameters
from astrodriz_io.run.guiding import GuidingResult, find_trailed_exposures
from astrodriz_io.run.settings import Settings
from astrodriz_io.run.working_copies import WorkingCopies, take_working_copies, without_unusable
from astrodriz_io.runtime.progress import ProgressReporter
from astrodriz_io.storage.workspace import Workspace
from astrodriz_io.wcs.distortion import DistortionResult, apply_distortion, exposure_wcs

__all__ = ["PreparedExposures", "prepare"]


@frozen(eq=False)
class PreparedExposures:
    """Exposures that are ready to be combined.

    Attributes
    ----------
    copies : WorkingCopies
        In the workspace, those left out that give nothing to a product or were badly guided.
    distortion : tuple of DistortionResult
        One for each file that was given the pipeline-default WCS.
    guiding : GuidingResult
        What the guiding check found; its settings hold from here on.
    parameters : ResolvedParameters
        Drizzle parameters for the exposures that are left.
    """

    copies: WorkingCopies
    distortion: tuple[DistortionResult, ...]
    guiding: GuidingResult
    parameters: ResolvedParameters


def prepare(
    association: Association,
    settings: Settings,
    space: Workspace,
    progress: ProgressReporter,
    *,
    keep_wcs: bool = False,
) -> PreparedExposures:
    """Take the exposures of an association into a workspace, and give them their distortion model.

    Parameters
    ----------
    association : Association
        Its files are only read.
    settings : Settings
        What the user asked for.
    space : Workspace
        Receives the copies.
    progress : ProgressReporter
        Told that the distortion model begins.
    keep_wcs : bool
        Leave the WCS of exposures that have a distortion model already, so that it can be verified.

    Raises
    ------
    NoViableDataError
        No exposure can be combined; the message says why each cannot.
    InputError
        The exposures differ in detector or filter, or one is damaged.
    ReferenceFileError
        A reference file is missing.
    """
    copies = take_working_copies(association, space, reset_idctab=settings.reset_idctab)
    progress.stage("Distortion model")
    # The copies lie elsewhere; a reference that a header names without a variable lies beside the exposures.
    settings = evolve(settings, references=evolve(settings.references, beside=association.folder))
    files = [file for file in copies.all if not (keep_wcs and _has_distortion(file))]
    distortion = apply_distortion(files, settings.references)
    copies = without_unusable(copies, _parameters(copies, settings).parameters)
    guiding = find_trailed_exposures(copies.deciding, settings)
    copies = copies.without(guiding.left_out)
    # The row of the table depends on the number of exposures that are left.
    return PreparedExposures(copies, distortion, guiding, _parameters(copies, settings))


def _has_distortion(file: Path) -> bool:
    return "A_ORDER" in read_header(file, "SCI", exposure_wcs(file).chips[0].extver)


def _parameters(copies: WorkingCopies, settings: Settings) -> ResolvedParameters:
    return drizzle_parameters(
        copies.exposures,
        settings.references,
        parameter_file=settings.parameter_file,
        overrides=settings.parameter_overrides,
    )
