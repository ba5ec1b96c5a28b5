"""What a whole job costs: wall time, CPU and memory of all its processes, by the number of cores.

    python benchmarks/compare.py FOLDER --cores 1 2 [--repeat 2] [--peer COMMAND] [--json FILE]

FOLDER holds an association with its references (``refs/iref`` and the like), ``gaia.ecsv`` and ``headerlets``. Each job
gets a copy of it; the jobs of a round run in turn, so that what else the machine does meets them alike. A peer is any
command that takes the input file. Memory is looked at many times a second, in Linux's ``/proc``.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import asdict, frozen

PROC = Path("/proc")
PAUSE = 0.05
"""Seconds from one look at the memory to the next."""


@frozen
class Cost:
    """What one job cost.

    Attributes
    ----------
    job : str
        Which.
    wall, user, system : float
        Seconds; of all processes, but for the wall.
    pss, anonymous : int
        Largest sum over the processes, bytes: memory with shared pages divided among those who share them, and
        that part of it which is in no file.
    load : float
        Load average of the machine when it ended.
    code : int
        Exit code.
    """

    job: str
    wall: float
    user: float
    system: float
    pss: int
    anonymous: int
    load: float
    code: int


def run(job: str, command: Sequence[str], folder: Path) -> Cost:
    """Run a command in a folder, and tell what it cost."""
    variables = {f"{path.name}": f"{path}{os.sep}" for path in (folder / "refs").glob("?ref")}
    with (folder / "job.log").open("wb") as log:
        started, before = time.monotonic(), os.times()
        process = subprocess.Popen(command, cwd=folder, env=os.environ | variables, stdout=log, stderr=log)
        pss = anonymous = 0
        while process.poll() is None:
            sizes = [memory(member) for member in tree(process.pid)]
            pss = max(pss, sum(size for size, _ in sizes))
            anonymous = max(anonymous, sum(size for _, size in sizes))
            time.sleep(PAUSE)
        after = os.times()
    return Cost(
        job=job,
        wall=time.monotonic() - started,
        user=after.children_user - before.children_user,
        system=after.children_system - before.children_system,
        pss=pss,
        anonymous=anonymous,
        load=os.getloadavg()[0],
        code=process.returncode,
    )


def tree(process: int) -> Iterator[int]:
    """A process and all that it has started."""
    yield process
    for thread in (PROC / str(process) / "task").glob("*"):
        for child in _text(thread / "children").split():
            yield from tree(int(child))


def memory(process: int) -> tuple[int, int]:
    """Proportional set size and anonymous memory, bytes; 0 where the process has ended."""
    lines = (line.split() for line in _text(PROC / str(process) / "smaps_rollup").splitlines()[1:])
    sizes = {words[0]: 1024 * int(words[1]) for words in lines}
    return sizes.get("Pss:", 0), sizes.get("Anonymous:", 0)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""


def jobs(arguments: argparse.Namespace, name: str) -> dict[str, list[str]]:
    """The commands that are compared, by what they are called."""
    start = "import sys; from astrodriz_io.main import runastrodriz; sys.exit(runastrodriz())"
    ours = [sys.executable, "-c", start, name, "--catalog", "gaia.ecsv", "--headerlets", "headerlets"]
    found = {f"ours, -n {count}": [*ours, "-n", str(count)] for count in arguments.cores}
    return found | ({"peer": [*shlex.split(arguments.peer), name]} if arguments.peer else {})


def table(costs: Sequence[Cost]) -> str:
    """The costs, and the wall time and memory as parts of those of the last job of the round."""
    reference = costs[-1]
    rows = [
        f"| {cost.job} | {cost.wall:.1f} | {cost.user:.1f} | {cost.system:.1f} | {cost.pss / 1e9:.2f} | "
        f"{cost.anonymous / 1e9:.2f} | {cost.load:.1f} | {cost.wall / reference.wall:.2f} | {cost.code} |"
        for cost in costs
    ]
    title = f"| job | wall, s | user, s | system, s | PSS, GB | anonymous, GB | load | wall / {reference.job} | code |"
    return "\n".join((title, "|---" * 9 + "|", *rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--peer")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    name = next(arguments.folder.glob("*_asn.fits")).name
    costs = []
    for _ in range(arguments.repeat):
        for job, command in jobs(arguments, name).items():
            with tempfile.TemporaryDirectory() as scratch:
                folder = Path(shutil.copytree(arguments.folder, Path(scratch) / "job"))
                costs.append(run(job, command, folder))
    sys.stdout.write(table(costs) + "\n")
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(cost) for cost in costs], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
