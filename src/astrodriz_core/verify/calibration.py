"""Thresholds of the calibrated policy."""

from __future__ import annotations

from attrs import frozen

__all__ = ["CALIBRATION", "Calibration"]


@frozen
class Calibration:
    """What the calibrated policy tolerates.

    Attributes
    ----------
    jitter_pix : float
        Scatter of the exposures, rms along each axis, that is no misalignment.
    false_alarm_rate : float
        Probability that an association with just that scatter fails.
    error_scale : float
        Real errors of the offsets over the stated ones.
    smallest_offset_pix : float
        Offset that a measurement must be able to exclude to say "aligned".
    missed_sigma : float
        Standard deviations by which such an offset must stand above the threshold.
    blur_log_ratio : float
        Fall of the logarithm of the concentration that makes an exposure degraded.
    blur_sigma : float
        Standard errors by which it must be significant.
    """

    jitter_pix: float
    false_alarm_rate: float
    error_scale: float
    smallest_offset_pix: float
    missed_sigma: float
    blur_log_ratio: float
    blur_sigma: float


CALIBRATION = Calibration(
    jitter_pix=0.02,
    false_alarm_rate=0.008,
    error_scale=1.0,
    smallest_offset_pix=0.2,
    missed_sigma=2.33,
    blur_log_ratio=0.06,
    blur_sigma=4.0,
)
