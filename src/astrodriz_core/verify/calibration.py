"""Thresholds of the calibrated policy, and the measured error rates that they rest on.

The first four numbers say what is wanted. The others were measured by
``benchmarks/calibrate_verification.py`` on simulated associations of WFC3/IR and ACS/WFC in six kinds of
field, crowded to nearly empty; that program prints them again, with the rates that they give.
"""

from __future__ import annotations

from attrs import frozen

__all__ = ["CALIBRATION", "SMALL_SAMPLE_SOURCES", "Calibration"]


@frozen
class Calibration:
    """What the calibrated policy tolerates.

    Attributes
    ----------
    jitter_pix : float
        Scatter of the exposures, rms along each axis, that is no misalignment: what the guiding of the
        telescope leaves in good exposures.
    false_alarm_rate : float
        Probability that an association with just that scatter fails.
    smallest_offset_pix : float
        Offset that a measurement must be able to exclude to say "aligned".
    missed_sigma : float
        Standard deviations by which such an offset must stand above the threshold; 2.33 leaves 1 % below.
    error_scale : float
        Real errors of the offsets over the stated ones.
    blur_log_ratio : float
        Fall of the logarithm of the concentration that makes an exposure degraded.
    blur_sigma : float
        Standard errors by which that fall must be significant.
    """

    jitter_pix: float
    false_alarm_rate: float
    smallest_offset_pix: float
    missed_sigma: float
    error_scale: float
    blur_log_ratio: float
    blur_sigma: float


#: Errors from the scatter of n sources are too small by the factor 1 + SMALL_SAMPLE_SOURCES / n.
SMALL_SAMPLE_SOURCES = 6.0

CALIBRATION = Calibration(
    jitter_pix=0.02,
    false_alarm_rate=0.009,
    smallest_offset_pix=0.2,
    missed_sigma=2.33,
    error_scale=1.0,
    blur_log_ratio=0.07,
    blur_sigma=3.0,
)
