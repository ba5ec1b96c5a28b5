"""``astrodriz replay``: the files of a run made again from its record."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from astrodriz_core.errors import UsageError
from astrodriz_core.records.common import Stage
from astrodriz_core.replay_plan import ORIGIN_WORDS
from astrodriz_io.commands.answer import Answer
from astrodriz_io.commands.setting_arguments import add_setting_arguments, settings_from_arguments
from astrodriz_io.runtime.progress import ProgressReporter
from astrodriz_io.terminal.exit_codes import EXIT_DIFFERENT, EXIT_DONE

if TYPE_CHECKING:
    from astrodriz_io.replay.replay import ReplayResult

__all__ = ["NEEDS", "act", "add_arguments", "describe_replay", "execute_replay"]

NEEDS = ("astrodriz_io.replay.replay",)
"""Loaded when the command line has been understood, which then takes no second."""

STAGES: Mapping[str, Stage] = {
    "distortion": Stage.DISTORTION,
    "default": Stage.DEFAULT,
    "apriori": Stage.A_PRIORI,
    "aposteriori": Stage.A_POSTERIORI,
    "final": Stage.FINAL,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``astrodriz replay`` to its parser."""
    parser.add_argument("record", type=Path, help="<root>_decisions.json, with <root>_decisions.zip beside it")
    parser.add_argument("--inputs", type=Path, required=True, metavar="DIR", help="folder of the untouched exposures")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.add_argument(
        "--select", choices=ORIGIN_WORDS, help="make the products with this WCS (default: as in the run)"
    )
    parser.add_argument("--until", choices=STAGES, default="final", help="end with this stage (default %(default)s)")
    add_setting_arguments(parser, "num_cores")
    parser.add_argument("--wait", type=float, default=0.0, metavar="SECONDS",
                        help="wait for another run in the output folder (default: give up at once)")  # fmt: skip


def execute_replay(arguments: argparse.Namespace, progress: ProgressReporter) -> ReplayResult:
    """Replay what the command line asks for; errors as for `astrodriz_io.replay.replay.replay`."""
    from astrodriz_io.replay.replay import replay

    if not arguments.inputs.is_dir():
        raise UsageError("There is no such folder.", where=arguments.inputs.name, remedy="Check --inputs.")
    return replay(
        arguments.record,
        arguments.inputs,
        arguments.output,
        progress,
        origin=ORIGIN_WORDS.get(arguments.select),
        last=STAGES[arguments.until],
        settings=settings_from_arguments(arguments),
    )


def describe_replay(result: ReplayResult) -> Iterator[str]:
    """Lines for the user: what was made, and whether it is what the run had made."""
    plan = result.plan
    yield f"{result.root}: {len(result.files)} files of the stage {plan.last.value!r} with the {plan.origin.value} WCS"
    if not plan.expected:
        yield from (f"  {file.name}" for file in result.files)
        yield "The run left no such files, so there is nothing to compare them with."
    elif not result.different:
        yield "All are identical to those of the run."
    else:
        yield from (f"  {name} is not identical to that of the run" for name in result.different)
        yield from (f"Other software: {package}" for package in result.software)


def act(arguments: argparse.Namespace, progress: ProgressReporter) -> Answer:
    """Replay; the exit code tells whether the files are those of the run."""
    result = execute_replay(arguments, progress)
    return Answer(describe_replay(result), EXIT_DIFFERENT if result.different else EXIT_DONE)
