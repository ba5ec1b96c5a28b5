"""Feed damaged files to everything that reads: ``python -m benchmarks.fuzz --cases 1000000 --seed 7``.

Each case has a seed of its own, so that one can be made again: ``--seed`` of the case, ``--cases 1``. Cases that
fail are written to the folder of the regression files, and the test suite reads them from then on.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).parents[1] / "tests" / "integration"
sys.path.insert(0, str(TESTS))

from fuzzing import cases, check, readers  # noqa: E402

MEMORY_BYTES = 4 << 30


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="seed of the first case; the next has S + 1")
    parser.add_argument("--reader", help="only the reader of this file name")
    parser.add_argument("--keep", type=Path, default=TESTS / "regressions", metavar="DIR")
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    started, failures = time.monotonic(), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        (work := Path(folder) / "work").mkdir()
        made = [one for one in readers(Path(folder)) if arguments.reader in (None, one.name)]
        for reader, seed, data in cases(tuple(made), arguments.seed, arguments.cases):
            failure = check(reader, data, work, seed)
            if failure is not None:
                last = failure.what.strip().splitlines()[-1]
                if not failures[f"{reader.name}: {last[:80]}"]:
                    print(f"seed {seed}, {reader.name}:\n{failure.what}")
                    (arguments.keep / failure.file_name).write_bytes(data)
                failures[f"{reader.name}: {last[:80]}"] += 1
    seconds = time.monotonic() - started
    print(f"{arguments.cases} cases in {seconds:.0f} s, {failures.total()} failures")
    for what, number in failures.most_common():
        print(f"{number:6d}  {what}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
