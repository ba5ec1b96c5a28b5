"""Simulated associations on the array level: singles on one grid, their product, and the true offsets.

What the verification is calibrated and tested on in large numbers. Detector exposures are rendered with a
diffraction point spread function, dithered, hit by cosmic rays, given bad pixels and noise, and drizzled
one by one; a median marks the cosmic rays, and what is left is combined. There are no headers: the WCS is
a shift and a rotation, and an exposure off its place is one whose sources are not where it says.
"""

from __future__ import annotations

import numpy as np
from attrs import field, frozen
from drizzle.resample import Drizzle
from numpy.typing import NDArray
from scipy import ndimage

from astrodriz import DrizzledImage, VerificationParameters
from astrodriz_io.simulate.charged_particles import cosmic_ray_electrons
from astrodriz_io.simulate.psf import psf_table

__all__ = ["CAMERAS", "FIELDS", "Association", "Camera", "Field", "Truth", "simulate_association"]

#: Pixels around the detector frame in which sources still shine into it.
BORDER = 30
#: Output pixels from detector pixels: enough distortion that a dither falls on every phase of the pixel.
DISTORTION = np.array([[1.003, 0.002], [-0.001, 0.997]])
#: Sources are fainter than the brightest by an exponential distribution of this scale, magnitudes.
MAGNITUDE_SCALE = 1.2


@frozen
class Camera:
    """What an exposure of one camera looks like.

    Attributes
    ----------
    pivot, width : float
        Of the filter, Angstrom.
    scale_arcsec : float
        Pixel scale.
    diffusion_pix : float
        Sigma of charge diffusion.
    log_sigma_pix, psf_fwhm_pix : float
        For the verification.
    exptime : float
        Seconds.
    sky : float
        Electrons per second and pixel.
    read_noise : float
        Electrons.
    hits : float
        Cosmic rays per second and million pixels.
    full_well : float
        Electrons.
    bad_fraction : float
        Bad pixels, the same in every exposure.
    """

    name: str
    pivot: float
    width: float
    scale_arcsec: float
    diffusion_pix: float
    log_sigma_pix: float
    psf_fwhm_pix: float
    exptime: float
    sky: float
    read_noise: float
    hits: float
    full_well: float
    bad_fraction: float


CAMERAS = {
    "WFC3/IR": Camera("WFC3/IR", 13923.0, 3840.0, 0.1283, 0.3, 2.0, 1.1, 800.0, 0.7, 6.0, 1.0, 8e4, 0.012),
    "ACS/WFC": Camera("ACS/WFC", 5921.0, 2225.0, 0.05, 0.4, 1.5, 2.0, 340.0, 0.09, 4.2, 1.35, 8e4, 0.006),
    "WFC3/UVIS": Camera("WFC3/UVIS", 5887.0, 2183.0, 0.0396, 0.4, 1.5, 1.7, 500.0, 0.05, 3.1, 1.2, 6e4, 0.005),
}


@frozen
class Field:
    """What is in the sky, for each million pixels.

    Attributes
    ----------
    stars, galaxies : float
        Numbers.
    brightest : float
        Signal-to-noise ratio of the brightest star against the sky in one exposure.
    faintest : float
        That of the faintest.
    bright_stars : tuple of float
        Electrons of stars that are always there, wherever the field's density.
    """

    stars: float
    galaxies: float
    brightest: float
    faintest: float
    bright_stars: tuple[float, ...] = ()


FIELDS = {
    "crowded": Field(4000, 20, 2000, 8),
    "sparse": Field(25, 150, 1000, 8),
    "one bright star": Field(0, 40, 40, 6, (3e6,)),
    "galaxies only": Field(0, 250, 300, 8),
    "faint": Field(60, 60, 40, 5),
    "saturated": Field(200, 40, 2000, 8, (8e6, 5e6, 4e6, 3e6, 2e6, 1e6)),
}


@frozen
class Truth:
    """What was put in.

    Attributes
    ----------
    offsets_pix : tuple of (float, float)
        Displacement of each exposure's sources in the output frame, at its centre.
    rotations_deg : tuple of float
        Rotation of each exposure about the centre, from +x to +y.
    blurs_pix : tuple of float
        Sigma of the Gaussian that each exposure is blurred by.
    """

    offsets_pix: tuple[tuple[float, float], ...]
    rotations_deg: tuple[float, ...]
    blurs_pix: tuple[float, ...]


@frozen(eq=False)
class Association:
    """A product and its single-drizzled exposures."""

    product: DrizzledImage
    singles: tuple[DrizzledImage, ...]
    parameters: VerificationParameters
    truth: Truth


@frozen(eq=False)
class Scene:
    """Sources of a field: places in the frame of the first exposure, electrons, and what they are."""

    stars: NDArray[np.float64] = field()
    star_electrons: NDArray[np.float64] = field()
    galaxies: NDArray[np.float64] = field()
    galaxy_electrons: NDArray[np.float64] = field()
    galaxy_shapes: NDArray[np.float64] = field()


def simulate_association(
    camera: Camera,
    content: Field,
    *,
    n_exposures: int = 4,
    size: int = 1000,
    jitter_pix: float = 0.01,
    offset_pix: float = 0.0,
    rotation_deg: float = 0.0,
    blur_pix: float = 0.0,
    seed: int = 0,
) -> Association:
    """Render and combine one association; the last exposure is the one that is off, turned or blurred.

    Parameters
    ----------
    camera, content
        Entries of `CAMERAS` and `FIELDS`.
    n_exposures : int
        At least 2.
    size : int
        Rows and columns of the detector.
    jitter_pix : float
        Scatter of the exposures, rms along each axis.
    offset_pix, rotation_deg, blur_pix : float
        What is wrong with the last exposure; the offset has a random direction.
    seed : int
        Everything follows from it.
    """
    rng = np.random.default_rng(seed)
    offsets = rng.normal(0, jitter_pix, (n_exposures, 2))
    angle = rng.uniform(0, 2 * np.pi)
    offsets[-1] += offset_pix * np.array([np.cos(angle), np.sin(angle)])
    rotations, blurs = np.zeros(n_exposures), np.zeros(n_exposures)
    rotations[-1], blurs[-1] = rotation_deg, blur_pix
    dithers = np.vstack([np.zeros(2), rng.uniform(-25, 25, (n_exposures - 1, 2))])
    scene = _scene(camera, content, size, rng)
    bad = rng.uniform(size=(size, size)) < camera.bad_fraction
    drizzled = [
        _exposure(camera, scene, bad, dithers[i], offsets[i], rotations[i], blurs[i], size, rng)
        for i in range(n_exposures)
    ]
    product, flags = _combine(camera, [item[:2] for item in drizzled])
    singles = tuple(
        DrizzledImage(f"exposure{i}", sci, wht, camera.exptime, cosmic_rays=flags[i], saturated=saturated)
        for i, (sci, wht, saturated) in enumerate(drizzled)
    )
    parameters = VerificationParameters(camera.log_sigma_pix, camera.scale_arcsec, camera.psf_fwhm_pix)
    truth = Truth(
        tuple((float(x), float(y)) for x, y in offsets), tuple(map(float, rotations)), tuple(map(float, blurs))
    )
    combined = DrizzledImage("product", *product, exptime=n_exposures * camera.exptime)
    return Association(combined, singles, parameters, truth)


def _scene(camera: Camera, content: Field, size: int, rng: np.random.Generator) -> Scene:
    """Draw the sources of a field."""
    side = size + 2 * BORDER + 60
    area = side**2 / 1e6
    low, high = -BORDER - 30, size + BORDER + 30
    noise = np.sqrt(camera.sky * camera.exptime + camera.read_noise**2)
    # A star of peak signal-to-noise S holds about S * noise * fwhm^2 electrons.
    unit = noise * max(camera.psf_fwhm_pix, 1.5) ** 2
    n_stars, n_galaxies = rng.poisson(content.stars * area), rng.poisson(content.galaxies * area)
    electrons = np.concatenate([_fluxes(n_stars, content, rng) * unit, content.bright_stars])
    return Scene(
        stars=np.concatenate(
            [rng.uniform(low, high, (n_stars, 2)), rng.uniform(0.2, 0.8, (len(content.bright_stars), 2)) * size]
        ),
        star_electrons=electrons,
        galaxies=rng.uniform(low, high, (n_galaxies, 2)),
        galaxy_electrons=_fluxes(n_galaxies, content, rng) * unit * 6,
        galaxy_shapes=np.column_stack(
            [
                rng.lognormal(0.9, 0.5, n_galaxies) * 0.1 / camera.scale_arcsec,
                rng.uniform(0.3, 1.0, n_galaxies),
                rng.uniform(0, np.pi, n_galaxies),
            ]
        ),
    )


def _fluxes(number: int, content: Field, rng: np.random.Generator) -> NDArray[np.float64]:
    """Signal-to-noise ratios: exponential in magnitudes up from the faintest, cut at the brightest."""
    magnitudes = rng.exponential(MAGNITUDE_SCALE, number)
    return np.minimum(content.faintest * 10 ** (0.4 * magnitudes), content.brightest)


def _exposure(
    camera: Camera,
    scene: Scene,
    bad: NDArray[np.bool_],
    dither: NDArray[np.float64],
    offset: NDArray[np.float64],
    rotation_deg: float,
    blur_pix: float,
    size: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """Science, weight and saturation of one exposure on the output grid."""
    centre = size / 2
    turn = np.deg2rad(rotation_deg)
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    image = np.full((size, size), camera.sky * camera.exptime)
    stars, galaxies = (
        ((places - centre) @ matrix + offset + dither) @ np.linalg.inv(DISTORTION).T + centre
        for places in (scene.stars, scene.galaxies)
    )
    _add_stars(image, stars, scene.star_electrons, camera)
    _add_galaxies(image, galaxies, scene.galaxy_electrons, scene.galaxy_shapes, camera)
    if blur_pix:
        image = ndimage.gaussian_filter(image, blur_pix)
    image += cosmic_ray_electrons(image.shape, camera.hits * camera.exptime * image.size / 1e6, 4.0, 900.0, rng)
    counts = rng.poisson(image) + rng.normal(0, camera.read_noise, image.shape)
    saturated = counts > camera.full_well
    counts = np.minimum(counts, camera.full_well)
    rate = ((counts - np.median(counts)) / camera.exptime).astype(np.float32)
    return _drizzle(rate, bad, saturated, dither, size, camera.exptime)


def _add_stars(
    image: NDArray[np.float64], places: NDArray[np.float64], electrons: NDArray[np.float64], camera: Camera
) -> None:
    """Add point sources in place."""
    usual, bright = psf_table(camera.pivot, camera.width, camera.scale_arcsec, camera.diffusion_pix)
    for (x, y), flux in zip(places, electrons, strict=True):
        table = bright if flux > 3e5 else usual
        ix, iy = round(x), round(y)
        _add_stamp(image, ix, iy, flux * table.image(x - ix, y - iy))


def _add_galaxies(
    image: NDArray[np.float64],
    places: NDArray[np.float64],
    electrons: NDArray[np.float64],
    shapes: NDArray[np.float64],
    camera: Camera,
) -> None:
    """Add exponential discs in place, softened at the centre by the width of the point spread function."""
    soft = (camera.psf_fwhm_pix / 2.3548) ** 2
    for (x, y), flux, (radius, ratio, angle) in zip(places, electrons, shapes, strict=True):
        half = int(min(60, 6 * radius + 5))
        ix, iy = round(x), round(y)
        grid = np.arange(-half, half + 1)
        dx, dy = grid - (x - ix), (grid - (y - iy))[:, None]
        u = dx * np.cos(angle) + dy * np.sin(angle)
        v = (dy * np.cos(angle) - dx * np.sin(angle)) / ratio
        stamp = np.exp(-1.678 * np.sqrt(u * u + v * v + soft) / radius)
        _add_stamp(image, ix, iy, flux * stamp / stamp.sum())


def _add_stamp(image: NDArray[np.float64], ix: int, iy: int, stamp: NDArray[np.floating]) -> None:
    """Add a stamp centred on a pixel, as far as it lies on the image."""
    half = stamp.shape[0] // 2
    y0, x0 = max(iy - half, 0), max(ix - half, 0)
    y1, x1 = min(iy + half + 1, image.shape[0]), min(ix + half + 1, image.shape[1])
    if y1 > y0 and x1 > x0:
        image[y0:y1, x0:x1] += stamp[y0 - iy + half : y1 - iy + half, x0 - ix + half : x1 - ix + half]


def _drizzle(
    rate: NDArray[np.float32],
    bad: NDArray[np.bool_],
    saturated: NDArray[np.bool_],
    dither: NDArray[np.float64],
    size: int,
    exptime: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """Drizzle one exposure where its WCS says, onto a grid that holds every dither."""
    side = size + 2 * BORDER
    y, x = np.indices(rate.shape, dtype=np.float64)
    pixmap = (np.dstack([x, y]) - size / 2) @ DISTORTION.T + size / 2 - dither + BORDER
    drizzler = Drizzle(kernel="turbo", fillval="0", out_shape=(side, side), disable_ctx=True)
    weight = np.where(bad, 0, exptime).astype(np.float32)
    drizzler.add_image(rate, exptime=exptime, pixmap=pixmap, pixfrac=1.0, weight_map=weight, in_units="cps")
    touched = np.zeros((side, side), np.bool_)
    columns, rows = np.floor(pixmap[saturated]).astype(int).T
    for j in (0, 1):
        for i in (0, 1):
            touched[rows + j, columns + i] = True
    return drizzler.out_img.astype(np.float32), drizzler.out_wht.astype(np.float32), touched


def _combine(
    camera: Camera, drizzled: list[tuple[NDArray[np.float32], NDArray[np.float32]]]
) -> tuple[tuple[NDArray[np.float32], NDArray[np.float32]], list[NDArray[np.bool_]]]:
    """Product without cosmic rays, and the flags; the rule is that of the derivative test."""
    sci = np.array([np.where(wht > 0, sci, np.nan) for sci, wht in drizzled])
    wht = np.array([item[1] for item in drizzled])
    covered = np.isfinite(sci)
    filled = np.where(covered, sci, np.inf)
    lowest = filled.min(0)
    if len(sci) > 2:
        ordered = np.sort(filled, axis=0)
        middle = np.take_along_axis(ordered, np.maximum(covered.sum(0) - 1, 0)[None] // 2, axis=0)[0]
    else:
        middle = lowest
    middle = np.where(np.isfinite(middle), middle, 0)
    gradient = np.maximum(*(np.abs(np.gradient(middle, axis=axis)) for axis in (0, 1)))
    variance = np.maximum(middle + camera.sky, 0) / camera.exptime + (camera.read_noise / camera.exptime) ** 2
    flags = [
        (single > middle + 4 * np.sqrt(variance) + 1.2 * gradient) & known
        for single, known in zip(np.nan_to_num(sci), covered, strict=True)
    ]
    weight = np.where(np.array(flags) | ~covered, 0, wht)
    total = weight.sum(0)
    product = np.divide((np.nan_to_num(sci) * weight).sum(0), total, out=np.full(total.shape, np.nan), where=total > 0)
    return (product.astype(np.float32), total.astype(np.float32)), flags
