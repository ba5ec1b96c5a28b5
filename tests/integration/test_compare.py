"""The benchmark of whole jobs: what it sees of a job and of the processes that the job starts."""

import sys

import pytest

from compare import run, table

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")

WORK = """
import subprocess, sys, time
data = b"x" * 60_000_000
if len(sys.argv) > 1:
    subprocess.run([sys.executable, __file__])
time.sleep(1.0)
sys.exit(3)
"""


def test_the_memory_of_all_processes_of_a_job_is_added_up(tmp_path):
    script = tmp_path / "work.py"
    script.write_text(WORK)
    one, two = (run(name, [sys.executable, str(script), *more], tmp_path) for name, more in (("one", ()), ("two", "x")))
    assert 60e6 < one.anonymous < 110e6
    assert 120e6 < two.anonymous < 220e6
    assert one.pss >= one.anonymous
    assert (one.code, two.code) == (3, 3)
    assert one.wall > 1.0
    assert "| two |" in table([one, two])
