"""What drizzlepac finds of one association, and what that takes: run in the Python of the peer.

    python verification_peer.py FOLDER LOG_SIGMA EXPTIME [EXPTIME ...] [--repeats N]

FOLDER holds ``images.npz`` with ``product`` and ``single0``, ``single1``, ...; one line of JSON is printed. With
``--repeats``, `cost` is the best processor time of N more runs and the peak of allocated memory of another.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from astropy.io import fits
from drizzlepac.haputils import astrometric_utils as peer

from cost import best_time, peak_memory


def main() -> None:
    """Write the files that the peer reads, and print what it finds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("log_sigma", type=float)
    parser.add_argument("exptimes", type=float, nargs="+")
    parser.add_argument("--repeats", type=int, default=0)
    options = parser.parse_args()
    target, names, shape = write_files(options.folder, options.exptimes)
    # The footprint of a single-drizzled file is that of the output frame: every pixel counts all exposures.
    coverage = np.full(shape, len(names), np.int16)

    def find() -> tuple[dict, dict]:
        focus = peer.build_focus_dict(names, target, sigma=options.log_sigma)
        return focus, peer.max_overlap_diff(coverage, names, target, scale=1)

    with contextlib.redirect_stdout(sys.stderr):
        focus, overlap = find()
        told = {
            "distances": [float(overlap[name]["distance"]) for name in names],
            "verified": bool(peer.evaluate_overlap_diffs(overlap)[0]),
            "focus verified": bool(peer.evaluate_focus(focus)),
        }
        if options.repeats:
            told["cost"] = {"seconds": best_time(find, options.repeats), "MB": peak_memory(find)}
    print(json.dumps(told))


def write_files(folder: Path, exptimes: Sequence[float]) -> tuple[str, list[str], tuple[int, int]]:
    """Write the product and the single exposures as the peer expects them; their names, and the shape."""
    names = [str(folder / f"single{i}.fits") for i in range(len(exptimes))]
    with np.load(folder / "images.npz") as arrays:
        product = arrays["product"]
        for i, (name, exptime) in enumerate(zip(names, exptimes, strict=True)):
            hdu = fits.PrimaryHDU(arrays[f"single{i}"])
            hdu.header["EXPTIME"] = exptime
            hdu.writeto(name)
    target = str(folder / "product.fits")
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(product, name="SCI")]).writeto(target)
    return target, names, product.shape


if __name__ == "__main__":
    main()
