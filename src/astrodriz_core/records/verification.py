"""What was measured of the alignment of one product, and what each policy concludes from it.

Positions are 0-based pixels of the output frame. An offset is the place of an exposure's sources minus
their place in the combination of the others: positive `dx_pix` means that the exposure's image lies to
the right, positive `dy_pix` above.
"""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from astrodriz_core.records.common import Verdict

__all__ = [
    "AlignmentMeasurements",
    "CheckOutcome",
    "DrizzlepacExposure",
    "DrizzlepacNumbers",
    "ExposureSharpness",
    "ExposureSimilarity",
    "FocusDistribution",
    "FocusIndex",
    "FocusMeasurements",
    "GuidingCheck",
    "GuidingOutcome",
    "OverlapRegion",
    "Policy",
    "PolicyResult",
    "ProductComparison",
    "Quantity",
    "Registration",
    "RegistrationMethod",
    "SimilarityMeasurements",
    "Verification",
    "VerificationCheck",
    "WorstExposure",
]


class Policy(Enum):
    """The rules that turn measurements into a verdict."""

    DOCUMENTED = "documented"
    """The published rules of the pipeline, to the letter."""
    DRIZZLEPAC = "drizzlepac"
    """What version 3.11 of drizzlepac does."""
    CALIBRATED = "calibrated"
    """Thresholds from error rates measured on simulated associations."""


class Quantity(Enum):
    """What a check looks at."""

    FOCUS = "focus index"
    SIMILARITY = "similarity index"
    REGISTRATION = "registration residual"
    ROTATION = "rotation residual"
    SHARPNESS = "sharpness"
    PRODUCT_SIMILARITY = "similarity to the other product"


class CheckOutcome(Enum):
    """How one check ended."""

    PASSED = "passed"
    FAILED = "failed"
    UNDETERMINED = "undetermined"
    """The quantity could not be measured, or not well enough."""


class RegistrationMethod(Enum):
    """How the offset of an exposure was found."""

    SOURCES = "matched sources"
    CROSS_CORRELATION = "cross-correlation"


class GuidingOutcome(Enum):
    """What the shapes of the sources say of the guiding during one exposure."""

    GOOD = "good"
    TRAILED = "trailed"
    UNDETERMINED = "undetermined"


@frozen
class OverlapRegion:
    """The region that the similarity is measured in: the bounding box of the largest overlap.

    Attributes
    ----------
    y_start, y_stop, x_start, x_stop : int
        Half-open ranges of rows and columns, 0-based.
    n_pixels : int
        Pixels of the box that have the full overlap.
    n_exposures : int
        Exposures that overlap there.
    """

    y_start: int
    y_stop: int
    x_start: int
    x_stop: int
    n_pixels: int
    n_exposures: int


@frozen
class FocusIndex:
    """Focus index of one image: the maximum of |LoG| off the mask.

    Attributes
    ----------
    name : str
        Rootname of the exposure or name of the product.
    value : float or None
        Flux unit of the image per pixel squared; None where every pixel is masked.
    y, x : int or None
        Where the maximum is.
    z_score : float or None
        (value - mean) / sigma over the exposures; None where it is not finite.
    """

    name: str
    value: float | None
    y: int | None
    x: int | None
    z_score: float | None


@frozen
class FocusDistribution:
    """LoG peaks of many sources: product over the mean of the exposures, one ratio for each source.

    Attributes
    ----------
    n_sources : int
        Sources measured in the product and in at least one exposure.
    first_quartile, median, third_quartile : float or None
        Quartiles of the ratio. A combination of aligned exposures has a median near 1; an exposure off its place
        that the combination let through lowers it.
    """

    n_sources: int
    first_quartile: float | None
    median: float | None
    third_quartile: float | None


@frozen
class FocusMeasurements:
    """Focus of the product and of every exposure.

    Attributes
    ----------
    sigma_pix : float
        Standard deviation of the Laplacian of Gaussian.
    product : FocusIndex
        The index of the combination.
    exposures : tuple of FocusIndex
        The index of each exposure, in the order given.
    mean, sigma : float or None
        Mean and deviation of the exposures' values (population standard deviation).
    sources : FocusDistribution
        The same over all sources, because one bright star says nothing of the rest.
    """

    sigma_pix: float
    product: FocusIndex
    exposures: tuple[FocusIndex, ...]
    mean: float | None
    sigma: float | None
    sources: FocusDistribution


@frozen
class ExposureSimilarity:
    """Difference between one exposure and the product, in the region of overlap.

    Attributes
    ----------
    rootname : str
    hamming : float or None
        Pixels in which the source masks differ, over the pixels of the exposure's mask, times the
        exposure time over the longest.
    mean_squared_error : float or None
        Mean squared difference over the mean squared signal, noise taken off; 0 is equal, 1 means as
        much difference as signal.
    index : float or None
        The smaller of the two; None where the exposure shows no source or no overlap.
    """

    rootname: str
    hamming: float | None
    mean_squared_error: float | None
    index: float | None


@frozen
class SimilarityMeasurements:
    """Similarity of every exposure to the product; `index` is the maximum."""

    exposures: tuple[ExposureSimilarity, ...]
    index: float | None


@frozen
class Registration:
    """Residual offset of one exposure against the combination of the others.

    Attributes
    ----------
    rootname : str
    dx_pix, dy_pix : float or None
        Offset in output pixels at the centre of the sources; None where it could not be measured.
    dx_arcsec, dy_arcsec : float or None
        The same times the pixel scale, along x and y of the output frame (not east and north).
    sigma_pix : float or None
        Standard error of each of the two offsets.
    rotation_deg, rotation_sigma_deg : float or None
        Rotation against the others, positive from +x to +y, and its standard error; None where the
        sources do not determine it.
    lever_arm_pix : float or None
        Root mean square distance of the sources from their centre: rotation times this is the root
        mean square displacement by the rotation.
    n_sources : int
        Sources used; for a cross-correlation, the number of blocks.
    method : RegistrationMethod or None
    reason : str
        Why there is no measurement; empty where there is one.
    """

    rootname: str
    dx_pix: float | None
    dy_pix: float | None
    dx_arcsec: float | None
    dy_arcsec: float | None
    sigma_pix: float | None
    rotation_deg: float | None
    rotation_sigma_deg: float | None
    lever_arm_pix: float | None
    n_sources: int
    method: RegistrationMethod | None
    reason: str


@frozen
class ExposureSharpness:
    """Concentration of an exposure's sources relative to the same sources in the other exposures.

    Attributes
    ----------
    rootname : str
    log_ratio : float or None
        Natural logarithm of the ratio of concentrations (core flux over wide flux), median over the
        sources; negative for an exposure that is blurred, trailed or out of focus.
    sigma : float or None
        Its standard error.
    n_sources : int
        Sources used.
    core_flagged : float or None
        Fraction of these sources whose central pixel is flagged as a cosmic ray. Real cosmic rays hit
        a few in a thousand; an exposure off its place by a pixel has most of its sources flagged.
    """

    rootname: str
    log_ratio: float | None
    sigma: float | None
    n_sources: int
    core_flagged: float | None


@frozen
class DrizzlepacExposure:
    """The numbers that version 3.11 of drizzlepac derives for one exposure.

    Attributes
    ----------
    rootname : str
    focus : float
        Maximum of |LoG| of the single-drizzled image, masked pixels set to 0 before.
    hamming : float or None
        Distance of the source masks; None for a blank image or an empty mask.
    similarity : float or None
        |sum of differences| over the sum.
    distance : float or None
        The smaller of `hamming` and twice `similarity`.
    """

    rootname: str
    focus: float
    hamming: float | None
    similarity: float | None
    distance: float | None


@frozen
class DrizzlepacNumbers:
    """The numbers that version 3.11 of drizzlepac derives for an association."""

    product_focus: float
    exposures: tuple[DrizzlepacExposure, ...]
    focus_mean: float
    focus_sigma: float


@frozen
class AlignmentMeasurements:
    """Everything that was measured of one product; what a policy judges.

    Attributes
    ----------
    product : str
        Name of the product.
    pixel_scale_arcsec : float
        Size of an output pixel.
    region : OverlapRegion or None
        Region of maximum overlap; None where no exposure covers anything.
    focus : FocusMeasurements
    similarity : SimilarityMeasurements
    registration : tuple of Registration
        One for each exposure, in the order given.
    sharpness : tuple of ExposureSharpness
        One for each exposure, in the order given.
    drizzlepac : DrizzlepacNumbers
    """

    product: str
    pixel_scale_arcsec: float
    region: OverlapRegion | None
    focus: FocusMeasurements
    similarity: SimilarityMeasurements
    registration: tuple[Registration, ...]
    sharpness: tuple[ExposureSharpness, ...]
    drizzlepac: DrizzlepacNumbers


@frozen
class VerificationCheck:
    """One comparison of a value with its threshold.

    Attributes
    ----------
    quantity : Quantity
        What was compared.
    rootname : str or None
        The exposure concerned; None for the product as a whole.
    outcome : CheckOutcome
    value, threshold : float or None
        In the unit of the quantity: pixels for residuals, a pure number otherwise.
    margin : float or None
        How far the value is on the good side of the threshold, in the same unit; negative for a failure.
    decisive : bool
        Whether this check takes part in the verdict; the others are there to be read.
    reason : str
        The comparison in words.
    """

    quantity: Quantity
    rootname: str | None
    outcome: CheckOutcome
    value: float | None
    threshold: float | None
    margin: float | None
    decisive: bool
    reason: str


@frozen
class WorstExposure:
    """The exposure that is farthest from the others.

    Attributes
    ----------
    rootname : str
    offset_pix : float
        Root mean square displacement of its sources, by offset and rotation together.
    ambiguous : bool
        True where two exposures disagree and nothing tells which of them is off.
    """

    rootname: str
    offset_pix: float
    ambiguous: bool


@frozen
class PolicyResult:
    """What one policy concludes.

    Attributes
    ----------
    policy : Policy
    verdict : Verdict
    reason : str
        The verdict in a sentence.
    checks : tuple of VerificationCheck
        What it rests on.
    misaligned : tuple of str
        Exposures that this policy finds off their place.
    degraded : tuple of str
        Exposures that are blurred, trailed or out of focus. That alone makes no misalignment.
    """

    policy: Policy
    verdict: Verdict
    reason: str
    checks: tuple[VerificationCheck, ...]
    misaligned: tuple[str, ...]
    degraded: tuple[str, ...]


@frozen
class Verification:
    """The judgement on one product: the verdict of the policy that decides, beside those of all.

    Attributes
    ----------
    policy : Policy
        The one that decides.
    verdict : Verdict
        Its verdict.
    reason : str
        The verdict in a sentence.
    policies : tuple of PolicyResult
        The result of every policy, in the order of `Policy`.
    worst : WorstExposure or None
        None where no offset could be measured.
    degraded : tuple of str
        Exposures that the deciding policy finds blurred, trailed or out of focus.
    measurements : AlignmentMeasurements
        What was judged.
    """

    policy: Policy
    verdict: Verdict
    reason: str
    policies: tuple[PolicyResult, ...]
    worst: WorstExposure | None
    degraded: tuple[str, ...]
    measurements: AlignmentMeasurements

    @property
    def checks(self) -> tuple[VerificationCheck, ...]:
        """Checks of the policy that decides."""
        return next(result.checks for result in self.policies if result.policy is self.policy)


@frozen
class ProductComparison:
    """One product against another of the same exposures under a different WCS.

    Attributes
    ----------
    product, reference : str
        Names of the two.
    dx_pix, dy_pix : float or None
        Bulk shift of the product's sources against the reference's at the centre of the sources,
        removed before the comparison.
    rotation_deg : float or None
        Bulk rotation removed, positive from +x to +y.
    sigma_pix : float or None
        Standard error of the shift.
    n_sources : int
        Sources that determined it.
    scatter_pix : float or None
        Scatter of the sources about the bulk motion, per axis.
    index : float or None
        Mean squared difference over mean squared signal after the bulk motion was removed: 0 is equal, 1
        means as much difference as signal; None where it could not be measured.
    verdict : Verdict
        ALIGNED where the index is below the threshold.
    check : VerificationCheck
        The comparison.
    """

    product: str
    reference: str
    dx_pix: float | None
    dy_pix: float | None
    rotation_deg: float | None
    sigma_pix: float | None
    n_sources: int
    scatter_pix: float | None
    index: float | None
    verdict: Verdict
    check: VerificationCheck


@frozen
class GuidingCheck:
    """Shapes of the bright compact sources of one exposure.

    Attributes
    ----------
    rootname : str
    outcome : GuidingOutcome
    n_sources : int
        Sources measured.
    elongation : float or None
        Length of the mean ellipticity vector, (a^2 - b^2) / (a^2 + b^2): 0 for round sources.
    sigma : float or None
        Its standard error.
    position_angle_deg : float or None
        Direction of the common elongation, degrees from +x towards +y, 0 to 180.
    threshold : float
        Elongation above which sources count as trailed.
    reason : str
    """

    rootname: str
    outcome: GuidingOutcome
    n_sources: int
    elongation: float | None
    sigma: float | None
    position_angle_deg: float | None
    threshold: float
    reason: str
