"""On a system without the modules and flags of POSIX every module is imported; what cannot be done there is said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ELSEWHERE = """
import os, pkgutil, signal, sys
from importlib import import_module

PACKAGES = ("astrodriz", "astrodriz_core", "astrodriz_io")

def import_all():
    for package in map(import_module, PACKAGES):
        for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            import_module(found.name)

# What others need of POSIX they have got now; ours are loaded again without it.
import_all()
ours = [name for name in sys.modules if name.partition(".")[0] in PACKAGES]
assert len(ours) > 200, len(ours)
for name in ours:
    del sys.modules[name]
for name in ("fcntl", "resource", "termios", "tty", "pwd", "grp", "syslog"):
    sys.modules[name] = None
for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_DIRECTORY", "fork", "getuid", "sysconf", "fchmod", "pread",
             "pwrite", "statvfs", "sched_getaffinity", "mkfifo"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGHUP", "SIGALRM", "SIGPIPE", "SIGUSR1", "SIGKILL"):
    delattr(signal, name)
import_all()
"""


def elsewhere(script: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "-c", ELSEWHERE + script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere")
    ended = elsewhere(
        """
from pathlib import Path
from astrodriz_core.errors import StorageError
from astrodriz_io.runtime.capacity import available_memory
from astrodriz_io.storage.locking import locked
from astrodriz_io.terminal.start_checks import check_start

check_start()
print(available_memory(Path(sys.argv[1]), Path(sys.argv[1])))
try:
    with locked(Path(sys.argv[1]), ["a"]):
        print("locked")
except StorageError as error:
    print(error)
""",
        folder,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def test_every_module_is_imported_and_limits_that_are_not_there_do_not_count(told):
    assert told[0] == "None"


def test_a_lock_that_cannot_be_had_is_said_with_what_to_do(told):
    assert told[1].startswith("This system has no locks of files (flock)")
    assert "Linux" in told[1]
