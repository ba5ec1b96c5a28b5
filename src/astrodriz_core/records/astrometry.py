"""Records of sources, a priori solutions, fits to a catalogue, and the choice between WCS solutions."""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from astrodriz_core.parameters.choices import FitGeometry
from astrodriz_core.records.common import Verdict, WcsOrigin

__all__ = [
    "AbsoluteFit",
    "AlignmentOutcome",
    "AposterioriRecord",
    "AprioriExposure",
    "AprioriOutcome",
    "AprioriRecord",
    "CatalogProvenance",
    "ChipSources",
    "ExposureSources",
    "FitAttempt",
    "FitCheck",
    "FitQuality",
    "GuideStarOffset",
    "HoldOut",
    "MatchMethod",
    "OfferedSolution",
    "PsfOrigin",
    "RegistrationChange",
    "RelativeExposure",
    "RelativeFit",
    "SolutionOrigin",
    "SourceCounts",
    "WcsCandidate",
    "WcsSelection",
]


class PsfOrigin(Enum):
    """Where a PSF kernel comes from."""

    IMAGE = "image"
    PUBLISHED = "published FWHM"


class SolutionOrigin(Enum):
    """Where an a priori solution comes from."""

    EMBEDDED = "headerlet in the exposure"
    FOLDER = "folder of headerlets"
    DATABASE = "astrometry database"
    GUIDE_STARS = "guide star offsets"


class MatchMethod(Enum):
    """Where the offset between sources and catalogue is searched before nearest neighbours are taken."""

    HISTOGRAM = "2-D histogram of all offsets"
    DEFAULT = "near the present WCS"


class FitQuality(Enum):
    """The archive's code for a fit."""

    VALID = 1
    """Valid, RMS below MAX_FIT_RMS."""
    COMPROMISED = 2
    """Valid and RMS below MAX_FIT_RMS, but a check that does not invalidate it failed."""
    LARGE_RMS = 3
    """Valid, RMS above MAX_FIT_RMS."""
    COMPROMISED_LARGE_RMS = 4
    """Compromised, and RMS above MAX_FIT_RMS."""
    NOT_VALID = 5


class AprioriOutcome(Enum):
    """How the a priori stage ended."""

    APPLIED = "applied"
    ALREADY_PRIMARY = "already primary"
    NONE_OFFERED = "none offered"
    REFUSED = "refused"
    """Solutions were offered, and none of one family passed its checks for every exposure."""
    UNAVAILABLE = "source unavailable"


class AlignmentOutcome(Enum):
    """How the a posteriori stage ended."""

    ALIGNED = "aligned"
    ALIGNED_RELATIVELY = "aligned to each other only"
    """No catalogue gave a good fit, but the exposures were far enough from each other to be brought together."""
    NOT_BETTER = "not better than the WCS before"
    NO_VALID_FIT = "no valid fit"
    TOO_FEW_SOURCES = "too few sources"
    TOO_FEW_CATALOG_SOURCES = "too few catalogue sources"
    NO_CATALOG = "no catalogue available"
    NOT_ALIGNABLE = "exposures cannot be aligned"


@frozen
class FitCheck:
    """One thing that was checked.

    Attributes
    ----------
    name : str
    value : float or None
        What was measured; None where the check has no figure or it could not be measured.
    threshold : float or None
        What it was compared with.
    passed : bool
    reason : str
        The comparison in words, with units.
    """

    name: str
    value: float | None
    threshold: float | None
    passed: bool
    reason: str


@frozen
class SourceCounts:
    """How many sources of a chip were found, kept, and left out for each reason.

    A source may be counted under several reasons.
    """

    detected: int
    kept: int
    saturated: int
    cosmic_ray: int
    bad_pixel: int
    edge: int
    not_a_source: int
    psf_fwhm: float
    """Pixels."""
    psf_stars: int
    psf_origin: PsfOrigin

    @classmethod
    def none(cls, psf_fwhm: float) -> SourceCounts:
        """The counts of a chip without a usable pixel."""
        return cls(0, 0, 0, 0, 0, 0, 0, psf_fwhm, 0, PsfOrigin.PUBLISHED)


@frozen
class ChipSources:
    """Sources of the chip with this EXTVER."""

    extver: int
    counts: SourceCounts


@frozen
class ExposureSources:
    """Sources of one exposure; `skipped` says why an exposure was not searched."""

    rootname: str
    chips: tuple[ChipSources, ...]
    skipped: str | None = None


@frozen
class OfferedSolution:
    """An a priori solution that was offered for an exposure.

    Attributes
    ----------
    wcsname, hdrname : str
    origin : SolutionOrigin
    attached : bool
        It is now an HDRLET extension of the exposure (or was one already).
    checks : tuple of FitCheck
        Empty where it was not a candidate for the primary WCS.
    refused : str or None
        Why it was not attached, or could not become primary; None where nothing speaks against it.
    """

    wcsname: str
    hdrname: str
    origin: SolutionOrigin
    attached: bool
    checks: tuple[FitCheck, ...] = ()
    refused: str | None = None


@frozen
class GuideStarOffset:
    """Offset of the guide star's catalogue position, old to new.

    Attributes
    ----------
    east_arcsec, north_arcsec : float
        On the sky.
    catalog : str
        The newer guide star catalogue, such as GSC240.
    """

    east_arcsec: float
    north_arcsec: float
    catalog: str


@frozen
class AprioriExposure:
    """What the a priori stage did to one exposure.

    Attributes
    ----------
    rootname : str
    before : str
        WCSNAME of the primary WCS before.
    after : str
        WCSNAME of the primary WCS afterwards.
    best : str or None
        The solution that the source calls the best.
    offered : tuple of OfferedSolution
    east_mas, north_mas : float or None
        By how much the centre of the exposure moved on the sky; None where nothing was applied.
    rotation_deg : float or None
        By how much it turned, east of north.
    guide_stars : GuideStarOffset or None
        The offset of which a new solution was made.
    """

    rootname: str
    before: str
    after: str
    best: str | None
    offered: tuple[OfferedSolution, ...]
    east_mas: float | None = None
    north_mas: float | None = None
    rotation_deg: float | None = None
    guide_stars: GuideStarOffset | None = None


@frozen
class AprioriRecord:
    """What the a priori stage decided for the association.

    Attributes
    ----------
    outcome : AprioriOutcome
    family : str or None
        The kind of solution that every exposure got, such as HSC30.
    reason : str
    exposures : tuple of AprioriExposure
    relative_change_mas : float or None
        RMS over the exposures of the movement of each against their mean: what the a priori solutions do to
        the alignment of the exposures among themselves.
    not_tried : str or None
        What could not be asked, and why; None where everything was.
    warnings : tuple of str
        What a user has to know: solutions that were renamed.
    """

    outcome: AprioriOutcome
    family: str | None
    reason: str
    exposures: tuple[AprioriExposure, ...]
    relative_change_mas: float | None = None
    not_tried: str | None = None
    warnings: tuple[str, ...] = ()


@frozen
class CatalogProvenance:
    """Where the rows of an astrometric catalogue come from.

    Attributes
    ----------
    name : str
        Such as GAIAeDR3.
    origin : str or None
        Kind of source and file name or host; never a path of this machine. None where it gave no answer.
    rows : int
    sha256 : str or None
        Digest of positions, magnitudes, motions and epochs, as little-endian float64, row by row; None without rows.
    epoch : float
        Decimal year of the positions used.
    reference_epoch : float or None
        Median decimal year of the catalogue's own positions.
    with_proper_motion : int
        Rows whose position was moved to `epoch`.
    problem : str or None
        Why there are no rows; None where the query succeeded.
    """

    name: str
    origin: str | None
    rows: int
    sha256: str | None
    epoch: float
    reference_epoch: float | None
    with_proper_motion: int
    problem: str | None = None


@frozen
class RelativeExposure:
    """One exposure in the relative fit.

    Attributes
    ----------
    rootname : str
    matches : int
        Sources that it shares with other exposures.
    east_mas, north_mas, rotation_deg : float or None
        The measured correction, from the exposure to the others; None where it could not be measured.
    error_mas : float or None
        One-sigma error of the correction along one axis.
    rotation_error_deg : float or None
    significance : float or None
        Square of the shift over its error (chi squared with 2 degrees of freedom).
    fraction : float
        How much of the measured shift was applied: 0 where it is not significant, near 1 where it is.
    rotation_applied : bool
    reason : str
    """

    rootname: str
    matches: int
    east_mas: float | None
    north_mas: float | None
    rotation_deg: float | None
    error_mas: float | None
    rotation_error_deg: float | None
    significance: float | None
    fraction: float
    rotation_applied: bool
    reason: str


@frozen
class RegistrationChange:
    """Alignment of the exposures among themselves, before and after, on sources that took no part in the fit.

    Attributes
    ----------
    before_mas, after_mas : float
        RMS of the measured offsets of the exposures from their common position.
    error_mas : float
        One-sigma error of these offsets; where the exposures agree perfectly, about this is measured.
    """

    before_mas: float
    after_mas: float
    error_mas: float


@frozen
class RelativeFit:
    """The fit of the exposures to each other.

    Attributes
    ----------
    exposures : tuple of RelativeExposure
    sources : int
        Sources seen in two exposures or more.
    before_mas, after_mas : float or None
        RMS of the offsets of the exposures from their common position, measured before, and what is left of
        them after the corrections.
    error_mas : float or None
        One-sigma error of those offsets.
    registration : RegistrationChange or None
        The same on sources that took no part in the fit; None for a single exposure, or where too few are shared.
    reason : str
    """

    exposures: tuple[RelativeExposure, ...]
    sources: int
    before_mas: float | None
    after_mas: float | None
    error_mas: float | None
    registration: RegistrationChange | None
    reason: str


@frozen
class AbsoluteFit:
    """One linear fit of the association to a catalogue.

    Attributes
    ----------
    geometry : FitGeometry
    matches : int
        Matches that were used.
    clipped : int
        Matches that were left out as outliers.
    east_mas, north_mas : float
        Shift at the centre of the association.
    rotation_deg : float
        East of north.
    scale : float
        1 where it was not fitted.
    skew_deg : float
        0 where it was not fitted.
    east_error_mas, north_error_mas, rotation_error_deg, scale_error : float or None
        One-sigma errors; None where the parameter was not fitted.
    rms_ra_mas, rms_dec_mas : float
        RMS of the residuals along each axis.
    """

    geometry: FitGeometry
    matches: int
    clipped: int
    east_mas: float
    north_mas: float
    rotation_deg: float
    scale: float
    skew_deg: float
    east_error_mas: float | None
    north_error_mas: float | None
    rotation_error_deg: float | None
    scale_error: float | None
    rms_ra_mas: float
    rms_dec_mas: float

    @property
    def rms_mas(self) -> float:
        """Total RMS of the residuals on the sky, mas."""
        return float((self.rms_ra_mas**2 + self.rms_dec_mas**2) ** 0.5)


@frozen
class HoldOut:
    """Residuals on matches that took no part in the fit that predicts them.

    Attributes
    ----------
    folds, matches : int
    before_mas, after_mas : float
        RMS on the sky with the WCS before and with the fit.
    gain_sigma : float
        Mean gain in squared residual over its standard error; infinity where it has none.
    """

    folds: int
    matches: int
    before_mas: float
    after_mas: float
    gain_sigma: float


@frozen
class FitAttempt:
    """One attempt to fit the association to one catalogue.

    Attributes
    ----------
    catalog : str
    method : MatchMethod
    candidates : int
        Matches before the fit.
    fit : AbsoluteFit or None
    quality : FitQuality
    checks : tuple of FitCheck
    holdout : HoldOut or None
    reason : str
    """

    catalog: str
    method: MatchMethod
    candidates: int
    fit: AbsoluteFit | None
    quality: FitQuality
    checks: tuple[FitCheck, ...]
    holdout: HoldOut | None
    reason: str


@frozen
class AposterioriRecord:
    """What the a posteriori stage decided for the association.

    Attributes
    ----------
    outcome : AlignmentOutcome
    reason : str
    sources : tuple of ExposureSources
    catalogs : tuple of CatalogProvenance
        Every catalogue that was asked, in order, also those that gave no answer.
    relative : RelativeFit or None
    attempts : tuple of FitAttempt
    chosen : int or None
        Index into `attempts` of the fit that was written to the exposures.
    wcsnames : tuple of str
        The WCSNAME written to each exposure; empty where nothing was written.
    not_tried : str or None
        What could not be asked, and why; None where everything was.
    warnings : tuple of str
        What a user has to know: a solution that was renamed, exposures without a time.
    """

    outcome: AlignmentOutcome
    reason: str
    sources: tuple[ExposureSources, ...]
    catalogs: tuple[CatalogProvenance, ...]
    relative: RelativeFit | None
    attempts: tuple[FitAttempt, ...]
    chosen: int | None
    wcsnames: tuple[str, ...]
    not_tried: str | None = None
    warnings: tuple[str, ...] = ()


@frozen
class WcsCandidate:
    """One of the WCS solutions between which the run chooses.

    Attributes
    ----------
    origin : WcsOrigin
    wcsname : str
        The WCSNAME of the first exposure.
    verdict : Verdict
        What the verification of its product concluded.
    kept : bool
        Its stage kept it after the comparison with the products before.
    registration_mas : float or None
        Measured misalignment of the exposures among themselves.
    registration_error_mas : float or None
    reason : str
        Why its stage kept it or did not.
    """

    origin: WcsOrigin
    wcsname: str
    verdict: Verdict
    kept: bool
    registration_mas: float | None
    registration_error_mas: float | None
    reason: str


@frozen
class WcsSelection:
    """Which WCS wins, and why.

    Attributes
    ----------
    chosen : WcsOrigin
    wcsname : str
    reason : str
    candidates : tuple of WcsCandidate
        In the order in which they were considered, the preferred one first.
    """

    chosen: WcsOrigin
    wcsname: str
    reason: str
    candidates: tuple[WcsCandidate, ...]
