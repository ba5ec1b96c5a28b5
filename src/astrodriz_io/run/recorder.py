"""What a run keeps beside its record for a replay: masks, and the exposures as each stage left them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen

from astrodriz_core.combine.masks import pack_mask
from astrodriz_core.records.run import FileDigest
from astrodriz_io.drizzling.combination import Combination
from astrodriz_io.record_files.exposure_states import keep_state
from astrodriz_io.record_files.sidecar import Piece, SidecarWriter

__all__ = ["ReplayRecorder"]


@frozen(eq=False)
class ReplayRecorder:
    """Puts into the sidecar what the record names by hash.

    Attributes
    ----------
    sidecar : SidecarWriter
        The file.
    untouched : mapping
        By the name of each working copy: the exposure before the run changed anything.
    """

    sidecar: SidecarWriter
    untouched: Mapping[str, Path]

    def keep_masks(self, combination: Combination) -> None:
        """Keep the masks that the record of a combination names."""
        for mask in (*combination.inputs.static.values(), *combination.cosmic_rays.values()):
            self.sidecar.add(Piece.MASK, pack_mask(mask))

    def keep_states(self, files: Sequence[Path]) -> tuple[FileDigest, ...]:
        """Keep what a stage has made of exposures."""
        return tuple(keep_state(file, self.untouched[file.name], self.sidecar) for file in files)
