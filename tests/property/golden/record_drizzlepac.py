"""Record what drizzlepac 3.11 computes on small arrays that follow from a seed.

Run in an environment with drizzlepac 3.11 (``pip install "drizzlepac==3.11.*" "photutils<3"``):

    OMP_NUM_THREADS=1 python record_drizzlepac.py > drizzlepac_3_11.json

The arrays are made by `images`, which needs only numpy; the tests make the same ones. Values come from
``build_focus_dict``, ``max_overlap_diff`` (with the number of exposures on every pixel, as the footprint of
single-drizzled files gives it, and scale=1), ``compute_similarity``, ``evaluate_focus`` and
``evaluate_overlap_diffs`` of ``drizzlepac.haputils.astrometric_utils``.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

CASES = {
    "aligned, positive sky": {"seed": 1, "offset": 0.0, "sky": 30.0, "scale": 1.0, "sigma": 1.5},
    "one off by a pixel, sky subtracted": {"seed": 2, "offset": 1.0, "sky": 0.0, "scale": 1.0, "sigma": 1.5},
    "counts per second, unequal exposures": {"seed": 3, "offset": 0.3, "sky": 0.0, "scale": 0.01, "sigma": 2.0},
}
EXPTIMES = (100.0, 100.0, 25.0)


def images(seed, offset, sky, scale, **_):
    """Product and three exposures, float32, shape (190, 210); corners without coverage are 0 or NaN."""
    rng = np.random.default_rng(seed)
    shape = (190, 210)
    x, y = rng.uniform(15, shape[1] - 15, 60), rng.uniform(15, shape[0] - 15, 60)
    flux = 10 ** rng.uniform(2.5, 4.0, 60)
    singles = []
    for index in range(3):
        shift = offset if index == 2 else 0.0
        gx = np.exp(-0.5 * (np.arange(shape[1]) - x[:, None] - shift) ** 2)
        gy = np.exp(-0.5 * (np.arange(shape[0]) - y[:, None]) ** 2)
        image = np.einsum("n,ny,nx->yx", flux / 6.2832, gy, gx) + rng.normal(sky, 2.0, shape)
        hits = rng.integers(0, image.size, 40)
        image.flat[hits] += rng.uniform(50, 500, 40)
        image[: 12 + 4 * index] = 0
        image[:, -9:] = 0
        singles.append((image * scale).astype(np.float32))
    product = np.median(singles, axis=0).astype(np.float32)
    product[:12] = np.nan
    product[:, -9:] = np.nan
    return product, singles


def digest(product, singles):
    """SHA-256 of the arrays, to tell another random stream from another result."""
    return hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in (product, *singles))).hexdigest()


def record(product, singles, sigma):
    """Values of the peer."""
    from astropy.io import fits
    from drizzlepac.haputils import astrometric_utils as peer

    with tempfile.TemporaryDirectory() as folder:
        names = [str(Path(folder) / f"single{i}.fits") for i in range(len(singles))]
        for name, single, exptime in zip(names, singles, EXPTIMES, strict=True):
            hdu = fits.PrimaryHDU(single)
            hdu.header["EXPTIME"] = exptime
            hdu.writeto(name)
        target = str(Path(folder) / "product.fits")
        fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(product, name="SCI")]).writeto(target)
        focus = peer.build_focus_dict(names, target, sigma=sigma)
        overlap = peer.max_overlap_diff(np.full(product.shape, len(singles), np.int16), names, target, scale=1)
        return {
            "focus": focus["exp"],
            "product_focus": focus["prod"][0],
            "focus_mean": float(focus["stats"]["mean"]),
            "focus_sigma": float(focus["stats"]["std"]),
            "distance": [float(overlap[name]["distance"]) for name in names],
            "similarity": [similarity(peer, single, product) for single in singles],
            "focus_verified": bool(peer.evaluate_focus(focus)),
            "overlap_verified": bool(peer.evaluate_overlap_diffs(overlap)[0]),
        }


def similarity(peer, single, product):
    """Similarity in the region that `max_overlap_diff` cuts out."""
    inside = single > 0
    rows, columns = np.where(inside)
    window = slice(rows.min(), rows.max()), slice(columns.min(), columns.max())
    pair = [np.nan_to_num(image * inside, nan=0)[window] for image in (single, product)]
    return float(peer.compute_similarity(*pair))


def main():
    """Write the values of every case as JSON."""
    values = {}
    for name, case in CASES.items():
        product, singles = images(**case)
        values[name] = {"sha256": digest(product, singles), **record(product, singles, case["sigma"])}
    json.dump(values, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
