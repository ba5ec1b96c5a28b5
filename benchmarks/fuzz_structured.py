"""Input that is wrong in known places: ``python -m benchmarks.fuzz_structured --cases 1000000 --jobs 2``.

Each case has a seed: headers card by card, rows of tables, headerlets, catalogues, parameters, records, replies of
services. Blocks that are done are written to ``--state``, and not done again when the command is repeated.
``--case SEED`` shows one case, and with ``--keep DIR`` leaves its files there. ``--page`` writes the figures into the
documentation, ``--keywords`` the list of keywords that runs look up.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests" / "integration"
sys.path.insert(0, str(TESTS))

from hostile.cases import Source, draw  # noqa: E402
from hostile.keywords import KEYWORDS_FILE, keywords_of_runs  # noqa: E402
from hostile.oracle import judge  # noqa: E402
from hostile.sources import all_sources  # noqa: E402
from hostile.tally import BLOCK, Tally, judged_block, merged, minimal, pairs_of, pairs_tried  # noqa: E402

MEMORY_BYTES = 4 << 30
SHARED_MEMORY = Path("/dev/shm")
PAGE = ROOT / "docs" / "fuzzing.md"
TABLE = re.compile(r"(<!-- fuzz_structured: begin -->\n).*?(<!-- fuzz_structured: end -->)", re.DOTALL)
SAY_SECONDS = 30.0

_worker: dict[str, Any] = {}
"""Of a worker process: its sound files, and its scratch folder."""


def main() -> int:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=SHARED_MEMORY if SHARED_MEMORY.is_dir() else None) as folder:
        if arguments.keywords:
            KEYWORDS_FILE.write_text(json.dumps(keywords_of_runs(Path(folder)), indent=0) + "\n")
            return 0
        if arguments.case is not None:
            return _one_case(arguments, Path(folder))
        return _many(arguments, Path(folder))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.fuzz_structured", description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="seed of the first case; the next has S + 1")
    parser.add_argument("--jobs", type=int, default=1, metavar="J")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no block after so long")
    parser.add_argument("--state", type=Path, help="file of the blocks that are done")
    parser.add_argument("--case", type=int, metavar="SEED", help="show one case")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="of --case: leave its files here")
    parser.add_argument("--depths", type=lambda text: tuple(text.split(",")), metavar="A,B",
                        help="these alone, of the sources that have one of them")  # fmt: skip
    parser.add_argument("--page", action="store_true", help="write the figures into the documentation")
    parser.add_argument("--keywords", action="store_true", help="find the keywords that are read, and write them down")
    return parser.parse_args()


def _one_case(arguments: argparse.Namespace, folder: Path) -> int:
    _begin(folder, arguments.depths)
    sources, scratch, keep = _worker["sources"], _worker["scratch"], arguments.keep
    case = draw(sources, random.Random(arguments.case), arguments.case, depths=arguments.depths)
    source = next(one for one in sources if one.name == case.source)
    outcome = judge(source, case, scratch)
    print(f"{case}\n{outcome.ending}")
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        for name, data in source.files(case).items():
            (keep / name).write_bytes(data)
    if outcome.finding is None:
        return 0
    print(f"{outcome.finding.kind}\n{outcome.finding.trace}\nleast: {minimal(source, case, outcome.finding, scratch)}")
    return 1


def _many(arguments: argparse.Namespace, folder: Path) -> int:
    state = arguments.state or Path(tempfile.gettempdir()) / f"fuzz_structured_{arguments.seed}.jsonl"
    blocks = {at: range(at, min(at + BLOCK, arguments.seed + arguments.cases))
              for at in range(arguments.seed, arguments.seed + arguments.cases, BLOCK)}  # fmt: skip
    done = {at: tally for at, tally in _read_state(state).items() if at in blocks}
    said = time.monotonic()
    for at, tally in _judged([block for at, block in blocks.items() if at not in done], arguments, folder):
        done[at] = tally
        with state.open("a") as stream:
            stream.write(tally.as_line(at) + "\n")
        if time.monotonic() - said > SAY_SECONDS:
            said = time.monotonic()
            whole = merged(done.values())
            print(f"{whole.cases} cases, {sum(n for n, _ in whole.findings.values())} findings", flush=True)
    whole = merged(done.values())
    (folder / "drawn").mkdir()
    sources = all_sources(folder / "drawn")
    table = _table(whole, sources, [seed for at in done for seed in blocks[at]], arguments)
    print(table)
    for kind, (number, first) in sorted(whole.findings.items(), key=lambda item: -item[1][0]):
        print(f"---- {number} x {kind}\n{first}")
    if arguments.page:
        PAGE.write_text(TABLE.sub(lambda match: f"{match[1]}{table}\n{match[2]}", PAGE.read_text("utf-8")), "utf-8")
    return 1 if whole.findings else 0


def _read_state(state: Path) -> dict[int, Tally]:
    lines = state.read_text("utf-8").splitlines() if state.exists() else []
    return dict(Tally.from_line(line) for line in lines)


def _judged(blocks: Sequence[range], arguments: argparse.Namespace, folder: Path) -> Iterator[tuple[int, Tally]]:
    """Blocks as they are done, by so many processes, none begun when the time is up."""
    ends, waiting = time.monotonic() + arguments.seconds, list(reversed(blocks))
    with ProcessPoolExecutor(arguments.jobs, initializer=_begin, initargs=(folder, arguments.depths)) as pool:
        under_way: set[Future[tuple[int, Tally]]] = set()
        while under_way or waiting:
            while waiting and len(under_way) < arguments.jobs and time.monotonic() < ends:
                under_way.add(pool.submit(_block, waiting.pop()))
            if not under_way:
                return
            ready, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in ready)


def _begin(folder: Path, depths: Sequence[str] | None) -> None:
    """Make the sound files, once for each process."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    own = folder / f"worker-{os.getpid()}"
    sound, scratch = own / "sound", own / "scratch"
    sound.mkdir(parents=True)
    scratch.mkdir()
    sources = [one for one in all_sources(sound) if depths is None or set(depths) & set(one.depths)]
    _worker.update(sources=sources, scratch=scratch, depths=depths)
    shutil.rmtree(sound)


def _block(seeds: range) -> tuple[int, Tally]:
    return seeds.start, judged_block(_worker["sources"], seeds, _worker["scratch"], _worker["depths"])


def _table(tally: Tally, sources: Sequence[Source], seeds: Sequence[int], arguments: argparse.Namespace) -> str:
    """The figures in Markdown."""
    depths = arguments.depths
    sources = [one for one in sources if depths is None or set(depths) & set(one.depths)]
    tried, possible = pairs_tried(sources, seeds, depths), pairs_of(sources)
    lines = [
        "| source | cases | depths | success | error | fields tried | pairs of field and mutation tried |",
        "|---|---:|---|---:|---:|---:|---:|",
    ]
    for source in sources:
        by_depth, good, bad = _endings(tally, source.name)
        pairs, fields = tried[source.name]
        lines.append(
            f"| {source.name} | {good + bad} | {by_depth} | {good} | {bad} | {fields} of {len(source.places)} "
            f"| {pairs} of {possible[source.name]} |"
        )
    findings = sum(number for number, _ in tally.findings.values())
    rate, by_clock = (tally.cases / max(spent, 1e-9) for spent in (tally.processor_seconds, tally.seconds))
    lines += [
        "",
        f"{tally.cases} cases, {findings} findings; {rate:.0f} cases in a second of a processor, {by_clock:.0f} in a "
        f"second by the clock in each process; seeds from {arguments.seed}; commit {_commit()}.",
    ]
    return "\n".join(lines)


def _endings(tally: Tally, name: str) -> tuple[str, int, int]:
    """Cases of a source by depth, as text; how many ended with success, and how many with an error."""
    depths, good, bad = Counter[str](), 0, 0
    for ending, number in tally.endings.items():
        source, depth, how = ending.split(" | ")
        if source == name:
            depths[depth] += number
            good, bad = (good + number, bad) if how == "done" else (good, bad + number)
    return ", ".join(f"{depth} {number}" for depth, number in depths.most_common()), good, bad


def _commit() -> str:
    words = ("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
