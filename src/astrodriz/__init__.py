"""Verified alignment and drizzle combination of Hubble exposures, with every decision recorded.

These names are what other programs use; a name that goes is announced with a `DeprecationWarning` one release before.
Everything deeper is private to the project and may move at any time. A name is loaded when it is first used, so that
``import astrodriz`` takes a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from astrodriz import errors

if TYPE_CHECKING:
    from astrodriz_core.errors import AstrodrizError
    from astrodriz_core.measure.images import DrizzledImage, VerificationParameters
    from astrodriz_core.parameters.alignment import AlignmentParameters, alignment_parameters
    from astrodriz_core.parameters.drizzle import DrizzleParameters, with_values
    from astrodriz_core.records.common import Stage, Verdict, WcsOrigin
    from astrodriz_core.records.run import RunOutcome, RunRecord, StageOutcome, StageRecord
    from astrodriz_core.records.verification import AlignmentMeasurements, Policy, Verification
    from astrodriz_core.tell.diff import describe_changes, diff
    from astrodriz_core.tell.explain import explain
    from astrodriz_core.verify.comparison import compare_products
    from astrodriz_core.verify.focus import focus_index, z_score
    from astrodriz_core.verify.guiding import check_guiding
    from astrodriz_core.verify.measurement import measure_alignment
    from astrodriz_core.verify.verification import judge
    from astrodriz_io.inputs.parameters import drizzle_parameters
    from astrodriz_io.record_files.record import dump_record, read_record
    from astrodriz_io.replay.replay import ReplayResult, replay
    from astrodriz_io.run.pipeline import process, run_association
    from astrodriz_io.run.plan import plan
    from astrodriz_io.run.settings import Settings, settings_from_environment
    from astrodriz_io.run.verification import verify
    from astrodriz_io.runtime.progress import ProgressReporter, SilentProgress
    from astrodriz_io.simulate import SimulatedAssociation, SimulationSpec, score_wcs, simulate_association

__all__ = [
    "AlignmentMeasurements",
    "AlignmentParameters",
    "AstrodrizError",
    "DrizzleParameters",
    "DrizzledImage",
    "Policy",
    "ProgressReporter",
    "ReplayResult",
    "RunOutcome",
    "RunRecord",
    "Settings",
    "SilentProgress",
    "SimulatedAssociation",
    "SimulationSpec",
    "Stage",
    "StageOutcome",
    "StageRecord",
    "Verdict",
    "Verification",
    "VerificationParameters",
    "WcsOrigin",
    "alignment_parameters",
    "check_guiding",
    "compare_products",
    "describe_changes",
    "diff",
    "drizzle_parameters",
    "dump_record",
    "errors",
    "explain",
    "focus_index",
    "judge",
    "measure_alignment",
    "plan",
    "process",
    "read_record",
    "replay",
    "run_association",
    "score_wcs",
    "settings_from_environment",
    "simulate_association",
    "verify",
    "with_values",
    "z_score",
]

_HOMES: Mapping[str, str] = MappingProxyType(
    {
        "AstrodrizError": "astrodriz_core.errors",
        "AlignmentParameters": "astrodriz_core.parameters.alignment",
        "alignment_parameters": "astrodriz_core.parameters.alignment",
        "DrizzleParameters": "astrodriz_core.parameters.drizzle",
        "with_values": "astrodriz_core.parameters.drizzle",
        "Stage": "astrodriz_core.records.common",
        "Verdict": "astrodriz_core.records.common",
        "WcsOrigin": "astrodriz_core.records.common",
        "RunOutcome": "astrodriz_core.records.run",
        "RunRecord": "astrodriz_core.records.run",
        "StageOutcome": "astrodriz_core.records.run",
        "StageRecord": "astrodriz_core.records.run",
        "AlignmentMeasurements": "astrodriz_core.records.verification",
        "Policy": "astrodriz_core.records.verification",
        "Verification": "astrodriz_core.records.verification",
        "describe_changes": "astrodriz_core.tell.diff",
        "diff": "astrodriz_core.tell.diff",
        "explain": "astrodriz_core.tell.explain",
        "compare_products": "astrodriz_core.verify.comparison",
        "focus_index": "astrodriz_core.verify.focus",
        "z_score": "astrodriz_core.verify.focus",
        "check_guiding": "astrodriz_core.verify.guiding",
        "DrizzledImage": "astrodriz_core.measure.images",
        "VerificationParameters": "astrodriz_core.measure.images",
        "measure_alignment": "astrodriz_core.verify.measurement",
        "judge": "astrodriz_core.verify.verification",
        "drizzle_parameters": "astrodriz_io.inputs.parameters",
        "dump_record": "astrodriz_io.record_files.record",
        "read_record": "astrodriz_io.record_files.record",
        "ReplayResult": "astrodriz_io.replay.replay",
        "replay": "astrodriz_io.replay.replay",
        "process": "astrodriz_io.run.pipeline",
        "run_association": "astrodriz_io.run.pipeline",
        "plan": "astrodriz_io.run.plan",
        "Settings": "astrodriz_io.run.settings",
        "settings_from_environment": "astrodriz_io.run.settings",
        "verify": "astrodriz_io.run.verification",
        "ProgressReporter": "astrodriz_io.runtime.progress",
        "SilentProgress": "astrodriz_io.runtime.progress",
        "SimulatedAssociation": "astrodriz_io.simulate",
        "SimulationSpec": "astrodriz_io.simulate",
        "score_wcs": "astrodriz_io.simulate",
        "simulate_association": "astrodriz_io.simulate",
    }
)
"""Where each name is loaded from; a test compares it with the imports that type checkers see."""


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'astrodriz' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
