"""The page of the astrometry benchmark: docs/astrometry-measured.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from attrs import frozen

Row = Mapping[str, Any]

LIMITS = {"ir-ers": (5.0, 2.5), "acs-sparse": (3.0, 1.0), "acs-47tuc": (1.0, 0.3)}
"""Wanted errors of each recipe, absolute and relative, mas."""

DRIFT_MAS = 0.3
"""The exposures may be farther from each other than before by no more than this."""

BUDGET_SECONDS = 60.0
"""Services may hold up a run by no more than this."""

HEAD = """# Alignment, measured against the truth

Every row is a run of `runastrodriz` on an association whose true WCS is known. Errors are the root mean square over a
grid of positions on all chips, in mas: *absolute* of the position on the sky, *relative* of the exposures against their
mean. *Before* is the WCS with which the a posteriori stage began, *after* that of the final products.

`ir-ers` is WFC3/IR F140W, four dithers of a deep field; `acs-47tuc` (star field) and `acs-sparse` (galaxies, few stars)
are ACS/WFC with four exposures. Their a priori solutions are wrong by about 15 mas.

    python benchmarks/astrometry_cases.py --fieldkit DIR \\
        --output benchmarks/results/astrometry.json --page docs/astrometry-measured.md

makes this page, with the programs in DIR that build the associations; some rows of it with `--only`.
"""


@frozen
class Section:
    """One table.

    Attributes
    ----------
    table : str
    title, text : str
    heads : tuple of str
    cells : callable
        The cells of a row.
    reached : callable
        Whether a row is as it has to be.
    tail : callable
        A sentence about all rows.
    """

    table: str
    title: str
    text: str
    heads: tuple[str, ...]
    cells: Callable[[Row], Sequence[object]]
    reached: Callable[[Row], bool]
    tail: Callable[[Sequence[Row]], str] = lambda rows: ""


def page(results: Mapping[str, Any]) -> str:
    """The whole page from what the benchmark wrote."""
    used = results["environment"]
    packages = ", ".join(f"{name} {used[name]}" for name in used if name not in ("python", "cores"))
    made = (
        f"Made with {packages}, Python {used['python']}, on a machine with {used['cores']} cores that did other work."
    )
    return "\n".join((HEAD, made, *(_section(section, results["rows"]) for section in SECTIONS)))


def _section(section: Section, rows: Sequence[Row]) -> str:
    own = [row for row in rows if row["table"] == section.table]
    if not own:
        return ""
    heads = ("", *section.heads, "reached")
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for row in own:
        cells = (row["case"], *(section.cells(row) if "after" in row else ("",) * len(section.heads)))
        reached = "yes" if "after" in row and section.reached(row) else "**no**"
        lines.append(f"| {' | '.join(str(cell) for cell in (*cells, reached))} |")
    tail = section.tail([row for row in own if "after" in row])
    return "\n".join((f"\n## {section.title}\n\n{section.text}\n", *lines, *(("", tail) if tail else ())))


def _errors(row: Row) -> tuple[str, ...]:
    return tuple(f"{row[when][kind]:.2f}" for when in ("before", "after") for kind in ("absolute", "relative"))


def _fit(row: Row) -> str:
    if row["geometry"] is None:
        return row["aposteriori"]["fit"] or row["aposteriori"]["outcome"]
    return f"{row['geometry']}, {row['matches']} matches, RMS {row['rms_mas']:.1f} mas"


def _reason(row: Row) -> str:
    return row["aposteriori"]["reason"].replace("|", "/").rstrip(".")


def _drifted(row: Row) -> bool:
    return row["after"]["relative"] > row["before"]["relative"] + DRIFT_MAS


def _within(row: Row) -> bool:
    recipe = row["case"].partition(",")[0]
    absolute, relative = LIMITS.get(recipe, LIMITS["ir-ers"])
    return row["after"]["absolute"] <= absolute and row["after"]["relative"] <= relative and not _drifted(row)


def _not_worse(row: Row) -> bool:
    return row["after"]["absolute"] <= row["before"]["absolute"] and not _drifted(row)


def _refused(row: Row) -> bool:
    return row["aposteriori"]["outcome"] != "kept" and row["after"] == row["before"]


def _noise_tail(rows: Sequence[Row]) -> str:
    return f"Refused: {sum(map(_refused, rows))} of {len(rows)}."


def _survived(row: Row) -> bool:
    faulty = not row["case"].startswith("none")
    told = bool(row["warnings"]) and bool(row["not_tried"]) if faulty else not row["not_tried"]
    quiet = row["exit_code"] == 0 and not row["traceback"]
    return quiet and told and row["waited"] <= BUDGET_SECONDS and _not_worse(row)


def _fault_cells(row: Row) -> tuple[object, ...]:
    said = "; ".join(dict.fromkeys(_short(warning) for warning in row["warnings"]))
    seconds = f"{row['seconds']:.0f}", f"{row['cpu_seconds']:.0f}", f"{row['waited']:.1f}"
    wcs = row["wcsname"].partition("-")[2] or "pipeline default"
    return (*seconds, row["requests"], row["exit_code"], wcs, row["not_tried"] or "", said)


def _short(warning: str) -> str:
    """A warning without the advice, and without the address of the stand-in."""
    words = warning.replace("The run goes on without it; check the address and the network.", "").split()
    return " ".join(word for word in words if "127.0.0.1" not in word).replace("|", "/")


def _fault_tail(rows: Sequence[Row]) -> str:
    whole = [row for row in rows if row["case"].startswith("none")]
    if not whole:
        return ""
    without, longest = median(row["seconds"] for row in whole), max(row["waited"] for row in rows)
    return (
        f"Without a fault a run took {without:.0f} s; how much longer it took with one is the time waiting and what "
        f"else the machine did. The longest time waiting was {longest:.1f} s, of {BUDGET_SECONDS:.0f} s allowed."
    )


ERRORS = ("absolute before", "relative before", "absolute after", "relative after")

SECTIONS = (
    Section(
        "recipes",
        "Whole runs",
        "Wanted: absolute and relative errors of at most 5 and 2.5 mas (`ir-ers`), 3 and 1 mas (`acs-sparse`), 1 and "
        "0.3 mas (`acs-47tuc`); relative never worse than before by more than 0.3 mas.",
        (*ERRORS, "fit", "s of CPU"),
        lambda row: (*_errors(row), _fit(row), f"{row['cpu_seconds']:.0f}"),
        _within,
    ),
    Section(
        "displaced",
        "Exposures far from where their headers say",
        "`ir-ers` without a priori solutions, which would put most of it right. Wanted: the same errors as above.",
        (*ERRORS, "fit"),
        lambda row: (*_errors(row), _fit(row)),
        _within,
    ),
    Section(
        "stars",
        "Few catalogue stars",
        "`ir-ers` with a catalogue of so many of its stars, drawn at random; not every one is seen in the exposures. "
        "Wanted: never worse than the a priori solution.",
        (*ERRORS, "fit", "reason in the record"),
        lambda row: (*_errors(row), _fit(row), _reason(row)),
        _not_worse,
    ),
    Section(
        "noise",
        "Catalogues of noise",
        "`ir-ers` with 200 positions drawn at random over the field. Wanted: refused, every one.",
        ("outcome", "reason in the record"),
        lambda row: (row["aposteriori"]["fit"], _reason(row)),
        _refused,
        _noise_tail,
    ),
    Section(
        "faults",
        "Services that fail",
        "`ir-ers`, with a stand-in for the archive's services that fails as the first column says: `refuse` resets "
        "the connection, `slow:25` replies after 25 s, `500` is the HTTP status, `garbage` is 512 random bytes, "
        "`truncate` ends half way through the reply, `short` sends half of it with a length that agrees, `error` is "
        "the catalogue service's own error line. `observation` and `headerlet` are the two requests of the "
        "astrometry database, `gsc` is the guide star service, which is asked where the database does not know the "
        "exposures. Wanted: exit code 0, no traceback, a warning and the keyword NOTTRIED, at most 60 s of waiting, "
        "no WCS worse than before.",
        ("s", "s of CPU", "s waiting", "requests", "code", "WCS", "NOTTRIED", "warnings"),
        _fault_cells,
        _survived,
        _fault_tail,
    ),
)
