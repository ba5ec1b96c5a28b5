"""The two console commands. Here, and nowhere else, something is printed and a process ends with a code."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from typing import NoReturn, TypeAlias

from astrodriz_core.errors import AstrodrizError, UsageError
from astrodriz_io.commands.catalog import add_catalog_arguments, execute_catalog
from astrodriz_io.commands.clean import add_clean_arguments, execute_clean
from astrodriz_io.commands.demo import add_demo_arguments, execute_demo
from astrodriz_io.commands.diff import add_diff_arguments, execute_diff
from astrodriz_io.commands.explain import add_explain_arguments, execute_explain
from astrodriz_io.commands.parameters import add_parameters_arguments, execute_parameters
from astrodriz_io.commands.replay import add_replay_arguments, describe_replay, execute_replay
from astrodriz_io.commands.run import add_run_arguments, describe_run, execute_run
from astrodriz_io.commands.schema import schema_lines
from astrodriz_io.commands.simulate import add_simulate_arguments, describe_association, execute_simulate
from astrodriz_io.commands.verify import add_verify_arguments, describe_verification, execute_verify
from astrodriz_io.run.ending import CRASH_REPORT, Aftermath, aftermath_of, cause_of
from astrodriz_io.runtime.progress import progress_for
from astrodriz_io.runtime.signals import SIGNALLED, Stopped, stoppable
from astrodriz_io.storage.disk import storage_errors
from astrodriz_io.terminal.exit_codes import EXIT_DIFFERENT, EXIT_DONE, EXIT_INTERNAL, VERDICT_CODES, exit_code
from astrodriz_io.terminal.messages import JSON_ERRORS, tell_error

__all__ = ["astrodriz", "runastrodriz"]

Action: TypeAlias = Callable[[argparse.Namespace], int]


def runastrodriz(arguments: Sequence[str] | None = None) -> int:
    """Entry point of ``runastrodriz``: process one association or exposure."""
    parser = _Parser(prog="runastrodriz", description=_run.__doc__)
    add_run_arguments(parser)
    _add_json_errors(parser)
    return _act(parser, _run, arguments)


def astrodriz(arguments: Sequence[str] | None = None) -> int:
    """Entry point of ``astrodriz`` with its subcommands."""
    parser = _Parser(prog="astrodriz", description="Verified alignment and drizzle of Hubble data.")
    parser.add_argument("--version", action="version", version=f"astrodriz {version('astrodriz')}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (add_arguments, action) in COMMANDS.items():
        command = commands.add_parser(name, help=action.__doc__, description=action.__doc__)
        add_arguments(command)
        _add_json_errors(command)
        command.set_defaults(action=action)
    return _act(parser, lambda parsed: parsed.action(parsed), arguments)


def _run(parsed: argparse.Namespace) -> int:
    """Verify, align and combine the exposures of one association or one single exposure."""
    with progress_for() as progress:
        record = execute_run(parsed, progress)
    _say(describe_run(record))
    return EXIT_DONE


def _simulate(parsed: argparse.Namespace) -> int:
    """Simulate an association with a known truth."""
    _say(describe_association(execute_simulate(parsed)))
    return EXIT_DONE


def _demo(parsed: argparse.Namespace) -> int:
    """Simulate an association with a misplaced pointing, process it, and compare with the truth."""
    with progress_for() as progress:
        lines = tuple(execute_demo(parsed, progress))
    _say(lines)
    return EXIT_DONE


def _verify(parsed: argparse.Namespace) -> int:
    """Measure the alignment of exposures as they stand; change nothing."""
    with progress_for() as progress:
        verification = execute_verify(parsed, progress)
    _say(describe_verification(verification, as_json=parsed.json))
    return VERDICT_CODES[verification.verdict]


def _parameters(parsed: argparse.Namespace) -> int:
    """Print the drizzle parameters in force as TOML that can be fed back."""
    _say(execute_parameters(parsed))
    return EXIT_DONE


def _catalog(parsed: argparse.Namespace) -> int:
    """Fill, list or query the local cache of astrometric catalogues."""
    _say(execute_catalog(parsed))
    return EXIT_DONE


def _replay(parsed: argparse.Namespace) -> int:
    """Make the files of a run again from its record."""
    with progress_for() as progress:
        result = execute_replay(parsed, progress)
    _say(describe_replay(result))
    return EXIT_DIFFERENT if result.different else EXIT_DONE


def _explain(parsed: argparse.Namespace) -> int:
    """Tell in plain words why the WCS of a run won."""
    _say(execute_explain(parsed))
    return EXIT_DONE


def _diff(parsed: argparse.Namespace) -> int:
    """Tell what changed between two runs."""
    lines = execute_diff(parsed)
    _say(lines)
    return EXIT_DIFFERENT if lines else EXIT_DONE


def _clean(parsed: argparse.Namespace) -> int:
    """List, or remove, what runs that were killed have left in a folder."""
    for line in execute_clean(parsed):
        _say((line,))
    return EXIT_DONE


def _schema(_: argparse.Namespace) -> int:
    """Print the JSON schema of the record of a run."""
    _say(schema_lines())
    return EXIT_DONE


COMMANDS: dict[str, tuple[Callable[[argparse.ArgumentParser], None], Action]] = {
    "run": (add_run_arguments, _run),
    "verify": (add_verify_arguments, _verify),
    "parameters": (add_parameters_arguments, _parameters),
    "catalog": (add_catalog_arguments, _catalog),
    "replay": (add_replay_arguments, _replay),
    "explain": (add_explain_arguments, _explain),
    "diff": (add_diff_arguments, _diff),
    "schema": (lambda parser: None, _schema),
    "clean": (add_clean_arguments, _clean),
    "simulate": (add_simulate_arguments, _simulate),
    "demo": (add_demo_arguments, _demo),
}


class _Parser(argparse.ArgumentParser):
    """Raises a `UsageError` where argparse would print and exit by itself."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line."""
        problem = f"{message[:1].upper()}{message[1:]}."
        raise UsageError(problem, remedy=f"See {self.prog} -h.")


def _add_json_errors(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(JSON_ERRORS, action="store_true", help="tell of an error in one line of JSON")


def _act(parser: argparse.ArgumentParser, action: Action, arguments: Sequence[str] | None) -> int:
    """Parse, act, and turn what goes wrong into a message and an exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    # Looked for before parsing, since the parsing itself may be what fails.
    tell = partial(tell_error, parser.prog, as_json=JSON_ERRORS in words)
    with stoppable():
        try:
            with _without_warnings(), storage_errors(""):
                return action(parser.parse_args(words))
        except AstrodrizError as error:
            return tell(_with_aftermath(error), type(error).__name__, exit_code(error))
        except KeyboardInterrupt as stopped:
            number = stopped.number if isinstance(stopped, Stopped) else signal.SIGINT
            told = AstrodrizError(f"Interrupted {stopped}".strip() + ".", remedy=aftermath_of(stopped).value)
            return tell(told, "Interrupted", SIGNALLED + number)
        except Exception as error:  # noqa: BLE001  (the one place where a defect is reported)
            return tell(_internal(error), "InternalError", EXIT_INTERNAL, trace=traceback.format_exc())


def _with_aftermath(error: AstrodrizError) -> AstrodrizError:
    """The error, and what it has left where that is not nothing."""
    aftermath = aftermath_of(error)
    if aftermath is Aftermath.UNTOUCHED:
        return error
    return AstrodrizError(error.problem, where=error.where, remedy=f"{error.remedy} {aftermath.value}")


def _internal(error: Exception) -> AstrodrizError:
    """What is told of a defect."""
    return AstrodrizError(
        f"Internal error: {cause_of(error)}.",
        where=" ".join(note for note in getattr(error, "__notes__", ()) if note.startswith(CRASH_REPORT)),
        remedy=f"{aftermath_of(error).value} Please report it.",
    )


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Ignore warnings, which a user can do nothing about, unless Python was started with options for them."""
    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.simplefilter("ignore")
        yield


def _say(lines: Iterable[str]) -> None:
    # Names of files may have bytes that are no text, and the terminal may not have all letters.
    encoding = sys.stdout.encoding or "utf-8"
    with storage_errors("standard output"):
        try:
            sys.stdout.write(
                "".join(f"{line}\n" for line in lines).encode(encoding, "backslashreplace").decode(encoding)
            )
            sys.stdout.flush()
        except OSError:
            # What is still to be written would fail again, and with a traceback, when the interpreter goes down.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise
