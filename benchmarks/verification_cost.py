"""Time and memory of measuring the alignment of one product, beside what drizzlepac's verification takes.

    python benchmarks/verification_cost.py [--size 4096] [--exposures 4] [--repeats 3] [--peer PYTHON] [--json FILE]

The images are noise with one star for every 2000 pixels, on one grid, and are there already. Time is the
processor time of all threads, the best of the repeats; memory is the peak that is allocated beyond the images, as
`tracemalloc` sees it. Ours are all measurements of `measure_alignment`, the focus index, similarity and
registration of every exposure and drizzlepac's numbers; the peer's are its focus index and overlap comparison.

--peer    a Python that has drizzlepac
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from astrodriz import DrizzledImage, VerificationParameters, measure_alignment
from cost import best_time, peak_memory
from focus import star_image

PEER_SCRIPT = Path(__file__).with_name("verification_peer.py")
#: Those of ACS/WFC.
PARAMETERS = VerificationParameters(log_sigma_pix=1.5, pixel_scale_arcsec=0.05, psf_fwhm_pix=2.0)
#: Seconds.
EXPTIME = 300.0


def images(size: int, number: int) -> tuple[DrizzledImage, tuple[DrizzledImage, ...]]:
    """A product and its exposures: the same stars, other noise."""
    sky = star_image(size) - np.float32(10)
    rng = np.random.default_rng(3)
    weight, nowhere = np.ones((size, size), np.float32), np.zeros((size, size), np.bool_)
    singles = tuple(
        DrizzledImage(
            f"single{i}", sky + rng.normal(0, 1, sky.shape).astype(np.float32), weight, EXPTIME, nowhere, nowhere
        )
        for i in range(number)
    )
    mean = np.mean([single.sci for single in singles], axis=0, dtype=np.float32)
    return DrizzledImage("product", mean, weight, number * EXPTIME), singles


def of_peer(python: str, product: DrizzledImage, singles: tuple[DrizzledImage, ...], repeats: int) -> dict[str, float]:
    """Seconds and megabytes of the peer on the same images."""
    with tempfile.TemporaryDirectory() as folder:
        arrays = {single.name: single.sci for single in singles}
        np.savez(Path(folder, "images.npz"), product=product.sci, **arrays)
        command = [python, PEER_SCRIPT, folder, PARAMETERS.log_sigma_pix, *(EXPTIME for _ in singles)]
        command += ["--repeats", repeats]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"The peer failed:\n{done.stderr[-2000:]}")
    told: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])["cost"]
    return told


def main() -> None:
    """Print both, and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--exposures", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peer", metavar="PYTHON")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    product, singles = images(options.size, options.exposures)

    def measure() -> object:
        return measure_alignment(product, singles, PARAMETERS)

    cost = {"seconds": best_time(measure, options.repeats), "MB": peak_memory(measure)}
    result: dict[str, object] = {"size": options.size, "exposures": options.exposures, "astrodriz": cost}
    if options.peer:
        peer = of_peer(options.peer, product, singles, options.repeats)
        result["drizzlepac"] = peer
        result["astrodriz over drizzlepac"] = {key: cost[key] / peer[key] for key in cost}
    text = json.dumps(result, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
