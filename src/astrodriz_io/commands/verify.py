"""``astrodriz verify``: the alignment of exposures as they stand, measured on private copies."""

from __future__ import annotations

import argparse
import logging
import os
from functools import partial
from pathlib import Path
from typing import Any

from astrodriz_core.records.verification import PolicyResult, Verification
from astrodriz_core.tell.agreement import agreement
from astrodriz_io.commands.answer import Answer
from astrodriz_io.commands.common_options import Examples
from astrodriz_io.commands.setting_arguments import add_setting_arguments, settings_from_arguments
from astrodriz_io.run.settings import settings_from_environment
from astrodriz_io.runtime.progress import ProgressReporter
from astrodriz_io.terminal.exit_codes import VERDICT_CODES

__all__ = ["EXAMPLES", "NEEDS", "act", "add_arguments", "describe_verification", "execute_verify"]

NEEDS = ("astrodriz_io.run.verification",)
"""Loaded when the command line has been understood, which then takes no second."""

logger = logging.getLogger(__name__)


EXAMPLES: Examples = (
    ("astrodriz verify ie6d07030_asn.fits", "measure and judge the alignment as it stands"),
    (
        "astrodriz verify --policy documented --json ie6d07030_asn.fits",
        "by the published rules, for a program",
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``astrodriz verify`` to its parser."""
    parser.add_argument("input", type=Path, help="<root>_asn.fits, <root>_raw.fits, or a _flt.fits or _flc.fits")
    add_setting_arguments(parser, "policy")
    add_setting_arguments(parser, "wait", "num_cores")


def execute_verify(arguments: argparse.Namespace, progress: ProgressReporter) -> Verification:
    """Verify what the command line asks for."""
    from astrodriz_io.run.verification import verify

    settings, notes = settings_from_environment(settings_from_arguments(arguments), os.environ)
    for note in notes:
        logger.warning("%s", note)
    return verify(arguments.input, settings, progress)


def describe_verification(verification: Verification) -> tuple[str, ...]:
    """Lines for the user."""
    lines = [f"{verification.verdict.value} by policy {verification.policy.value}: {verification.reason}"]
    for registration in verification.measurements.registration:
        if registration.dx_pix is None or registration.dy_pix is None or registration.sigma_pix is None:
            lines.append(f"  {registration.rootname}: not measured: {registration.reason}")
        else:
            lines.append(
                f"  {registration.rootname}: {registration.dx_pix:+.3f} {registration.dy_pix:+.3f} "
                f"+- {registration.sigma_pix:.3f} pixel, {registration.n_sources} sources"
            )
    for check in verification.checks:
        who = f" of {check.rootname}" if check.rootname else ""
        reason = check.reason.removeprefix(f"{check.rootname}: ")
        lines.append(f"  {check.outcome.value}: {check.quantity.value}{who}: {reason}")
    return (*lines, f"{agreement(verification)} Nothing was changed.")


def _tree(verification: Verification) -> dict[str, Any]:
    measured = verification.measurements
    worst = verification.worst
    return {
        "verdict": verification.verdict.value,
        "reason": verification.reason,
        "policy": verification.policy.value,
        "policies": {result.policy.value: _policy(result) for result in verification.policies},
        "focus": {
            "product": measured.focus.product.value,
            "z_score": measured.focus.product.z_score,
            "exposures": {focus.name: focus.value for focus in measured.focus.exposures},
        },
        "similarity": {
            "index": measured.similarity.index,
            "exposures": {similarity.rootname: similarity.index for similarity in measured.similarity.exposures},
        },
        "registration": [
            {
                "rootname": registration.rootname,
                "dx_pix": registration.dx_pix,
                "dy_pix": registration.dy_pix,
                "sigma_pix": registration.sigma_pix,
                "n_sources": registration.n_sources,
            }
            for registration in measured.registration
        ],
        "worst": None if worst is None else {"rootname": worst.rootname, "pixels": worst.offset_pix},
        "degraded": list(verification.degraded),
    }


def _policy(result: PolicyResult) -> dict[str, Any]:
    return {"verdict": result.verdict.value, "reason": result.reason, "misaligned": list(result.misaligned)}


def act(arguments: argparse.Namespace, progress: ProgressReporter) -> Answer:
    """Verify; the exit code tells the verdict."""
    verification = execute_verify(arguments, progress)
    code = VERDICT_CODES[verification.verdict]
    return Answer(describe_verification(verification), code, result=partial(_tree, verification))
