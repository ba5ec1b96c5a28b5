"""Ctrl-C, SIGTERM and SIGHUP end a command in good order, from its first instant on."""

import errno
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from astrodriz_io.cli import runastrodriz
from astrodriz_io.runtime import signals
from astrodriz_io.runtime.signals import STOPPING, Stopped, handling, stoppable
from astrodriz_io.terminal.aftermath import Aftermath

CODES = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.fixture(autouse=True)
def interrupt_is_not_ignored():
    """As in a program that is started from a terminal; one that a script starts in the background ignores SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def handlers_are_put_back():
    before = [signal.getsignal(number) for number in STOPPING]
    yield
    assert [signal.getsignal(number) for number in STOPPING] == before


@pytest.mark.parametrize("number", STOPPING)
def test_a_signal_raises_and_says_which_it_was(number):
    with pytest.raises(Stopped, match=f"by {number.name}"), stoppable():
        signal.raise_signal(number)


def test_signals_that_follow_at_once_do_not_disturb_the_end():
    ended = []
    with pytest.raises(Stopped, match="SIGTERM"), stoppable():
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            for number in STOPPING:
                signal.raise_signal(number)
            ended.append("in good order")
    assert ended


def test_a_signal_that_comes_much_later_counts_again(monkeypatch):
    monkeypatch.setattr(signals, "QUIET_SECONDS", 0.0)
    with stoppable():
        for number in STOPPING:
            with pytest.raises(Stopped):
                signal.raise_signal(number)


def test_a_signal_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable():
            signal.raise_signal(signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_in_another_thread_handlers_are_left_alone():
    before, seen = signal.getsignal(signal.SIGTERM), []

    def work():
        with handling(lambda *_: None):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def test_a_signal_that_comes_while_an_object_is_finalised_is_not_lost():
    class Finalised:
        def __del__(self):
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Stopped, match="SIGTERM"), stoppable():
        thing = Finalised()
        del thing
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            time.sleep(0.01)


@pytest.mark.parametrize(("number", "code"), CODES)
def test_a_command_that_a_signal_stops_has_the_code_of_a_shell_and_says_what_is_true(number, code, monkeypatch, capsys):
    def stopped(*_args):
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt as error:
            error.add_note(Aftermath.COMPLETE.value)
            raise

    monkeypatch.setattr("astrodriz_io.commands.run.execute_run", stopped)
    assert runastrodriz(["x_asn.fits"]) == code
    assert f"Interrupted by {number.name}" in capsys.readouterr().err
    assert runastrodriz(["x_asn.fits", "--json-errors"]) == code
    told = json.loads(capsys.readouterr().err)
    assert (told["class"], told["exit_code"], told["remedy"]) == ("Interrupted", code, Aftermath.COMPLETE.value)


def test_a_terminal_that_is_gone_changes_nothing(monkeypatch):
    class Gone(io.StringIO):
        def write(self, text):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def hung_up(_, progress):
        progress.stage("Initialise")
        assert list(progress.track(range(2), "counting", 2)) == [0, 1]
        signal.raise_signal(signal.SIGHUP)

    monkeypatch.setattr("astrodriz_io.commands.run.execute_run", hung_up)
    monkeypatch.setattr(sys, "stderr", Gone())
    assert runastrodriz(["x_asn.fits"]) == 129
    monkeypatch.setattr(Gone, "isatty", lambda self: True)
    assert runastrodriz(["x_asn.fits"]) == 129


START = """
import signal, sys
import astrodriz_io.main as main
assert "numpy" not in sys.modules
main.import_module = lambda name: signal.raise_signal({number})
main.runastrodriz()
print("it went on")
"""


@pytest.mark.parametrize(("number", "code"), CODES)
def test_a_signal_during_the_start_ends_it_without_a_traceback(number, code):
    program = START.format(number=int(number))
    end = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert end.returncode == code
    assert end.stderr == "runastrodriz: Interrupted before it had begun. Nothing has been changed.\n"
    assert end.stdout == ""
