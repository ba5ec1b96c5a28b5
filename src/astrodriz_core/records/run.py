"""The record of a whole run: what came in, what each stage found and decided, what went out."""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from astrodriz_core.parameters.drizzle import DrizzleParameters
from astrodriz_core.records.astrometry import AposterioriRecord, AprioriRecord, WcsSelection
from astrodriz_core.records.common import ExposureWcs, Stage
from astrodriz_core.records.drizzling import DrizzleRecord, ExcludedExposure, ProductRecord
from astrodriz_core.records.verification import GuidingCheck, Policy, ProductComparison, Verification

__all__ = [
    "SCHEMA_VERSION",
    "FileDigest",
    "ParameterSource",
    "RunOutcome",
    "RunRecord",
    "SettingsRecord",
    "SoftwareVersion",
    "StageOutcome",
    "StageRecord",
]

SCHEMA_VERSION = 3
"""Version of the layout of `RunRecord` in its JSON form; `astrodriz_io.record_files.migration` knows the older ones."""


class RunOutcome(Enum):
    """How a run ended."""

    DONE = "done"
    OMITTED = "omitted by DRIZCORR"
    """The warnings say which file and value."""


class StageOutcome(Enum):
    """How a stage ended."""

    DONE = "done"
    KEPT = "kept"
    REVERTED = "reverted"
    SKIPPED = "skipped"
    FAILED = "failed"
    """An error of the stage's own; the run goes on with the WCS that it had."""


@frozen
class SettingsRecord:
    """What the user asked for, without the folders of one machine."""

    force: bool
    in_memory: bool
    headerlets: bool
    compute_aposteriori: bool
    apply_apriori: bool
    force_alignment: bool
    verify_guiding: bool
    reset_idctab: bool
    policy: Policy
    catalog: str | None
    headerlet_folder: str | None
    parameter_file: str | None
    parameter_overrides: tuple[tuple[str, str], ...]


@frozen
class SoftwareVersion:
    """A package that took part in the run."""

    name: str
    version: str


@frozen
class FileDigest:
    """A file by its name, without folders, and the SHA-256 of its bytes."""

    name: str
    sha256: str


@frozen
class ParameterSource:
    """Which layer had the last word on one drizzle parameter."""

    name: str
    value: str
    source: str


@frozen
class StageRecord:
    """One stage: the WCS that it had, what was made and measured with it, and what was decided.

    Attributes
    ----------
    stage : Stage
        Which one.
    outcome : StageOutcome
        How it ended.
    reason : str
        Why, in a sentence.
    wcs : tuple of ExposureWcs
        The WCS of every deciding exposure under which this stage made its products.
    drizzle : DrizzleRecord or None
        The combination made in this stage.
    verification : Verification or None
        The judgement on it. The last stage delivers the combination of the one that won, and has its judgement.
    comparison : ProductComparison or None
        Its product against the default product.
    apriori, aposteriori
        What the astrometric part of the stage did.
    companions : DrizzleRecord or None
        The combination of the FLT files beside the FLC files that decide; the last stage alone has it.
    companions_verification : Verification or None
        The judgement on that combination.
    states : tuple of FileDigest
        What this stage made of each exposure: its file name and the SHA-256 of its `ExposureState` in the sidecar.
        The last stage has none, since the files themselves are among the outputs.
    """

    stage: Stage
    outcome: StageOutcome
    reason: str
    wcs: tuple[ExposureWcs, ...] = ()
    drizzle: DrizzleRecord | None = None
    verification: Verification | None = None
    comparison: ProductComparison | None = None
    apriori: AprioriRecord | None = None
    aposteriori: AposterioriRecord | None = None
    companions: DrizzleRecord | None = None
    states: tuple[FileDigest, ...] = ()
    companions_verification: Verification | None = None


@frozen
class RunRecord:
    """Everything that a run decided, and every number that it decided on.

    `detector` and `filter_name` are None in a run that was switched off, since it has not looked at the exposures.
    `excluded` are the exposures that take no part in any stage; their files stay as they are.
    `outputs` are the exposures and headerlets as the run left them; the products have their own records. The
    sidecar holds what is too large for JSON: masks, and headers and tables of the exposures.
    """

    schema_version: int
    root: str
    product: str
    outcome: RunOutcome
    started: str
    detector: str | None
    filter_name: str | None
    settings: SettingsRecord
    software: tuple[SoftwareVersion, ...]
    inputs: tuple[FileDigest, ...]
    references: tuple[FileDigest, ...]
    parameters: DrizzleParameters | None
    parameter_sources: tuple[ParameterSource, ...]
    guiding: tuple[GuidingCheck, ...]
    stages: tuple[StageRecord, ...]
    selection: WcsSelection | None
    products: tuple[ProductRecord, ...]
    files: tuple[str, ...]
    warnings: tuple[str, ...]
    outputs: tuple[FileDigest, ...] = ()
    sidecar: FileDigest | None = None
    excluded: tuple[ExcludedExposure, ...] = ()

    @property
    def left_out(self) -> tuple[ExcludedExposure, ...]:
        """Every exposure that took no part in the run, or in one of its combinations, once each."""
        combined = (stage.drizzle.excluded for stage in self.stages if stage.drizzle is not None)
        found = {each.rootname: each for excluded in (*combined, self.excluded) for each in excluded}
        return tuple(found.values())
