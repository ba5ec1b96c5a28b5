"""What a case may lead to: success, or one line of an error that names its file; nothing else, and nothing left."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import shutil
import signal
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from attrs import frozen
from fuzzing import watched

from astrodriz import AstrodrizError
from astrodriz_io.terminal.exit_codes import EXIT_INTERNAL, exit_code
from hostile.cases import Case, Source

__all__ = ["CommandError", "Enough", "Finding", "Outcome", "judge"]

LONGEST_MESSAGE = 4000
"""Characters; a message may list many files, but none is a page."""

SECONDS: Mapping[str, float] = {"opened": 5.0, "read": 5.0, "prepared": 20.0}
"""Longest processor time of a case; they take some hundredths of a second."""

SECONDS_OF_A_RUN = 60.0
WAITING = 10.0
"""How much longer than that it may take by the clock, on a machine that others use too."""

ALLOWED_AFTER_FAILURE = re.compile(r".*\.tra|made.*")
"""A trailer; and what a case itself makes so that there is something to read."""


class Enough(BaseException):
    """Ends a run at a stage. No `Exception`, so that the run does not report it as its own failure."""


class HangError(BaseException):
    """The time of a case is up."""


@frozen
class CommandError(Exception):
    """A command ended with a code that is not 0: what it wrote to standard error."""

    code: int
    text: str


@frozen
class Finding:
    """What a case did that it must not do."""

    what: str
    where: str = ""
    trace: str = ""

    @property
    def kind(self) -> str:
        """What findings of one cause have in common."""
        return f"{self.what} {self.where}".strip()


@frozen
class Outcome:
    """How a case ended, and what is wrong with that."""

    ending: str
    finding: Finding | None = None


def judge(source: Source, case: Case, scratch: Path) -> Outcome:
    """Lay out a case in a folder of its own below `scratch`, act, and look at what became of everything."""
    folder = scratch / "case" / "inner"
    shutil.rmtree(scratch / "case", ignore_errors=True)
    folder.mkdir(parents=True)
    laid = source.files(case)
    for name, data in laid.items():
        (folder / name).write_bytes(data)
    ending, finding = _acted(source, case, folder)
    may_change = source.may_change(case) if ending == "done" else ()
    return Outcome(ending, finding or _left(folder, laid, may_change, ending))


def _acted(source: Source, case: Case, folder: Path) -> tuple[str, Finding | None]:
    said = io.StringIO()
    limit = SECONDS.get(case.depth, SECONDS_OF_A_RUN)
    before = time.process_time()
    try:
        with _surrounded(folder, said) as outside, _limited(limit * WAITING):
            source.act(case, folder)
        ending, finding = "done", None
    except Enough:
        ending, finding = "done", None
    except CommandError as error:
        ending, finding = f"exit {error.code}", _of_command(error, source.told(case))
    except AstrodrizError as error:
        ending, finding = type(error).__name__, _of_error(error, source.told(case))
    except HangError:
        return "hang", Finding("takes too long", _place(traceback.format_exc()), traceback.format_exc())
    except Exception as error:  # noqa: BLE001  (what a case may raise is the question)
        trace = traceback.format_exc()
        return "escape", Finding(f"{type(error).__name__} escapes", _place(trace), trace)
    used = time.process_time() - before
    if finding is None and outside and not source.names_files:
        finding = Finding("touches what lies outside", sorted(set(outside))[0])
    if finding is None and said.getvalue():
        finding = Finding("speaks out of turn", said.getvalue()[:100])
    if finding is None and used > limit:
        finding = Finding("takes too long", f"{used:.0f} s")
    return ending, finding


def _of_error(error: AstrodrizError, told: Sequence[str]) -> Finding | None:
    if exit_code(error) == EXIT_INTERNAL:
        return Finding("exit 70 for a bare error", repr(error))
    what = "an error without a problem" if not error.problem.strip() else _of_message(str(error), told)
    if what is None:
        return None
    trace = "".join(traceback.format_exception(error))
    return Finding(what, _place(trace), trace)


def _of_command(error: CommandError, told: Sequence[str]) -> Finding | None:
    lines = [line for line in error.text.split("\n") if line and not line.startswith(("==", "   "))]
    if error.code == EXIT_INTERNAL or "Traceback" in error.text:
        return Finding("exit 70", _place(error.text) or str(lines[-1:])[:100], error.text)
    if len(lines) != 1:
        return Finding(f"{len(lines)} lines in place of one message", str(lines[:3]), error.text)
    what = _of_message(lines[0], told)
    return None if what is None else Finding(what, "", error.text)


def _of_message(message: str, told: Sequence[str]) -> str | None:
    """What is wrong with a message; None for a good one."""
    if not message.isprintable():
        return "a message that cannot be printed in one line"
    if len(message) > LONGEST_MESSAGE:
        return "a message as long as a page"
    if told and not any(word in message for word in told):
        return "a message that names no file"
    return None


def _left(folder: Path, laid: Mapping[str, bytes], may_change: Sequence[str], ending: str) -> Finding | None:
    """What became of the files, and what else is there."""
    outside = sorted({path.name for path in folder.parent.iterdir()} - {folder.name})
    if outside:
        return Finding("writes outside of its folder", str(outside))
    there = {path.name: path for path in folder.iterdir()}
    for name, data in laid.items():
        if name not in there or (name not in may_change and there[name].read_bytes() != data):
            return Finding("changes an input", name)
    new = sorted(set(there) - set(laid))
    hidden = [name for name in new if name.startswith(".")]
    if hidden:
        return Finding("leaves hidden files", str(hidden))
    unwanted = [name for name in new if not may_change and not ALLOWED_AFTER_FAILURE.fullmatch(name)]
    return Finding("leaves files after a failure", str(unwanted)) if unwanted and ending != "done" else None


@contextlib.contextmanager
def _surrounded(folder: Path, said: io.StringIO) -> Iterator[list[str]]:
    """Watch files and output; give libraries a temporary folder that has to be empty afterwards."""
    temporary = folder.parent / "temporary"
    temporary.mkdir()
    former, tempfile.tempdir = tempfile.tempdir, str(temporary)
    quiet = logging.NullHandler()
    logging.getLogger("astrodriz_io").addHandler(quiet)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
            watched(folder) as outside,
        ):
            warnings.simplefilter("ignore")
            yield outside
    finally:
        logging.getLogger("astrodriz_io").removeHandler(quiet)
        tempfile.tempdir = former
        with contextlib.suppress(OSError):
            # Where it is not empty it stays, and is found.
            temporary.rmdir()


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    def ring(*_: object) -> None:
        raise HangError

    former = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


def _place(trace: str) -> str:
    """The innermost line of our own in a traceback."""
    ours = [line.strip() for line in trace.splitlines() if "/src/astrodriz" in line]
    return ours[-1].split("/src/")[-1].replace('"', "") if ours else ""
