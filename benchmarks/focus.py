"""Time and memory of the focus index against scipy, side by side.

    python benchmarks/focus.py [--size 5000] [--repeats 3] [--json focus.json]

Both find the maximum of |LoG| of one float32 image and its position, on one core. Time is the best of the
repeats; memory is the peak that is allocated beyond the image, as `tracemalloc` sees it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from scipy import ndimage

from astrodriz import focus_index
from cost import best_time, peak_memory

#: Standard deviations of the filter in use: ACS/WFC and WFC3/UVIS, WFC3/IR.
SIGMAS = (1.5, 2.0)


def star_image(size: int, seed: int = 1) -> np.ndarray:
    """Noise of unit variance on a sky of 10, and one star for every 2000 pixels."""
    rng = np.random.default_rng(seed)
    image = rng.normal(10, 1, (size, size)).astype(np.float32)
    y, x = rng.integers(3, size - 3, (2, size * size // 2000))
    flux = (10 ** rng.uniform(1, 3.5, len(x))).astype(np.float32)
    for j in (-2, -1, 0, 1, 2):
        for i in (-2, -1, 0, 1, 2):
            np.add.at(image, (y + j, x + i), flux * np.float32(np.exp(-0.5 * (i * i + j * j))))
    return image


def with_scipy(image: np.ndarray, sigma: float) -> tuple[float, int, int]:
    """Focus index as the documentation has it."""
    response = np.abs(ndimage.gaussian_laplace(image, sigma))
    y, x = np.unravel_index(np.argmax(response), response.shape)
    return float(response[y, x]), int(y), int(x)


def with_astrodriz(image: np.ndarray, sigma: float) -> tuple[float, int, int]:
    """Focus index of this project."""
    peak = focus_index(image, sigma)
    return peak.value, peak.y, peak.x


def compare(image: np.ndarray, sigma: float, repeats: int) -> dict[str, float]:
    """Both side by side."""
    ours, theirs = (lambda: with_astrodriz(image, sigma)), (lambda: with_scipy(image, sigma))
    value, expected = ours(), theirs()
    seconds = best_time(ours, repeats), best_time(theirs, repeats)
    memory = peak_memory(ours), peak_memory(theirs)
    return {
        "sigma": sigma,
        "astrodriz seconds": seconds[0],
        "scipy seconds": seconds[1],
        "times as fast": seconds[1] / seconds[0],
        "astrodriz MB": memory[0],
        "scipy MB": memory[1],
        "part of the memory": memory[0] / memory[1],
        "relative difference": abs(value[0] / expected[0] - 1),
        "same position": value[1:] == expected[1:],
    }


def main() -> None:
    """Print the comparison for every filter in use."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=5000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    image = star_image(options.size)
    text = json.dumps([compare(image, sigma, options.repeats) for sigma in SIGMAS], indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
