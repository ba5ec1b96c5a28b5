"""What every stage of a run, and a replay of it, needs beside the exposures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import field, frozen

from astrodriz_core.parameters.drizzle import DrizzleParameters
from astrodriz_core.records.common import combination_title
from astrodriz_core.records.run import FileDigest
from astrodriz_io.drizzling.combination import Combination, combine_exposures
from astrodriz_io.drizzling.repeating import RecordedCombination, repeat_combination
from astrodriz_io.drizzling.resources import DrizzleResources
from astrodriz_io.drizzling.store import ImageStore
from astrodriz_io.drizzling.undistorted import UndistortedPixels
from astrodriz_io.products.exposures import write_cosmic_rays
from astrodriz_io.run.recorder import ReplayRecorder
from astrodriz_io.run.settings import Settings
from astrodriz_io.runtime.progress import ProgressReporter
from astrodriz_io.runtime.workers import Workers
from astrodriz_io.storage.places import place
from astrodriz_io.storage.workspace import Workspace
from astrodriz_io.wcs.distortion import exposure_wcs

__all__ = ["StageContext", "by_rootname"]


@frozen(eq=False)
class StageContext:
    """What every stage needs beside the exposures.

    Attributes
    ----------
    settings : Settings
        What the user asked for, and what the guiding check has left of it.
    workspace : Workspace
        Where the exposures are.
    parameters : DrizzleParameters
        Of all combinations.
    progress : ProgressReporter
        Told how far the run is.
    workers : Workers
        The processes of the run.
    recorder : ReplayRecorder or None
        Keeps masks and states of exposures for a replay; None in a replay.
    measured : mapping
        What is known, from an earlier run, of the combination of a name; it is then repeated.
    undistorted : UndistortedPixels
        Where the pixels of all chips lie without distortion, for all combinations.
    """

    settings: Settings
    workspace: Workspace
    parameters: DrizzleParameters
    progress: ProgressReporter
    workers: Workers
    recorder: ReplayRecorder | None = None
    measured: Mapping[str, RecordedCombination] = field(factory=dict)
    undistorted: UndistortedPixels = field(init=False)

    @undistorted.default
    def _shared(self) -> UndistortedPixels:
        return UndistortedPixels(None if self.settings.in_memory else self.workspace.scratch)

    def combine(self, files: Sequence[Path], name: str) -> Combination:
        """Drizzle exposures with the parameters of the run; cosmic rays are found under the WCS that they have."""
        folder = None if self.settings.in_memory else place(self.workspace.scratch, name)
        if folder is not None:
            folder.mkdir()
        resources = DrizzleResources(ImageStore(folder), self.undistorted, self.progress, self.workers)
        if name in self.measured:
            return repeat_combination(files, self.parameters, self.measured[name], resources)
        combination = combine_exposures(files, self.parameters, resources, title=combination_title(name))
        if self.recorder is not None:
            self.recorder.keep_masks(combination)
        return combination

    def flag(self, files: Sequence[Path], combination: Combination) -> None:
        """Set DQ 4096 in exposures where their combination found cosmic rays."""
        write_cosmic_rays(by_rootname(files), combination.cosmic_rays, self.parameters.resetbits)

    def keep_states(self, files: Sequence[Path]) -> tuple[FileDigest, ...]:
        """Keep what the stage has made of the exposures."""
        return self.recorder.keep_states(files) if self.recorder is not None else ()


def by_rootname(files: Sequence[Path]) -> dict[str, Path]:
    """Files by the ROOTNAME in their headers."""
    return {exposure_wcs(file).rootname: file for file in files}
