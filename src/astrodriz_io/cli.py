"""The two console commands. Here, and nowhere else, something is printed and a process ends with a code."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

from astrodriz_core.errors import AstrodrizError, UsageError
from astrodriz_io.commands.answer import Answer, printed
from astrodriz_io.commands.common_options import Examples, add_examples, add_output_options
from astrodriz_io.runtime.log import logged_to_terminal
from astrodriz_io.runtime.progress import progress_for
from astrodriz_io.runtime.signals import SIGNALLED, Stopped, stoppable
from astrodriz_io.storage.disk import storage_errors
from astrodriz_io.terminal.aftermath import CRASH_REPORT, Aftermath, aftermath_of, cause_of
from astrodriz_io.terminal.exit_codes import EXIT_INTERNAL, exit_code
from astrodriz_io.terminal.messages import JSON_ERRORS, tell_error
from astrodriz_io.terminal.start_checks import loading

__all__ = ["astrodriz", "parsers", "runastrodriz"]

COMMANDS: Mapping[str, str] = {
    "run": "Verify, align and combine the exposures of one association or one single exposure.",
    "info": "Say what an input is and has, and what a run would do with it; change nothing.",
    "verify": "Measure the alignment of exposures as they stand; change nothing.",
    "parameters": "Print the drizzle parameters in force as TOML that can be fed back.",
    "catalog": "Fill, list or query the local cache of astrometric catalogues.",
    "replay": "Make the files of a run again from its record.",
    "explain": "Tell in plain words why the WCS of a run won.",
    "report": "Make the report page of a run again from its record.",
    "diff": "Tell what changed between two runs.",
    "completion": "Print what a shell needs to complete the commands.",
    "schema": "Print the JSON schema of the record of a run.",
    "clean": "List, or remove, what runs that were killed have left in a folder.",
    "simulate": "Simulate an association with a known truth.",
    "demo": "Simulate an association with a misplaced pointing, process it, and compare with the truth.",
}
"""Each is a module of `astrodriz_io.commands`, which is imported when it is asked for."""

EXAMPLES: Examples = (
    ("astrodriz verify ie6d07030_asn.fits", "are these exposures aligned? changes nothing"),
    ("astrodriz run ie6d07030_asn.fits", "the whole job, as runastrodriz does it"),
    ("astrodriz explain ie6d07030_decisions.json", "why the products have their WCS"),
)


def runastrodriz(arguments: Sequence[str] | None = None) -> int:
    """Entry point of ``runastrodriz``: process one association or exposure."""
    parser = _Parser(prog="runastrodriz", description=COMMANDS["run"])
    _prepare("run", parser)
    return _act(parser, arguments)


def astrodriz(arguments: Sequence[str] | None = None) -> int:
    """Entry point of ``astrodriz`` with its subcommands."""
    words = sys.argv[1:] if arguments is None else arguments
    asked = next((word for word in words if not word.startswith("-")), None)
    return _act(_commands_parser(*(name for name in COMMANDS if name == asked)), words)


def parsers() -> Mapping[str, argparse.ArgumentParser]:
    """The whole parsers of both programs; this loads all commands."""
    run = _Parser(prog="runastrodriz", description=COMMANDS["run"])
    _prepare("run", run)
    return {"runastrodriz": run, "astrodriz": _commands_parser(*COMMANDS)}


def _commands_parser(*prepared: str) -> _Parser:
    """The parser of ``astrodriz``, in which some commands have their options."""
    parser = _Parser(prog="astrodriz", description="Verified alignment and drizzle of Hubble data.")
    add_examples(parser, EXAMPLES)
    parser.add_argument("--version", action="version", version=f"astrodriz {version('astrodriz')}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, sentence in COMMANDS.items():
        command = commands.add_parser(name, help=sentence, description=sentence)
        if name in prepared:
            _prepare(name, command)
    return parser


def _prepare(name: str, parser: argparse.ArgumentParser) -> None:
    """Add the options of a command to its parser, and what it does."""
    with loading():
        command = import_module(f"astrodriz_io.commands.{name}")
    add_examples(parser, command.EXAMPLES)
    actions: Sequence[argparse.ArgumentParser] = command.add_arguments(parser) or (parser,)
    if getattr(command, "HAS_RESULT", True):
        add_output_options(actions, verbose=getattr(command, "VERBOSE", ("-v", "--verbose")))
    for each in actions:
        each.add_argument(JSON_ERRORS, action="store_true", help="tell of an error in one line of JSON")
    parser.set_defaults(
        command=name, act=command.act, needs=getattr(command, "NEEDS", ()), parsers=parsers,
        quiet=False, json=False, verbose=False,
    )  # fmt: skip


def _do(parsed: argparse.Namespace) -> int:
    """Do what the command line asks for, and print what there is to say."""
    with logged_to_terminal(verbose=parsed.verbose):
        with progress_for(quiet=parsed.quiet) as progress:
            answer: Answer = parsed.act(parsed, progress)
        for line in printed(answer, parsed.command, as_json=parsed.json, quiet=parsed.quiet):
            _say(line)
    return answer.code


class _Parser(argparse.ArgumentParser):
    """Raises a `UsageError` where argparse would print and exit by itself."""

    def parsed(self, words: Sequence[str]) -> argparse.Namespace:
        """The arguments; newpath is understood behind options too, where argparse would not look for it."""
        parsed, rest = self.parse_known_args(words)
        if len(rest) == 1 and not rest[0].startswith("-") and getattr(parsed, "newpath", rest) is None:
            parsed.newpath = Path(rest[0])
        elif rest:
            self.error(f"unrecognized arguments: {' '.join(rest)}")
        return parsed

    def error(self, message: str) -> NoReturn:
        """Refuse the command line."""
        problem = f"{message[:1].upper()}{message[1:]}."
        raise UsageError(problem, remedy=f"See {self.prog} -h.")


def _act(parser: _Parser, arguments: Sequence[str] | None) -> int:
    """Parse, act, and turn what goes wrong into a message and an exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    # Looked for before parsing, since the parsing itself may be what fails.
    tell = partial(tell_error, parser.prog, as_json=JSON_ERRORS in words)
    try:
        with _without_warnings(), storage_errors(""):
            parsed = parser.parsed(words)
            with loading():
                # Before signals become exceptions: an exception would be lost in some places of the imports.
                for module in parsed.needs:
                    import_module(module)
            with stoppable():
                return _do(parsed)
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


def _say(line: str) -> None:
    # Names of files may have bytes that are no text, and the terminal may not have all letters.
    encoding = sys.stdout.encoding or "utf-8"
    with storage_errors("standard output"):
        try:
            sys.stdout.write(f"{line}\n".encode(encoding, "backslashreplace").decode(encoding))
            sys.stdout.flush()
        except OSError:
            # What is still to be written would fail again, and with a traceback, when the interpreter goes down.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise
