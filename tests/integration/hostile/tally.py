"""Blocks of cases: judged one after the other, counted, written down in one line of JSON, and added up."""

from __future__ import annotations

import json
import logging
import random
import threading
import time
import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from attrs import asdict, evolve, field, frozen

from hostile.cases import Case, Source, draw, smaller
from hostile.oracle import Finding, Outcome, judge

__all__ = ["BLOCK", "Tally", "judged_block", "merged", "minimal", "pairs_of", "pairs_tried"]

BLOCK = 250
"""Cases that are judged, and lost when the machine is switched off, together."""

Pair = tuple[str, str, str]
"""Source, field, and what is wrong with it."""

MORE_FILES = 8
"""Descriptors that libraries may open for good in a block, such as a cache."""


@frozen
class Tally:
    """Counts.

    Attributes
    ----------
    endings : Counter
        By source, depth and ending, in one text.
    findings : dict
        How often each kind was seen, and what is to be said of the first.
    seconds, processor_seconds : float
        That they took by the clock, and of a processor.
    """

    endings: Counter[str] = field(factory=Counter)
    findings: dict[str, tuple[int, str]] = field(factory=dict)
    seconds: float = 0.0
    processor_seconds: float = 0.0

    @property
    def cases(self) -> int:
        """How many there were."""
        return self.endings.total()

    def add(self, case: Case, outcome: Outcome) -> None:
        """Count a case."""
        self.endings[f"{case.source} | {case.depth} | {outcome.ending}"] += 1

    def find(self, finding: Finding, said: str) -> None:
        """Count a finding; the text of the first of its kind is kept."""
        number, first = self.findings.get(finding.kind, (0, said))
        self.findings[finding.kind] = number + 1, first

    def as_line(self, block: int) -> str:
        """JSON of a block."""
        return json.dumps({"block": block, **asdict(self)})

    @classmethod
    def from_line(cls, line: str) -> tuple[int, Tally]:
        """The block's number and its counts."""
        tree = json.loads(line)
        findings = {kind: (number, said) for kind, (number, said) in tree["findings"].items()}
        return tree["block"], cls(Counter(tree["endings"]), findings, tree["seconds"], tree["processor_seconds"])


def merged(tallies: Collection[Tally]) -> Tally:
    """The sum of some tallies."""
    whole = Tally()
    for tally in tallies:
        whole.endings.update(tally.endings)
        for kind, (number, said) in tally.findings.items():
            before, first = whole.findings.get(kind, (0, said))
            whole.findings[kind] = before + number, first
    return evolve(
        whole,
        seconds=sum(tally.seconds for tally in tallies),
        processor_seconds=sum(tally.processor_seconds for tally in tallies),
    )


def judged_block(
    sources: Sequence[Source], seeds: range, scratch: Path, depths: Collection[str] | None = None
) -> Tally:
    """Judge the cases of some seeds; the interpreter has to be afterwards as it was before."""
    tally, by_name, before = Tally(), {source.name: source for source in sources}, _state()
    started, used = time.monotonic(), time.process_time()
    for seed in seeds:
        case = draw(sources, random.Random(seed), seed, depths=depths)
        outcome = judge(by_name[case.source], case, scratch)
        tally.add(case, outcome)
        if outcome.finding is not None:
            known = outcome.finding.kind in tally.findings
            tally.find(outcome.finding, "" if known else _said(by_name[case.source], case, outcome.finding, scratch))
    left = _changed(before, _state())
    if left:
        tally.find(Finding("leaves something in the process", left), f"seeds {seeds.start} to {seeds.stop - 1}: {left}")
    return evolve(tally, seconds=time.monotonic() - started, processor_seconds=time.process_time() - used)


def minimal(source: Source, case: Case, finding: Finding, scratch: Path) -> Case:
    """The case with as few of its mutations as show the same."""
    for candidate in smaller(case):
        again = judge(source, candidate, scratch).finding
        if again is not None and again.kind == finding.kind:
            return minimal(source, candidate, finding, scratch)
    return case


def pairs_of(sources: Sequence[Source]) -> Mapping[str, int]:
    """How many pairs of a field and what can be wrong with it each source has."""
    return {source.name: sum(len(source.hows(place)) for place in source.places) for source in sources}


def pairs_tried(
    sources: Sequence[Source], seeds: Iterable[int], depths: Collection[str] | None = None
) -> Mapping[str, tuple[int, int]]:
    """Pairs and fields that the cases of some seeds have, by source; drawn again, since that is quick."""
    pairs: dict[str, set[Pair]] = {source.name: set() for source in sources}
    for seed in seeds:
        case = draw(sources, random.Random(seed), depths=depths)
        pairs[case.source].update((one.place.file, one.place.name, one.how) for one in case.mutations)
    return {name: (len(found), len({pair[:2] for pair in found})) for name, found in pairs.items()}


def _said(source: Source, case: Case, finding: Finding, scratch: Path) -> str:
    least = minimal(source, case, finding, scratch)
    return f"seed {case.seed}: {least}\n{finding.trace}"


def _state() -> Mapping[str, int]:
    """What a case must leave in the process as it was."""
    loggers = [logging.getLogger(name) for name in (None, "astropy", "stwcs", "astrodriz_io", "astrodriz_core")]
    return {
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "threads": threading.active_count(),
        "warning filters": len(warnings.filters),
        "handlers": sum(len(logger.handlers) + len(logger.filters) for logger in loggers),
    }


def _changed(before: Mapping[str, int], after: Mapping[str, int]) -> str:
    allowed = {"files": MORE_FILES}
    grown = [name for name in before if after[name] - before[name] > allowed.get(name, 0)]
    return ", ".join(f"{name} from {before[name]} to {after[name]}" for name in grown)
