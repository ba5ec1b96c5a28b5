"""``astrodriz replay``: the files of a run made again from its record."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astrodriz_core.errors import UsageError
from astrodriz_core.records.common import Stage
from astrodriz_core.replay_plan import ORIGIN_WORDS
from astrodriz_io.commands.answer import Answer
from astrodriz_io.commands.common_options import Examples
from astrodriz_io.commands.setting_arguments import add_setting_arguments, settings_from_arguments
from astrodriz_io.runtime.progress import ProgressReporter
from astrodriz_io.terminal.exit_codes import EXIT_DIFFERENT, EXIT_DONE

if TYPE_CHECKING:
    from astrodriz_io.replay.replay import ReplayResult

__all__ = ["EXAMPLES", "NEEDS", "act", "add_arguments", "describe_replay", "execute_replay"]

NEEDS = ("astrodriz_io.replay.replay",)
"""Loaded when the command line has been understood, which then takes no second."""

STAGES: Mapping[str, Stage] = {
    "distortion": Stage.DISTORTION,
    "default": Stage.DEFAULT,
    "apriori": Stage.A_PRIORI,
    "aposteriori": Stage.A_POSTERIORI,
    "final": Stage.FINAL,
}


EXAMPLES: Examples = (
    ("astrodriz replay ie6d07030_decisions.json --inputs raw --output again", "the same files, byte for byte"),
    (
        "astrodriz replay ie6d07030_decisions.json --inputs raw --output new --select apriori",
        "products with the a priori WCS instead",
    ),
)


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


def describe_replay(result: ReplayResult, output: Path) -> Iterator[str]:
    """Lines for the user: what was made, and whether it is what the run had made."""
    plan = result.plan
    yield f"{result.root}: {len(result.files)} files of the stage {plan.last.value!r} with the {plan.origin.value} WCS"
    if not plan.expected:
        yield from (f"  {file.name}" for file in result.files)
        yield f"The run left no such files, so there is nothing to compare them with. See {output}."
    elif not result.different:
        yield f"All files are identical to those of the run. See {output}."
    else:
        yield from (f"  {name} is not identical to that of the run" for name in result.different)
        yield from (f"Other software: {package}" for package in result.software)
        off, number = len(result.different), len(result.files)
        yield f"{off} of {number} files are not identical to those of the run. See {output}."


def act(arguments: argparse.Namespace, progress: ProgressReporter) -> Answer:
    """Replay; the exit code tells whether the files are those of the run."""
    result = execute_replay(arguments, progress)
    code = EXIT_DIFFERENT if result.different else EXIT_DONE
    return Answer(describe_replay(result, arguments.output), code, result=partial(_tree, result, arguments.output))


def _tree(result: ReplayResult, output: Path) -> Mapping[str, Any]:
    return {
        "root": result.root,
        "stage": result.plan.last.value,
        "origin": result.plan.origin.value,
        "output": str(output),
        "files": [file.name for file in result.files],
        "compared": bool(result.plan.expected),
        "different": list(result.different),
        "other_software": list(result.software),
    }
