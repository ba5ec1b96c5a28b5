"""The parameters of a drizzle run: one frozen, validated record under the names that AstroDrizzle gave them.

Names and defaults are those of AstroDrizzle, so that an MDRIZTAB, a configuration and an option mean here
what they mean there.
"""

# ruff: noqa: RUF009 - the calls make attrs fields, which is not known to the rule where the type is an enum.

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from attrs import Attribute, evolve, fields, fields_dict, frozen

from astrodriz_core.errors import UsageError
from astrodriz_core.parameters.choices import (
    BlotInterpolation,
    CombineType,
    FrameRequest,
    Kernel,
    ProcessingUnit,
    SkyMethod,
    SkyStatistic,
    Units,
    WeightScale,
    WeightType,
)
from astrodriz_core.parameters.values import (
    as_text,
    bits,
    choice,
    number,
    optional_number,
    optional_text,
    optional_whole,
    pair,
    parse_value,
    switch,
    whole,
)

__all__ = [
    "BlotInterpolation",
    "DrizzleParameters",
    "FrameRequest",
    "Kernel",
    "ProcessingUnit",
    "Units",
    "WeightScale",
    "WeightType",
    "changed_parameters",
    "with_values",
]

# Limits of what makes sense, far beyond what anybody uses; products of them are still numbers in single precision.
SIGMAS = 1e6
"""The largest limit in sigma, or multiple of a derivative."""
LEVEL = 1e30
"""The largest value of a pixel."""
GROWTH = 1000
"""The largest distance from a pixel, pixels: a quarter of the largest detector."""
DETECTOR = 4096
"""Rows of the largest detector."""
PASSES = 1000
"""The most rounds of clipping; each looks at every pixel."""
MANY = 10000
"""The most images that can be left out."""
FINEST, COARSEST = 1e-4, 60.0
"""The limits of the side of a pixel, arcsec; detectors have 0.025 to 0.2."""
FARTHEST = 1e7
"""The largest coordinate of a reference pixel: with the finest detector 70 degrees from the frame."""
TURN = 360.0


@frozen(kw_only=True)
class DrizzleParameters:
    """Every parameter of the steps of a drizzle run; None stands for INDEF.

    Attributes
    ----------
    proc_unit : ProcessingUnit
        Units of intermediate images.
    coeffs : bool
        Correct distortion.
    context : bool
        Make the context image.
    build : bool
        Write SCI, WHT and CTX into one file.
    crbit : int
        DQ bit that is set for cosmic rays found; 0 sets none.
    stepsize : int
        Pixels between exact coordinates in AstroDrizzle. Coordinate maps are exact to a stated bound here,
        so this is kept for the record and changes nothing.
    resetbits : int or None
        DQ bits that are cleared before the run.
    static, static_sig
        Whether to mask pixels far below the median, and by how many sigma.
    skysub, skymethod, skystat
        Whether and how the background is measured and subtracted.
    skywidth : float or None
        Width of the bins of the histogram, in sigma.
    skylower, skyupper : float or None
        Limits of the pixels used, electrons.
    skyclip, skylsigma, skyusigma
        Number of clippings, and limits in sigma below and above.
    use_static : bool
        Leave pixels of the static mask out of the sky.
    sky_bits : int or None
        DQ bits that count as good for the sky.
    driz_separate : bool
        Drizzle each exposure by itself, for the median and the cosmic rays. The verification has these images made
        wherever there are two exposures, so this is kept for the record and changes nothing.
    driz_sep_kernel, driz_sep_wt_scl, driz_sep_pixfrac, driz_sep_fillval, driz_sep_bits
        Kernel, weights, drop size, value of empty pixels (None: NaN), good DQ bits of that.
    driz_sep_compress : bool
        Compress those images in AstroDrizzle; they are never kept here, so this changes nothing.
    driz_sep_wcs, driz_sep_refimage, ..., driz_sep_crpix2
        Frame of those images, see `separate_frame`.
    median : bool
        Combine them.
    median_newmasks : bool
        Leave pixels of low weight out.
    combine_maskpt : float
        Weight below which a pixel is left out, as a fraction of the mean weight.
    combine_type : CombineType
        How they are combined.
    combine_nsigma : tuple of float
        Minmed: sigma by which the median may exceed the minimum, far from and near such a pixel.
    combine_nlow, combine_nhigh : int
        Lowest and highest values that are left out.
    combine_lthresh, combine_hthresh : float or None
        Limits of values used.
    combine_grow : int
        Minmed: what near means, pixels.
    combine_bufsize : float or None
        Buffer in AstroDrizzle; memory is bounded here anyway, so this changes nothing.
    blot, blot_interp, blot_sinscl
        Whether and how the combined image is sampled at the pixels of the exposures.
    blot_addsky, blot_skyval
        Whether the measured sky is added to it, else the value to add.
    driz_cr : bool
        Flag cosmic rays.
    driz_cr_corr : bool
        Make cleaned copies of the exposures in AstroDrizzle; they would be temporary files, so this
        changes nothing.
    driz_cr_snr, driz_cr_scale : tuple of float
        Limits in sigma and multiples of the derivative, for the first pass and for neighbours.
    driz_cr_grow, driz_cr_ctegrow : int
        Growth around cosmic rays, and of their charge-transfer tails, pixels.
    driz_combine : bool
        Make the final product.
    final_wht_type, final_kernel, final_wt_scl, final_pixfrac, final_bits
        Weights, kernel, factor of the weights, drop size, good DQ bits of the product.
    final_fillval : float or None
        Value of empty pixels; None: NaN.
    final_maskval : float or None
        Value of pixels outside the frame of any exposure; None: as `final_fillval`.
    final_units : Units
        Units of the product.
    final_wcs, final_refimage, ..., final_crpix2
        Frame of the product, see `final_frame`.

    Raises
    ------
    UsageError
        A value is beyond its limits; the message names the good ones.
    """

    proc_unit: ProcessingUnit = choice(ProcessingUnit.NATIVE)
    coeffs: bool = switch(True)
    context: bool = switch(True)
    build: bool = switch(True)
    crbit: int = whole(4096)
    stepsize: int = whole(10, least=1)
    resetbits: int | None = bits(4096)
    static: bool = switch(True)
    static_sig: float = number(4.0, least=0.0, most=SIGMAS)
    skysub: bool = switch(True)
    skymethod: SkyMethod = choice(SkyMethod.LOCALMIN)
    skystat: SkyStatistic = choice(SkyStatistic.MEDIAN)
    skywidth: float | None = optional_number(least=0.001, most=1000.0, default=0.1)
    skylower: float | None = optional_number(least=-LEVEL, most=LEVEL)
    skyupper: float | None = optional_number(least=-LEVEL, most=LEVEL)
    skyclip: int = whole(5, most=PASSES)
    skylsigma: float = number(4.0, least=0.0, most=SIGMAS, above=True)
    skyusigma: float = number(4.0, least=0.0, most=SIGMAS, above=True)
    use_static: bool = switch(True)
    sky_bits: int | None = bits(0)
    driz_separate: bool = switch(True)
    driz_sep_kernel: Kernel = choice(Kernel.TURBO)
    driz_sep_wt_scl: WeightScale = choice(WeightScale.EXPTIME)
    driz_sep_pixfrac: float = number(1.0, least=0.0, most=1.0)
    driz_sep_fillval: float | None = optional_number(least=-LEVEL, most=LEVEL)
    driz_sep_bits: int | None = bits(0)
    driz_sep_compress: bool = switch(False)
    driz_sep_wcs: bool = switch(False)
    driz_sep_refimage: str | None = optional_text()
    driz_sep_rot: float | None = optional_number(least=-TURN, most=TURN)
    driz_sep_scale: float | None = optional_number(least=FINEST, most=COARSEST)
    driz_sep_outnx: int | None = optional_whole()
    driz_sep_outny: int | None = optional_whole()
    driz_sep_ra: float | None = optional_number(least=-TURN, most=TURN)
    driz_sep_dec: float | None = optional_number(least=-90.0, most=90.0)
    driz_sep_crpix1: float | None = optional_number(least=-FARTHEST, most=FARTHEST)
    driz_sep_crpix2: float | None = optional_number(least=-FARTHEST, most=FARTHEST)
    median: bool = switch(True)
    median_newmasks: bool = switch(True)
    combine_maskpt: float = number(0.3, least=0.0, most=1.0)
    combine_type: CombineType = choice(CombineType.MINMED)
    combine_nsigma: tuple[float, float] = pair((4.0, 3.0), most=SIGMAS)
    combine_nlow: int = whole(0, most=MANY)
    combine_nhigh: int = whole(0, most=MANY)
    combine_lthresh: float | None = optional_number(least=-LEVEL, most=LEVEL)
    combine_hthresh: float | None = optional_number(least=-LEVEL, most=LEVEL)
    combine_grow: int = whole(1, most=GROWTH)
    combine_bufsize: float | None = optional_number(least=0.0, above=True)
    blot: bool = switch(True)
    blot_interp: BlotInterpolation = choice(BlotInterpolation.POLY5)
    blot_sinscl: float = number(1.0, least=0.001, most=1000.0)
    blot_addsky: bool = switch(True)
    blot_skyval: float = number(0.0, least=-LEVEL, most=LEVEL)
    driz_cr: bool = switch(True)
    driz_cr_corr: bool = switch(False)
    driz_cr_snr: tuple[float, float] = pair((3.5, 3.0), most=SIGMAS)
    driz_cr_scale: tuple[float, float] = pair((1.2, 0.7), most=SIGMAS)
    driz_cr_grow: int = whole(1, most=GROWTH)
    driz_cr_ctegrow: int = whole(0, most=DETECTOR)
    driz_combine: bool = switch(True)
    final_wht_type: WeightType = choice(WeightType.EXP)
    final_kernel: Kernel = choice(Kernel.SQUARE)
    final_wt_scl: WeightScale = choice(WeightScale.EXPTIME)
    final_pixfrac: float = number(1.0, least=0.0, most=1.0)
    final_fillval: float | None = optional_number(least=-LEVEL, most=LEVEL)
    final_maskval: float | None = optional_number(least=-LEVEL, most=LEVEL)
    final_bits: int | None = bits(0)
    final_units: Units = choice(Units.CPS)
    final_wcs: bool = switch(False)
    final_refimage: str | None = optional_text()
    final_rot: float | None = optional_number(least=-TURN, most=TURN)
    final_scale: float | None = optional_number(least=FINEST, most=COARSEST)
    final_outnx: int | None = optional_whole()
    final_outny: int | None = optional_whole()
    final_ra: float | None = optional_number(least=-TURN, most=TURN)
    final_dec: float | None = optional_number(least=-90.0, most=90.0)
    final_crpix1: float | None = optional_number(least=-FARTHEST, most=FARTHEST)
    final_crpix2: float | None = optional_number(least=-FARTHEST, most=FARTHEST)

    @property
    def separate_frame(self) -> FrameRequest | None:
        """The frame asked for the separate images; None unless ``driz_sep_wcs`` is on."""
        return _frame_request(self, "driz_sep_") if self.driz_sep_wcs else None

    @property
    def final_frame(self) -> FrameRequest | None:
        """The frame asked for the product; None unless ``final_wcs`` is on."""
        return _frame_request(self, "final_") if self.final_wcs else None


def with_values(parameters: DrizzleParameters, values: Mapping[str, object]) -> DrizzleParameters:
    """Change parameters by name, from texts, numbers, or values of the right type.

    Parameters
    ----------
    parameters : DrizzleParameters
        What holds so far; not changed.
    values : mapping of str to object
        New values, such as ``{"driz_cr_snr": "5.0 4.0", "final_scale": 0.06}``. A layer that gives any part
        of a frame (``final_scale``, say) and does not speak of ``final_wcs`` switches that on: AstroDrizzle
        ignores the part otherwise, which nobody who sets it wants.

    Returns
    -------
    DrizzleParameters
        The record with these values.

    Raises
    ------
    UsageError
        A name is unknown (the message lists those that exist, the most alike first), or a value is bad.
    """
    known = fields_dict(DrizzleParameters)
    for name in values:
        if name not in known:
            raise _unknown_name(name, known)
    read: dict[str, Any] = {name: parse_value(known[name], value) for name, value in values.items()}
    return evolve(parameters, **{**_frame_switches(read), **read})


def changed_parameters(before: DrizzleParameters, after: DrizzleParameters) -> tuple[tuple[str, str], ...]:
    """Names and new values, as text, of the parameters that differ, in the order of the record."""
    names = (attribute.name for attribute in fields(DrizzleParameters))
    return tuple(
        (name, as_text(getattr(after, name))) for name in names if getattr(before, name) != getattr(after, name)
    )


_FRAME_PARTS = tuple(attribute.name for attribute in fields(FrameRequest))


def _frame_request(parameters: DrizzleParameters, prefix: str) -> FrameRequest:
    return FrameRequest(**{part: getattr(parameters, prefix + part) for part in _FRAME_PARTS})


def _frame_switches(values: Mapping[str, object]) -> dict[str, Any]:
    return {
        f"{prefix}wcs": True
        for prefix in ("driz_sep_", "final_")
        if any(values.get(prefix + part) is not None for part in _FRAME_PARTS)
    }


def _unknown_name(name: str, known: Mapping[str, Attribute[object]]) -> UsageError:
    alike = get_close_matches(name, known, n=3)
    hint = f" Did you mean {' or '.join(alike)}?" if alike else ""
    remedy = f"Known parameters: {', '.join(known)}."
    return UsageError(f"{name!r} is not a drizzle parameter.{hint}", remedy=remedy)
