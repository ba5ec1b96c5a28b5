"""The two sides of the parity benchmark: AstroDrizzle in a Python of its own, and our steps."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from attrs import field, frozen

from astrodriz import DrizzleParameters, with_values
from astrodriz_core.names import ChipKey
from astrodriz_core.records.drizzling import OutputFrame
from astrodriz_io.drizzling.chips import DrizzleChip, DrizzleExposure
from astrodriz_io.drizzling.frame import chip_scale_ratio, common_frame
from astrodriz_io.drizzling.inputs import CombinationInputs
from astrodriz_io.drizzling.resources import DrizzleResources
from astrodriz_io.drizzling.store import ImageStore
from astrodriz_io.inputs.reference_folders import ReferenceFolders
from astrodriz_io.wcs.distortion import apply_distortion

PEER_SCRIPT = Path(__file__).with_name("parity_peer.py")


class PeerError(Exception):
    """AstroDrizzle ended with an error; the message is its last line."""


@frozen(eq=False)
class Peer:
    """AstroDrizzle in a Python of its own, working on its own copies of the exposures."""

    python: str
    folder: Path
    files: tuple[Path, ...]
    references: Path
    only: str = "."

    def wants(self, case: str) -> bool:
        """Whether a case is to be run."""
        return re.search(self.only, case) is not None

    def run(self, name: str, action: str = "astrodrizzle", **case: Any) -> dict[str, Any]:
        """Run one case and give its arrays."""
        case_file, result = self.folder / f"case_{name}.json", self.folder / f"case_{name}.npz"
        environment = {key: f"{self.references / key}/" for key in ("iref", "jref")}
        files = [file.name for file in self.files]
        case_file.write_text(
            json.dumps({"name": name, "action": action, "files": files, "environment": environment, **case})
        )
        log_file = self.folder / f"case_{name}.log"
        with log_file.open("w") as log:
            command = [self.python, PEER_SCRIPT, case_file, result]
            done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            # The name of a file without its folder, which is of no interest to the reader of the table.
            raise PeerError(re.sub(r"/\S*/", "", log_file.read_text().strip().splitlines()[-1]))
        with np.load(result) as arrays:
            loaded = {key: arrays[key] for key in arrays.files}
        result.unlink()
        return loaded


def peer_versions(python: str) -> dict[str, str] | None:
    """Versions of the peer's packages; None where it has no drizzlepac."""
    with tempfile.TemporaryDirectory() as folder:
        case = Path(folder, "case.json")
        case.write_text(json.dumps({"action": "versions"}))
        try:
            done = subprocess.run([python, PEER_SCRIPT, case], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
    found: dict[str, str] = json.loads(done.stdout)
    return None if found["drizzlepac"] == "not installed" else found


@frozen(eq=False, slots=False)
class Ours:
    """Our side: the same exposures, and what the peer's first run gave as input to the later steps."""

    exposures: tuple[DrizzleExposure, ...]
    static: Mapping[str, np.ndarray] = field(factory=dict)
    sky: Mapping[ChipKey, float] = field(factory=dict)
    cosmic_rays: Mapping[ChipKey, np.ndarray] = field(factory=dict)
    truth: Mapping[str, np.ndarray] = field(factory=dict)

    @property
    def chips(self) -> tuple[DrizzleChip, ...]:
        """All chips of all exposures."""
        return tuple(chip for exposure in self.exposures for chip in exposure.chips)

    @cached_property
    def frame(self) -> OutputFrame:
        """The default frame."""
        return common_frame(self.exposures)

    def prepared(self, parameters: Mapping[str, Any]) -> CombinationInputs:
        """Give the steps their input."""
        resolved = with_values(DrizzleParameters(), parameters)
        static = self.static if resolved.static else {}
        return CombinationInputs(
            exposures=self.exposures,
            default_frame=self.frame,
            frame=self.frame,
            product_frame=self.frame,
            parameters=resolved,
            static=static,
            sky=self.sky,
            resources=DrizzleResources(ImageStore(None)),
        )

    def noise(self, frame: OutputFrame) -> float:
        """Noise of one output pixel of a single exposure, electrons/s: sky and read noise."""
        chip = self.chips[0]
        electrons = max(self.sky.get(chip.key, 0.0), 0.0) * chip.electrons_per_unit + chip.read_noise**2
        return float(np.sqrt(electrons) / chip.exptime * chip_scale_ratio(frame, chip) ** 2)


def copies(dataset: Path, folder: Path, count: int | None) -> tuple[Path, ...]:
    """Copies of the FLC files, or of the FLT files where there are none, with the pipeline-default WCS."""
    sources = sorted(dataset.glob("*_flc.fits")) or sorted(dataset.glob("*_flt.fits"))
    folder.mkdir(parents=True)
    files = tuple(Path(shutil.copy(source, folder)) for source in sources[:count])
    folders = ReferenceFolders.from_environment({key: str(dataset / "refs" / key) for key in ("iref", "jref")})
    apply_distortion(files, folders)
    return files
