"""Thresholds of the calibrated policy, and the measured errors that they rest on.

The first nine numbers say what is wanted. The others follow from simulated associations of WFC3/IR, ACS/WFC and
WFC3/UVIS in six kinds of field, crowded to nearly empty: ``benchmarks/verification_rates.py`` measures them, and
``benchmarks/calibrate_verification.py`` fits the numbers and prints them beside those below.
"""

from __future__ import annotations

from attrs import frozen

__all__ = ["CALIBRATION", "SMALL_SAMPLE_SOURCES", "Calibration", "small_sample_factor"]


@frozen
class Calibration:
    """What the calibrated policy tolerates.

    Attributes
    ----------
    jitter_pix : float
        Scatter of the exposures, rms along each axis, that is no misalignment: what the guiding of the
        telescope leaves in good exposures.
    usual_jitter_pix : float
        Scatter that it mostly leaves.
    false_alarm_rate : float
        Part of the determined associations with just the tolerated scatter that fails.
    coarse_false_alarm_rate : float
        Part of all of them that may fail where next to none is determined.
    scatter_weight, scatter_cap : float
        How much the squared scatter of the other exposures adds to the squared threshold, and up to how many
        times what is expected it counts: several exposures that are off must not excuse each other.
    smallest_offset_pix : float
        Offset, with the usual scatter on top, that a measurement must exclude to say "aligned".
    missed_sigma : float
        Standard deviations by which what is measured must lie below such an offset; 1.4 leaves 8 % there.
    found_sigma : float
        Standard errors by which an offset must stand above its threshold to be called found; 1.28 leaves
        10 % below.
    error_scale : float
        Real errors of the offsets over the stated ones.
    blur_log_ratio : float
        Fall of the logarithm of the concentration that makes an exposure degraded.
    blur_sigma : float
        Standard errors by which that fall must be significant.
    """

    jitter_pix: float
    usual_jitter_pix: float
    false_alarm_rate: float
    coarse_false_alarm_rate: float
    scatter_weight: float
    scatter_cap: float
    smallest_offset_pix: float
    missed_sigma: float
    found_sigma: float
    error_scale: float
    blur_log_ratio: float
    blur_sigma: float


#: Errors from the scatter of n sources are too small by about the factor 1 + SMALL_SAMPLE_SOURCES / n.
SMALL_SAMPLE_SOURCES = 4.0


def small_sample_factor(number: float) -> float:
    """Error that covers a value from the scatter of so many sources, over the error that the scatter gives.

    Where the sources differ in weight, `number` is that of as many sources of equal weight.
    """
    return 1 + SMALL_SAMPLE_SOURCES / max(number, 1)


CALIBRATION = Calibration(
    jitter_pix=0.02,
    usual_jitter_pix=0.01,
    false_alarm_rate=0.006,
    coarse_false_alarm_rate=0.0005,
    scatter_weight=4.0,
    scatter_cap=3.0,
    smallest_offset_pix=0.1,
    missed_sigma=1.4,
    found_sigma=1.28,
    error_scale=1.0,
    blur_log_ratio=0.05,
    blur_sigma=3.0,
)
