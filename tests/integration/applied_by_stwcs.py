"""What stwcs itself makes of a headerlet."""

from __future__ import annotations

import gc
import warnings
from pathlib import Path

from stwcs.wcsutil import headerlet


def apply_by_stwcs(exposure: Path, file: Path, *, force: bool = False) -> None:
    """Apply the headerlet in a file to an exposure as its primary WCS."""
    with warnings.catch_warnings():
        # stwcs leaves the file open.
        warnings.simplefilter("ignore", ResourceWarning)
        headerlet.apply_headerlet_as_primary(str(exposure), str(file), force=force, logging=False)
        gc.collect()
