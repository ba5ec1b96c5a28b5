"""One chip of one exposure, as the drizzle steps need it: its WCS, its arrays on demand, its units."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from astropy.wcs import DistortionLookupTable
from attrs import evolve, frozen
from stwcs.wcsutil import HSTWCS

from astrodriz_core.arrays import Array
from astrodriz_core.combine.pixmap import (
    TanWcs,
    apply_homography,
    tangent_plane_homography,
    undistorted_pixels,
)
from astrodriz_core.instruments.detectors import dark_electrons, electrons_per_unit, readout_noise_electrons
from astrodriz_core.instruments.dq import ASTRODRIZZLE_COSMIC_RAY
from astrodriz_core.names import ChipKey
from astrodriz_core.records.drizzling import OutputFrame
from astrodriz_io.drizzling.placed import ChipPixels
from astrodriz_io.inputs.exposures import Chip, Exposure, read_exposure
from astrodriz_io.wcs.stwcs_calls import read_wcs

__all__ = ["DrizzleChip", "DrizzleExposure", "load_exposure", "tangent_plane"]


@frozen(eq=False)
class DrizzleChip:
    """One chip, ready to be drizzled.

    Attributes
    ----------
    exposure : Exposure
        The exposure it belongs to; arrays are read from its file.
    chip : Chip
        Its own metadata.
    wcs : HSTWCS
        The WCS under which it is drizzled.
    reset_bits : int
        DQ bits that are taken as not set, whatever the file says.
    """

    exposure: Exposure
    chip: Chip
    wcs: HSTWCS
    reset_bits: int = ASTRODRIZZLE_COSMIC_RAY

    @property
    def key(self) -> ChipKey:
        """Which chip of which exposure it is."""
        return ChipKey(self.exposure.rootname, self.chip.extver)

    @property
    def detector_region(self) -> str:
        """A name for the piece of the detector, equal for all exposures through it."""
        ny, nx = self.chip.shape
        return f"chip {self.chip.electronics.chip} ({nx} x {ny})"

    @property
    def exptime(self) -> float:
        """Exposure time, s."""
        return self.exposure.exposure_time

    @property
    def pixel_scale_arcsec(self) -> float:
        """Side of an undistorted pixel: that of the distortion model, else that of the linear WCS."""
        modelled = self.wcs.idcscale if self.wcs.sip is not None else None
        return float(self.wcs.pscale if modelled is None else modelled)

    @property
    def gain(self) -> float:
        """Electrons for each unit (or unit for each second) of SCI: 1 where it is in electrons."""
        return electrons_per_unit(self.exposure.description, self.chip.electronics, self.chip.unit)

    @property
    def electrons_per_unit(self) -> float:
        """Factor from SCI to electrons collected in the exposure."""
        return self.gain * self.exptime if self.chip.unit.is_rate else self.gain

    @property
    def rate_per_unit(self) -> float:
        """Factor from SCI to electrons/s."""
        return self.electrons_per_unit / self.exptime

    @property
    def read_noise(self) -> float:
        """Read noise, electrons."""
        return readout_noise_electrons(self.exposure.description, self.chip.electronics)

    @property
    def dark(self) -> float:
        """Dark signal of the exposure, electrons."""
        return dark_electrons(self.exposure.description, self.chip.electronics)

    @property
    def pixels(self) -> ChipPixels:
        """Its arrays."""
        return ChipPixels(self.exposure.path, self.chip.extver, self.reset_bits)

    def undistorted(self, border: int = 0) -> Array:
        """Where the pixels of this chip lie without its distortion, which is evaluated for each of them.

        Parameters
        ----------
        border : int
            Pixels beyond each edge of the chip that are taken too.

        Returns
        -------
        ndarray of float64, shape (2, ny + 2 border, nx + 2 border)
            0-based x and y of the tangent plane. It follows from `distortion_key`, shape and border alone.
        """
        return undistorted_pixels(self.chip.shape, self._undistort, border)

    @property
    def distortion_key(self) -> str:
        """A digest of all that the distortion depends on; the pointing is none of it."""
        digest = hashlib.sha256()
        sip = self.wcs.sip
        terms = () if sip is None else (sip.a, sip.b, sip.crpix)
        for values in (*map(_terms, self._lookup_tables()), *terms):
            digest.update(b"-" if values is None else np.ascontiguousarray(values, np.float64).tobytes())
            digest.update(b"|")
        return digest.hexdigest()

    def positions(self, x: Array, y: Array, frame: OutputFrame) -> tuple[Array, Array]:
        """Where single points of the chip lie in a frame; all coordinates are 0-based pixels."""
        return apply_homography(self.homography(frame), *self._undistort(x, y))

    def homography(self, frame: OutputFrame) -> Array:
        """From its undistorted pixels to those of a frame, shape (3, 3).

        The distortion is evaluated for every pixel, and what remains between two tangent planes is a homography.
        """
        return tangent_plane_homography(tangent_plane(self.wcs), frame_plane(frame))

    def _undistort(self, x: Array, y: Array) -> tuple[Array, Array]:
        u, v = self.wcs.pix2foc(x, y, 0)
        return u, v

    def _lookup_tables(self) -> tuple[DistortionLookupTable | None, ...]:
        return self.wcs.cpdis1, self.wcs.cpdis2, self.wcs.det2im1, self.wcs.det2im2


@frozen(eq=False)
class DrizzleExposure:
    """One exposure: its chips share a pointing and an exposure time."""

    exposure: Exposure
    chips: tuple[DrizzleChip, ...]

    @property
    def rootname(self) -> str:
        """ROOTNAME of the exposure in lower case."""
        return self.exposure.rootname

    @property
    def exptime(self) -> float:
        """Exposure time, s."""
        return self.exposure.exposure_time

    def at(self, path: Path) -> DrizzleExposure:
        """The same exposure, whose file has been moved."""
        exposure = evolve(self.exposure, path=path)
        return DrizzleExposure(exposure, tuple(evolve(chip, exposure=exposure) for chip in self.chips))


def load_exposure(
    path: Path, *, coeffs: bool = True, resetbits: int | None = ASTRODRIZZLE_COSMIC_RAY
) -> DrizzleExposure:
    """Read the metadata and WCS of an exposure; its arrays are read when they are needed.

    Parameters
    ----------
    path : Path
        FLC or FLT file.
    coeffs : bool
        With False the distortion is left out of the WCS.
    resetbits : int or None
        DQ bits that are taken as not set.
    """
    exposure = read_exposure(path)
    chips = tuple(
        DrizzleChip(exposure, chip, _read_wcs(path, chip.extver, coeffs), resetbits or 0) for chip in exposure.chips
    )
    return DrizzleExposure(exposure, chips)


def _terms(table: DistortionLookupTable | None) -> Array | None:
    """All numbers of a table of distortions, its grid first."""
    if table is None:
        return None
    return np.concatenate([table.crpix, table.crval, table.cdelt, table.data.shape, np.ravel(table.data)])


def _read_wcs(path: Path, extver: int, coeffs: bool) -> HSTWCS:
    wcs = read_wcs(path, ("SCI", extver), path.name)
    if not coeffs:
        wcs.sip = wcs.cpdis1 = wcs.cpdis2 = wcs.det2im1 = wcs.det2im2 = None
        wcs.wcs.ctype = [axis.removesuffix("-SIP") for axis in wcs.wcs.ctype]
    return wcs


def frame_plane(frame: OutputFrame) -> TanWcs:
    """The frame as a tangent plane."""
    return TanWcs(crval=frame.crval, crpix=frame.crpix, cd=frame.cd)


def tangent_plane(wcs: HSTWCS) -> TanWcs:
    """The linear part of a chip's WCS."""
    (cd11, cd12), (cd21, cd22) = wcs.wcs.cd.tolist()
    return TanWcs(
        crval=tuple(wcs.wcs.crval.tolist()),
        crpix=tuple(wcs.wcs.crpix.tolist()),
        cd=((cd11, cd12), (cd21, cd22)),
    )
