"""Write docs/slow-tests.md from what pytest says of the slow tests.

    make test-slow

runs them and calls this script with the JUnit file of pytest. Cases that were run again, such as one whose disk
somebody else took away, come from further files, which the page says.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree

from attrs import frozen

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "slow-tests.md"

HEAD = """# Slow tests

What `make test` leaves out because it takes long; `make test-slow` runs it and writes this page.
"""


@frozen
class Case:
    """One case of one test.

    Attributes
    ----------
    test : str
        Module and function.
    outcome : str
        passed, failed or skipped.
    seconds : float
    facts : tuple of str
        What the test itself recorded.
    """

    test: str
    outcome: str
    seconds: float
    facts: tuple[str, ...] = ()


def read_cases(*paths: Path) -> list[Case]:
    """All cases of some JUnit files, in the order of their tests; what is in a later file replaces what was before."""
    nodes = {
        (node.get("classname"), node.get("name")): node
        for path in paths
        for node in ElementTree.parse(path).iter("testcase")
    }
    return sorted(map(_case, nodes.values()), key=lambda case: case.test)


def _case(node: ElementTree.Element) -> Case:
    module, name = node.get("classname", ""), node.get("name", "").partition("[")[0]
    facts = (f"{fact.get('name')}: {fact.get('value')}" for fact in node.iter("property"))
    return Case(f"{module.replace('.', '/')}.py::{name}", _outcome(node), float(node.get("time", 0)), tuple(facts))


def _outcome(node: ElementTree.Element) -> str:
    found = {child.tag for child in node}
    if found & {"failure", "error"}:
        return "failed"
    return "skipped" if "skipped" in found else "passed"


def page(cases: Sequence[Case], *, commit: str, date: str, machine: str, again: int = 0) -> str:
    """Text of the page; `again` cases were run a second time."""
    lines = [f"| {_row(test, list(group))} |" for test, group in groupby(cases, key=lambda case: case.test)]
    return "\n".join(
        [
            HEAD,
            f"The last run: commit {commit}, {date}, {machine}; {_counts(cases)}, "
            f"{sum(case.seconds for case in cases):.0f} s of tests{f'; {again} run again' if again else ''}.",
            "",
            "| test | cases | passed | failed | skipped | seconds | |",
            "|---|---:|---:|---:|---:|---:|---|",
            *lines,
            "",
        ]
    )


def _row(test: str, cases: Sequence[Case]) -> str:
    module, _, name = test.partition("::")
    numbers = (len(cases), *(_count(cases, outcome) for outcome in ("passed", "failed", "skipped")))
    facts = dict.fromkeys(fact for case in cases for fact in case.facts)
    seconds = f"{sum(case.seconds for case in cases):.0f}"
    return " | ".join((f"`{module}`: {_words(name)}", *map(str, numbers), seconds, "; ".join(facts)))


def _words(name: str) -> str:
    return re.sub(r"_+", " ", name.removeprefix("test_"))


def _count(cases: Iterable[Case], outcome: str) -> int:
    return sum(case.outcome == outcome for case in cases)


def _counts(cases: Sequence[Case]) -> str:
    return ", ".join(f"{_count(cases, outcome)} {outcome}" for outcome in ("passed", "failed", "skipped"))


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def commit_in_use() -> str:
    """The commit of the working tree, and whether it was changed since."""
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return _git("rev-parse", "--short=10", "HEAD") + (" with changes" if changed else "")


def _machine() -> str:
    return f"Python {platform.python_version()} on {os.cpu_count()} cores"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("junit", type=Path)
    parser.add_argument("again", type=Path, nargs="*", help="of cases that were run again")
    parser.add_argument("--page", type=Path, default=PAGE)
    arguments = parser.parse_args()
    suite = ElementTree.parse(arguments.junit).getroot().find("testsuite")
    date = "" if suite is None else suite.get("timestamp", "")[:10]
    cases, again = read_cases(arguments.junit, *arguments.again), len(read_cases(*arguments.again))
    text = page(cases, commit=commit_in_use(), date=date, machine=_machine(), again=again)
    arguments.page.write_text(text, encoding="utf-8")
    print(f"{_counts(cases)}; see {arguments.page.name}")


if __name__ == "__main__":
    main()
