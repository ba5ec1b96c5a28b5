"""What drizzlepac finds of one association: run by `verification_rates` in the Python of the peer.

    python verification_peer.py FOLDER LOG_SIGMA EXPTIME [EXPTIME ...]

FOLDER holds ``images.npz`` with ``product`` and ``single0``, ``single1``, ...; one line of JSON is printed.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

import numpy as np
from astropy.io import fits
from drizzlepac.haputils import astrometric_utils as peer


def main() -> None:
    """Write the files that the peer reads, and print what it finds."""
    folder, sigma, *exptimes = sys.argv[1:]
    with np.load(Path(folder, "images.npz")) as arrays:
        product = arrays["product"]
        singles = [arrays[f"single{i}"] for i in range(len(exptimes))]
    names = [str(Path(folder, f"single{i}.fits")) for i in range(len(singles))]
    for name, single, exptime in zip(names, singles, exptimes, strict=True):
        hdu = fits.PrimaryHDU(single)
        hdu.header["EXPTIME"] = float(exptime)
        hdu.writeto(name)
    target = str(Path(folder, "product.fits"))
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(product, name="SCI")]).writeto(target)
    # The footprint of a single-drizzled file is that of the output frame: every pixel counts all exposures.
    coverage = np.full(product.shape, len(singles), np.int16)
    with contextlib.redirect_stdout(sys.stderr):
        focus = peer.build_focus_dict(names, target, sigma=float(sigma))
        overlap = peer.max_overlap_diff(coverage, names, target, scale=1)
        told = {
            "distances": [float(overlap[name]["distance"]) for name in names],
            "verified": bool(peer.evaluate_overlap_diffs(overlap)[0]),
            "focus verified": bool(peer.evaluate_focus(focus)),
        }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
