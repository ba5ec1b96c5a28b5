"""The two console commands. Here, and nowhere else, something is printed and a process ends with a code."""

from __future__ import annotations

import argparse
import logging
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from typing import TypeAlias

from astrodriz_core.errors import AstrodrizError
from astrodriz_io.commands.demo import add_demo_arguments, run_demo
from astrodriz_io.commands.parameters import add_parameters_arguments, run_parameters
from astrodriz_io.commands.run import add_run_arguments, describe_run, run_run
from astrodriz_io.commands.simulate import add_simulate_arguments, describe_association, run_simulate
from astrodriz_io.commands.verify import add_verify_arguments, describe_verification, run_verify
from astrodriz_io.exit_codes import EXIT_DONE, EXIT_INTERNAL, VERDICT_CODES, exit_code
from astrodriz_io.progress import progress_for

__all__ = ["astrodriz", "runastrodriz"]

Action: TypeAlias = Callable[[argparse.Namespace], int]

NOISE = (".*is not a flux-conserving kernel.*", ".*Some non-standard WCS keywords were excluded.*")
"""Warnings of the libraries about what is meant to be so; a user can do nothing about them."""


def runastrodriz(arguments: Sequence[str] | None = None) -> int:
    """Entry point of ``runastrodriz``: process one association or exposure."""
    parser = argparse.ArgumentParser(prog="runastrodriz", description=_run.__doc__)
    add_run_arguments(parser)
    return _act(parser, _run, arguments)


def astrodriz(arguments: Sequence[str] | None = None) -> int:
    """Entry point of ``astrodriz`` with its subcommands."""
    parser = argparse.ArgumentParser(prog="astrodriz", description="Verified alignment and drizzle of Hubble data.")
    parser.add_argument("--version", action="version", version=f"astrodriz {version('astrodriz')}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (add_arguments, action) in COMMANDS.items():
        command = commands.add_parser(name, help=action.__doc__, description=action.__doc__)
        add_arguments(command)
        command.set_defaults(action=action)
    return _act(parser, lambda parsed: parsed.action(parsed), arguments)


def _run(parsed: argparse.Namespace) -> int:
    """Verify, align and combine the exposures of one association or one single exposure."""
    with progress_for() as progress:
        record = run_run(parsed, progress)
    _say(describe_run(record))
    return EXIT_DONE


def _simulate(parsed: argparse.Namespace) -> int:
    """Simulate an association with a known truth."""
    _say(describe_association(run_simulate(parsed)))
    return EXIT_DONE


def _demo(parsed: argparse.Namespace) -> int:
    """Simulate an association with a misplaced pointing, process it, and compare with the truth."""
    with progress_for() as progress:
        lines = tuple(run_demo(parsed, progress))
    _say(lines)
    return EXIT_DONE


def _verify(parsed: argparse.Namespace) -> int:
    """Measure the alignment of exposures as they stand; change nothing."""
    with progress_for() as progress:
        verification = run_verify(parsed, progress)
    _say(describe_verification(verification, as_json=parsed.json))
    return VERDICT_CODES[verification.verdict]


def _parameters(parsed: argparse.Namespace) -> int:
    """Print the drizzle parameters in force as TOML that can be fed back."""
    _say(run_parameters(parsed))
    return EXIT_DONE


COMMANDS: dict[str, tuple[Callable[[argparse.ArgumentParser], None], Action]] = {
    "run": (add_run_arguments, _run),
    "verify": (add_verify_arguments, _verify),
    "parameters": (add_parameters_arguments, _parameters),
    "simulate": (add_simulate_arguments, _simulate),
    "demo": (add_demo_arguments, _demo),
}


def _act(parser: argparse.ArgumentParser, action: Action, arguments: Sequence[str] | None) -> int:
    """Parse, act, and turn what goes wrong into a message and an exit code."""
    parsed = parser.parse_args(arguments)
    for message in NOISE:
        warnings.filterwarnings("ignore", message=message)
    logging.captureWarnings(True)
    try:
        return action(parsed)
    except AstrodrizError as error:
        sys.stderr.write(f"{parser.prog}: {error}\n")
        return exit_code(error)
    except KeyboardInterrupt:
        sys.stderr.write(f"{parser.prog}: interrupted; the exposures are as they were.\n")
        return 130
    except Exception:  # noqa: BLE001  (the one place where a defect is reported)
        traceback.print_exc()
        sys.stderr.write(f"{parser.prog}: internal error; the exposures are as they were. Please report it.\n")
        return EXIT_INTERNAL


def _say(lines: Iterable[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
