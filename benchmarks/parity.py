"""Our drizzle steps beside AstroDrizzle's, each given the same input, on one association.

    python benchmarks/parity.py DATASET --peer PYTHON [--output JSON] [--work FOLDER] [--only PATTERN]

DATASET   folder with ``<root>_flc.fits`` or ``<root>_flt.fits`` of one association and its reference files in
          ``refs/jref`` and ``refs/iref``; ``cosmic_ray_truth.npz`` beside them (or ``--truth``), where it
          exists, holds the true cosmic-ray mask of every chip as ``<rootname>_<extver>``
--peer    a Python that has drizzlepac; where it has not, the benchmark says so and ends

Every row of the table is one comparison. Differences of images are in units of the noise of one pixel, that is
of sky and read noise; SCI counts where both weights are positive. The peer interpolates coordinates on a
grid of ``stepsize`` pixels, ours are exact.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from attrs import asdict, evolve

from astrodriz import DrizzleParameters, with_values
from astrodriz_core.combine.cosmic_rays import ChipNoise, CosmicRayParameters, find_cosmic_rays
from astrodriz_core.combine.median import CombineParameters
from astrodriz_core.combine.minmed import ExposureNoise
from astrodriz_core.combine.pixmap import coordinate_map
from astrodriz_core.combine.stack import combine, low_weight_limit
from astrodriz_core.names import ChipKey
from astrodriz_core.parameters.choices import CombineType
from astrodriz_core.parameters.drizzle import BlotInterpolation
from astrodriz_core.records.drizzling import OutputFrame
from astrodriz_io.drizzling.background import measure_skies, static_masks
from astrodriz_io.drizzling.chips import DrizzleChip, DrizzleExposure, load_exposure
from astrodriz_io.drizzling.final import drizzle_together
from astrodriz_io.drizzling.frame import chip_scale_ratio, frame_wcs, requested_frame
from astrodriz_io.drizzling.inputs import CombinationInputs
from astrodriz_io.drizzling.rejection import flag_cosmic_rays
from astrodriz_io.drizzling.resample import blot_chip
from astrodriz_io.drizzling.resources import DrizzleResources
from astrodriz_io.drizzling.separate import drizzle_separately
from astrodriz_io.drizzling.store import ImageStore
from parity_sides import Ours, Peer, PeerError, copies, peer_versions
from parity_table import CLOSE, FAR, Row, markdown

NEGLIGIBLE = 0.01
"""Part of the median weight below which a pixel of the output is touched by a corner of a drop only."""
LARGE_IS_BAD = ("far", "far_of_negligible_weight", "largest", "weights_largest")

COMMON = {
    "static": True,
    "skysub": True,
    "skymethod": "localmin",
    "skystat": "median",
    "skylower": -100.0,
    "resetbits": 4096,
    "driz_sep_fillval": 0.0,
}
BITS = {
    "IR": dict.fromkeys(("sky_bits", "driz_sep_bits", "final_bits"), "512"),
    "WFC": dict.fromkeys(("sky_bits", "driz_sep_bits", "final_bits"), "16,64,256"),
}
REJECTION = {
    "IR": {"driz_cr_snr": "5.0 4.0", "driz_cr_scale": "3.0 2.4"},
    "WFC": {"driz_cr_snr": "3.5 3.0", "driz_cr_scale": "1.5 1.2"},
}
STEPS_OFF = dict.fromkeys(("driz_separate", "median", "blot", "driz_cr", "driz_combine"), False)
ALL_STEPS = dict.fromkeys(STEPS_OFF, True) | {"combine_type": "minmed"}
SKY_METHODS = ("localmin", "globalmin", "match", "globalmin+match")
KERNELS = ("square", "point", "turbo", "gaussian", "lanczos3")
INTERPOLANTS = tuple(BlotInterpolation)


def compare_images(
    ours: np.ndarray, peer: np.ndarray, noise: float, weight: np.ndarray | None = None
) -> dict[str, Any]:
    """Differences in units of the noise, where there is weight; `far` counts where it is not negligible."""
    weight = np.ones(peer.shape, dtype=np.float32) if weight is None else weight
    where = weight > 0
    difference = np.abs(ours[where].astype(np.float64) - peer[where]) / noise
    negligible = weight[where] < NEGLIGIBLE * np.median(weight[where])
    return {
        "pixels": int(difference.size),
        "close": float(np.mean(difference <= CLOSE)),
        "far": int((difference[~negligible] > FAR).sum()),
        "far_of_negligible_weight": int((difference[negligible] > FAR).sum()),
        "largest": float(difference.max(initial=0.0)),
    }


def compare_weights(ours: np.ndarray, peer: np.ndarray) -> dict[str, Any]:
    seen = (ours > 0) | (peer > 0)
    difference = np.abs(ours[seen].astype(np.float64) - peer[seen]) / np.median(peer[peer > 0])
    return {
        "weights_close": float(np.mean(difference <= CLOSE)),
        "weights_largest": float(difference.max(initial=0.0)),
        "same_footprint": float(np.mean((ours > 0) == (peer > 0))),
    }


def drizzled_row(step: str, case: str, stepsize: int, measured: dict[str, Any], note: str = "") -> Row:
    """Judge an image by the target of separate and final drizzle, which holds for ``stepsize=1``."""
    reached = measured["close"] >= 0.999 and measured["far"] == 0 and measured["weights_close"] >= 0.999
    if "context_identical" in measured:
        reached = reached and measured["context_identical"] >= 0.9999
    target = f"99.9 % within {CLOSE} sigma, none beyond {FAR}; weights alike; CTX 99.99 %"
    return Row(step, case.strip(), stepsize, measured, target, reached if stepsize == 1 else None, note)


def frame_row(case: str, frame: OutputFrame, peer_wcs: np.ndarray, peer_shape: tuple[int, ...]) -> Row:
    crval, crpix, cd = peer_wcs[:2], peer_wcs[2:4], peer_wcs[4:].reshape(2, 2)
    theirs = frame_wcs(OutputFrame(tuple(peer_shape), tuple(crval), tuple(crpix), tuple(tuple(row) for row in cd)))
    ny, nx = frame.shape
    corners = np.array([(0, 0), (nx - 1, 0), (0, ny - 1), (nx - 1, ny - 1)], dtype=float)
    moved = theirs.wcs_world2pix(frame_wcs(frame).wcs_pix2world(corners, 0), 0) - corners
    measured = {
        "same_shape": tuple(peer_shape) == frame.shape,
        "shape": list(frame.shape),
        "largest_corner_offset_pix": float(np.hypot(*moved.T).max()),
    }
    reached = measured["same_shape"] and measured["largest_corner_offset_pix"] < 0.001
    return Row("output frame", case, None, measured, "shape equal; corners within 0.001 pixel", reached)


def first_run(ours: Ours, peer: Peer, detector: str) -> Iterator[Row | Ours]:
    """Run all steps of the peer; compare every step, and give what later cases need."""
    parameters = {**COMMON, **BITS[detector], **REJECTION[detector], **ALL_STEPS, "stepsize": 10}
    arrays = peer.run("first", parameters=parameters)
    np.save(peer.folder / "median.npy", arrays["first_med"])
    root = ours.exposures[0].rootname
    yield frame_row("default", ours.frame, arrays[f"{root}_single_sci_wcs"], arrays[f"{root}_single_sci"].shape)
    yield from static_rows(ours, arrays, parameters)
    given = evolve(
        ours,
        static={chip.detector_region: peer_static(arrays, chip) for chip in ours.chips},
        sky={chip.key: float(arrays[f"{chip.key}_sky"]) for chip in ours.chips},
        cosmic_rays={chip.key: of_chip(arrays, chip, "crmask") == 0 for chip in ours.chips},
    )
    yield from single_rows(given, arrays, parameters, 10)
    yield from median_rows(given, arrays, "first", parameters)
    yield from rejection_rows(given, arrays, parameters)
    yield from final_rows(given, arrays, "first", parameters, "square", 10)
    yield given


def peer_static(arrays: Mapping[str, np.ndarray], chip: DrizzleChip) -> np.ndarray:
    name = next(key for key in arrays if key.endswith(f"_{chip.chip.extver}_staticMask"))
    return arrays[name] == 0


def of_chip(arrays: Mapping[str, np.ndarray], chip: DrizzleChip, kind: str) -> np.ndarray:
    return arrays[f"{chip.exposure.rootname}_sci{chip.chip.extver}_{kind}"]


def static_rows(ours: Ours, arrays: Mapping[str, np.ndarray], parameters: Mapping[str, Any]) -> Iterator[Row]:
    masks = static_masks(
        ours.exposures, with_values(DrizzleParameters(), parameters), DrizzleResources(ImageStore(None))
    )
    for region, mask in masks.items():
        chip = next(chip for chip in ours.chips if chip.detector_region == region)
        theirs = peer_static(arrays, chip)
        same = float(np.mean(mask == theirs))
        measured = {"identical": same, "ours": int(mask.sum()), "peer": int(theirs.sum())}
        yield Row("static mask", region, None, measured, "identical 99.99 %", same >= 0.9999)


def sky_rows(ours: Ours, peer: Peer, detector: str) -> Iterator[Row]:
    for method in SKY_METHODS:
        parameters = {**COMMON, **BITS[detector], **STEPS_OFF, "skymethod": method}
        if not peer.wants(f"sky {method}"):
            continue
        arrays = peer.run(f"sky_{method.replace('+', '_')}", parameters=parameters)
        resources = DrizzleResources(ImageStore(None))
        skies = measure_skies(ours.exposures, ours.static, with_values(DrizzleParameters(), parameters), resources)
        offsets = [
            abs(skies[chip.key] - float(arrays[f"{chip.key}_sky"]))
            * chip.electrons_per_unit
            / np.sqrt(max(ours.sky[chip.key], 0.0) * chip.electrons_per_unit + chip.read_noise**2)
            for chip in ours.chips
        ]
        measured = {"largest_in_sigma": float(max(offsets)), "chips": len(offsets)}
        yield Row("sky", method, None, measured, "within 0.02 sigma, every chip", max(offsets) <= 0.02)


def single_rows(
    ours: Ours, arrays: Mapping[str, np.ndarray], parameters: Mapping[str, Any], stepsize: int
) -> Iterator[Row]:
    kernel = str(parameters.get("driz_sep_kernel", "turbo"))
    measured: list[dict[str, Any]] = []
    for image in drizzle_separately(ours.prepared(parameters)):
        sci, wht = arrays[f"{image.name}_single_sci"], arrays[f"{image.name}_single_wht"]
        one = compare_images(image.sci, sci, ours.noise(ours.frame), np.minimum(image.wht, wht))
        measured.append(one | compare_weights(image.wht, wht))
    worst = {key: (max if key in LARGE_IS_BAD else min)(each[key] for each in measured) for key in measured[0]}
    yield drizzled_row("separate drizzle", kernel, stepsize, worst)


def separate_cases(ours: Ours, peer: Peer, detector: str) -> Iterator[Row]:
    for kernel in KERNELS:
        for stepsize in (1, 10):
            if not peer.wants(f"separate {kernel} {stepsize}"):
                continue
            parameters = {**COMMON, **BITS[detector], **STEPS_OFF, "driz_separate": True}
            parameters |= {"driz_sep_kernel": kernel, "stepsize": stepsize}
            with_median = kernel == "turbo"
            if with_median:
                types = {1: "median", 10: "mean"}
                parameters |= {"median": True, "combine_type": types[stepsize], "combine_nhigh": 1}
            name = f"separate_{kernel}_{stepsize}"
            arrays = peer.run(name, parameters=parameters)
            yield from single_rows(ours, arrays, parameters, stepsize)
            if with_median:
                yield from median_rows(ours, arrays, name, parameters)


def median_rows(
    ours: Ours, arrays: Mapping[str, np.ndarray], name: str, parameters: Mapping[str, Any]
) -> Iterator[Row]:
    roots = [exposure.rootname for exposure in ours.exposures]
    weights = [arrays[f"{root}_single_wht"] for root in roots]
    combined = combine(
        [arrays[f"{root}_single_sci"] for root in roots],
        weights,
        [stack_noise(ours, exposure) for exposure in ours.exposures],
        CombineParameters(CombineType(parameters["combine_type"]), nhigh=parameters.get("combine_nhigh", 0)),
        low_weights=[low_weight_limit(weight, 0.3) for weight in weights],
    )
    same = float(np.mean(combined == arrays[f"{name}_med"]))
    measured = {"identical": same, "largest": float(np.abs(combined - arrays[f"{name}_med"]).max())}
    yield Row("median", parameters["combine_type"], None, measured, "identical 99.99 %", same >= 0.9999)


def stack_noise(ours: Ours, exposure: DrizzleExposure) -> ExposureNoise:
    sky = min(ours.sky[chip.key] * chip.electrons_per_unit for chip in exposure.chips)
    read = np.sqrt(np.mean([chip.read_noise**2 for chip in exposure.chips]))
    return ExposureNoise(exptime=exposure.exptime, sky=sky, read_noise=float(read))


def blot_cases(ours: Ours, peer: Peer, detector: str) -> Iterator[Row]:
    if not peer.wants("blot"):
        return
    median = np.load(peer.folder / "median.npy")
    exposure = ours.exposures[0]
    case = {
        "source": str(peer.folder / "median.npy"),
        "source_wcs": f"{exposure.rootname}_single_sci.fits",
        "interpolants": [interpolant.value for interpolant in INTERPOLANTS],
        "stepsize": [1, 10],
        "sinscl": 1.0,
    }
    arrays = peer.run("blot", "blot", **case)
    for interpolant in INTERPOLANTS:
        for chip in exposure.chips:
            pixel_map = coordinate_map(chip.undistorted(), chip.homography(ours.frame))
            ratio = chip_scale_ratio(ours.frame, chip)
            blotted = blot_chip(median, ratio, pixel_map, interpolant) * np.float32(chip.exptime)
            for stepsize in (1, 10):
                theirs = arrays[f"{interpolant.value}_{stepsize}_{chip.chip.extver}"]
                yield blot_row(ours, chip, interpolant.value, stepsize, blotted, theirs)
            if interpolant is BlotInterpolation.SINC:
                moved = blot_chip(median, ratio, pixel_map - 1.0, interpolant)
                theirs = arrays[f"sinc_1_{chip.chip.extver}"]
                moved *= np.float32(chip.exptime)
                yield blot_row(ours, chip, "sinc, ours moved by (-1, -1) pixel", 1, moved, theirs)


def blot_row(ours: Ours, chip: DrizzleChip, case: str, stepsize: int, blotted: np.ndarray, theirs: np.ndarray) -> Row:
    noise = float(np.sqrt(max(ours.sky[chip.key], 0.0) * chip.electrons_per_unit + chip.read_noise**2))
    measured = compare_images(blotted, theirs, noise)
    reached = measured["close"] >= 0.999 if stepsize == 1 else None
    name = f"{case}, chip {chip.chip.extver}"
    return Row("blot", name, stepsize, measured, f"99.9 % within {CLOSE} sigma", reached)


def rejection_rows(ours: Ours, arrays: Mapping[str, np.ndarray], parameters: Mapping[str, Any]) -> Iterator[Row]:
    """Given the same median, and given the same blotted images with the sky once and twice in the noise."""
    masks, _ = flag_cosmic_rays(ours.prepared(parameters), arrays["first_med"])
    yield mask_row(ours, "ours, same median", masks)
    resolved = with_values(DrizzleParameters(), parameters)
    for label, times in (("ours, same blotted images", 1.0), ("sky once in the noise", 0.0)):
        masks = {}
        for chip in ours.chips:
            factor = np.float32(chip.electrons_per_unit)
            sky = ours.sky[chip.key] * chip.electrons_per_unit
            masks[chip.key] = find_cosmic_rays(
                chip.pixels.sci() * factor,
                of_chip(arrays, chip, "blt") * factor,
                ChipNoise(read_noise=chip.read_noise, sky=times * sky),
                CosmicRayParameters(snr=resolved.driz_cr_snr, scale=resolved.driz_cr_scale),
            )
        row = mask_row(ours, label, masks)
        yield row if times else evolve(row, reached=None, note="not what we do")


def mask_row(ours: Ours, case: str, masks: Mapping[ChipKey, np.ndarray]) -> Row:
    pairs = [(masks[chip.key], ours.cosmic_rays[chip.key], ours.truth.get(str(chip.key))) for chip in ours.chips]
    good = [ours.prepared(COMMON).placed(chip, ours.frame).signal(0)[1] for chip in ours.chips]
    size = sum(mask.size for mask, _, _ in pairs)
    agree = sum(int((mask == peer).sum()) for mask, peer, _ in pairs) / size
    measured: dict[str, Any] = {"agreement": agree}
    for name, index in (("ours", 0), ("peer", 1)):
        measured[f"{name}_flagged"] = sum(int(pair[index].sum()) for pair in pairs)
        if ours.truth:
            measured[f"{name}_true_found"] = sum(int((pair[index] & pair[2]).sum()) for pair in pairs)
            measured[f"{name}_false_on_good_pixels"] = sum(
                int((pair[index] & ~pair[2] & usable).sum()) for pair, usable in zip(pairs, good, strict=True)
            )
    reached = agree >= 0.9995
    if ours.truth:
        cases = list(zip(pairs, good, strict=True))
        right_ours, right_peer = (
            sum(int(((pair[index] == pair[2]) & (pair[0] != pair[1]) & usable).sum()) for pair, usable in cases)
            for index in (0, 1)
        )
        measured |= {"differ_ours_right": right_ours, "differ_peer_right": right_peer}
        reached = reached and right_ours >= right_peer
    target = "agreement 99.95 %; where they differ, ours no worse against the truth"
    return Row("cosmic rays", case, None, measured, target, reached)


def final_rows(
    ours: Ours,
    arrays: Mapping[str, np.ndarray],
    name: str,
    parameters: Mapping[str, Any],
    case: str,
    stepsize: int,
) -> Iterator[Row]:
    prepared = ours.prepared(parameters)
    frame = requested_frame(ours.frame, prepared.parameters.final_frame)
    sci, wht, ctx = (
        next(value for key, value in arrays.items() if re.fullmatch(f"{name}_dr[zc]_{kind}", key))
        for kind in ("sci", "wht", "ctx")
    )
    wcs = next(value for key, value in arrays.items() if re.fullmatch(f"{name}_dr[zc]_sci_wcs", key))
    if prepared.parameters.final_wcs:
        yield frame_row(case, frame, wcs, sci.shape)
    if frame.shape != sci.shape:
        return
    final = drizzle_together(prepared, frame, ours.cosmic_rays)
    noise = ours.noise(frame) / np.sqrt(len(ours.exposures))
    scale, note = weight_scale(prepared, case)
    measured = compare_images(
        final.sci * final.electron_rate_per_unit,
        sci * final.electron_rate_per_unit,
        noise,
        np.minimum(final.wht * np.float32(scale), wht),
    )
    measured |= compare_weights(final.wht * np.float32(scale), wht)
    if final.ctx is not None:
        ctx = ctx if ctx.ndim == 3 else ctx[np.newaxis]
        measured["context_identical"] = float(np.mean((final.ctx == ctx).all(axis=0)))
    yield drizzled_row("final drizzle", case, stepsize, measured, note)


def weight_scale(prepared: CombinationInputs, case: str) -> tuple[float, str]:
    """What ERR weights of rates must be multiplied with to be the peer's."""
    chip = prepared.chips[0]
    if case != "ERR" or not chip.chip.unit.is_rate:
        return 1.0, ""
    return chip.exptime**2, "our weights times EXPTIME²"


def final_cases(ours: Ours, peer: Peer, detector: str) -> Iterator[Row]:
    for case, (stepsize, changes) in FINAL_CASES.items():
        if not peer.wants(f"final {case} {stepsize}"):
            continue
        values = {key: value(ours, peer) if callable(value) else value for key, value in changes.items()}
        parameters = {**COMMON, **BITS[detector], **STEPS_OFF, "driz_combine": True, "stepsize": stepsize}
        parameters |= values | ({"final_wcs": True} if case in FRAME_CASES else {})
        name = f"final_{re.sub('[^a-z0-9]+', '_', case.lower())}_{stepsize}"
        try:
            arrays = peer.run(name, parameters=parameters)
        except PeerError as failure:
            yield Row("final drizzle", case, stepsize, {"peer_failed": str(failure)}, "", None)
            continue
        yield from final_rows(ours, arrays, name, parameters, case, stepsize)


def _scale(ours: Ours, peer: Peer) -> float:
    return round(0.7 * ours.frame.pixel_scale_arcsec, 4)


def _reference(ours: Ours, peer: Peer) -> str:
    return str(next(peer.folder.glob("final_scale_1_dr?_sci.fits")))


def _side(ours: Ours, peer: Peer) -> int:
    return ours.frame.shape[1] // 2


FINAL_CASES: dict[str, tuple[int, dict[str, Any]]] = {
    **{f"kernel {kernel}": (1, {"final_kernel": kernel}) for kernel in KERNELS},
    **{f"kernel {kernel} ": (10, {"final_kernel": kernel}) for kernel in KERNELS},
    "ERR": (1, {"final_wht_type": "ERR"}),
    "IVM": (1, {"final_wht_type": "IVM"}),
    "wt_scl expsq": (1, {"final_wt_scl": "expsq"}),
    "counts": (1, {"final_units": "counts"}),
    "pixfrac 0.6": (1, {"final_pixfrac": 0.6}),
    "pixfrac 0.8": (1, {"final_pixfrac": 0.8}),
    "scale": (1, {"final_scale": _scale}),
    "scale and pixfrac 0.8": (1, {"final_scale": _scale, "final_pixfrac": 0.8}),
    "rot": (1, {"final_rot": 30.0}),
    "refimage": (1, {"final_refimage": _reference}),
    "outnx, outny": (1, {"final_outnx": _side, "final_outny": _side}),
    "ra, dec": (
        1,
        {
            "final_ra": lambda ours, peer: ours.frame.crval[0] + 0.002,
            "final_dec": lambda ours, peer: ours.frame.crval[1] - 0.001,
            "final_outnx": _side,
            "final_outny": _side,
        },
    ),
}
FRAME_CASES = ("scale", "scale and pixfrac 0.8", "rot", "refimage", "outnx, outny", "ra, dec")


def compare_all(ours: Ours, peer: Peer, detector: str) -> Iterator[Row]:
    for result in first_run(ours, peer, detector):
        if isinstance(result, Ours):
            ours = result
        else:
            yield result
    for group in (sky_rows, blot_cases, separate_cases, final_cases):
        yield from group(ours, peer, detector)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--peer", required=True, help="Python interpreter that has drizzlepac")
    parser.add_argument("--output", type=Path, help="JSON file for the rows")
    parser.add_argument("--work", type=Path, help="folder for the copies, which must not exist yet")
    parser.add_argument("--truth", type=Path, help="true cosmic-ray masks, NPZ")
    parser.add_argument("--exposures", type=int, help="use the first N exposures only")
    parser.add_argument("--only", default=".", help="regular expression of the cases to run after the first")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    theirs = peer_versions(arguments.peer)
    if theirs is None:
        print(f"skipped: {arguments.peer} has no drizzlepac to compare with")
        return
    work = arguments.work or Path(tempfile.mkdtemp(prefix="parity_"))
    dataset = arguments.dataset.resolve()
    truth = arguments.truth or dataset / "cosmic_ray_truth.npz"
    files = copies(dataset, work.resolve() / "ours", arguments.exposures)
    (work.resolve() / "peer").mkdir()
    peer_files = tuple(Path(shutil.copy(file, work.resolve() / "peer")) for file in files)
    peer = Peer(arguments.peer, work.resolve() / "peer", peer_files, dataset / "refs", arguments.only)
    ours = Ours(tuple(load_exposure(file) for file in files), truth=dict(np.load(truth)) if truth.exists() else {})
    detector = ours.exposures[0].exposure.description.detector
    rows = []
    for row in compare_all(ours, peer, detector):
        rows.append(row)
        print(f"{row.step}, {row.case}, {row.stepsize or ''}: {row.measured} {row.reached}", flush=True)
    record = {
        "dataset": dataset.name,
        "command": f"python benchmarks/parity.py {dataset.name} --peer PYTHON --only '{arguments.only}'",
        "python": platform.python_version(),
        "ours": {name: version(name) for name in ("astrodriz", "drizzle", "stwcs", "astropy", "numpy")},
        "peer": theirs,
        "rows": [asdict(row) for row in rows],
    }
    if arguments.output:
        arguments.output.write_text(json.dumps(record, indent=1))
    print(markdown(rows))


if __name__ == "__main__":
    main()
