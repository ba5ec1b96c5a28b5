"""The rows of the parity benchmark and their table.

    python benchmarks/parity_table.py JSON [JSON ...]

prints the table of one dataset from what ``parity.py --output`` wrote. Several runs with different ``--only`` are put
together; of a comparison that was made twice the later file counts.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

CLOSE = 1e-3
"""A pixel is close if it differs by no more than this part of the noise (weights: of the median weight)."""
FAR = 0.05
"""No pixel may differ by more than this part of the noise."""
ON_PURPOSE = ("separate drizzle lanczos3", "final drizzle kernel lanczos3", "blot sinc", "blot lan[35]")
"""Cases in which AstroDrizzle is wrong and ours differs, explained in docs/differences.md."""


@frozen
class Row:
    """One line of the table."""

    step: str
    case: str
    stepsize: int | None
    measured: dict[str, Any]
    target: str
    reached: bool | None = field(converter=lambda value: None if value is None else bool(value))
    note: str = ""


def markdown(rows: list[Row]) -> str:
    """Format the table as it stands in docs/parity.md."""
    lines = ["| step | case | stepsize | measured | reached |", "|---|---|---|---|---|"]
    for row in rows:
        reached = {True: "yes", False: "**no**", None: "-"}[row.reached]
        if row.reached is False and any(re.match(pattern, f"{row.step} {row.case}") for pattern in ON_PURPOSE):
            reached = "no, on purpose"
        note = f" ({row.note})" if row.note else ""
        failed = row.measured.get("peer_failed")
        measured = f"the peer failed: {failed}" if failed else SENTENCES[row.step](row.measured)
        lines.append(f"| {row.step} | {row.case}{note} | {row.stepsize or ''} | {measured} | {reached} |")
    return "\n".join(lines)


def _percent(part: float) -> str:
    """As many digits as tell it from 100 %, rounded down."""
    return "100 %" if part == 1.0 else f"{int(part * 1e6) / 1e4:.4f} %"


def _image_sentence(measured: Mapping[str, Any]) -> str:
    text = f"{_percent(measured['close'])} within {CLOSE:g} σ, {measured['far']} pixels beyond {FAR} σ"
    if measured["far_of_negligible_weight"]:
        text += f" (and {measured['far_of_negligible_weight']} of negligible weight)"
    text += f", largest {measured['largest']:.2g} σ"
    if "weights_close" in measured:
        text += f"; weights {_percent(measured['weights_close'])}"
    if "context_identical" in measured:
        text += f"; CTX {_percent(measured['context_identical'])}"
    return text


def _mask_sentence(measured: Mapping[str, Any]) -> str:
    text = f"{_percent(measured['agreement'])} agree"
    if "ours_true_found" in measured:
        text += (
            f"; true found {measured['ours_true_found']} (peer {measured['peer_true_found']}), good pixels"
            f" flagged {measured['ours_false_on_good_pixels']} (peer {measured['peer_false_on_good_pixels']});"
            f" of good pixels that differ ours is right in {measured['differ_ours_right']},"
            f" the peer in {measured['differ_peer_right']}"
        )
    return text


SENTENCES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "output frame": lambda m: (
        f"{m['shape'][1]} x {m['shape'][0]}{'' if m['same_shape'] else ' (peer differs)'},"
        f" corners within {m['largest_corner_offset_pix']:.1g} pixel"
    ),
    "static mask": lambda m: f"{_percent(m['identical'])} identical, {m['ours']} bad pixels",
    "sky": lambda m: f"within {m['largest_in_sigma']:.1g} σ in all {m['chips']} chips",
    "separate drizzle": _image_sentence,
    "median": lambda m: f"{_percent(m['identical'])} identical",
    "blot": _image_sentence,
    "cosmic rays": _mask_sentence,
    "final drizzle": _image_sentence,
}


def rows_of(files: list[Path]) -> list[Row]:
    """Put the rows of several runs together, in the order of the steps."""
    rows = [Row(**row) for file in files for row in json.loads(file.read_text("utf-8"))["rows"]]
    latest = {(row.step, row.case, row.stepsize): row for row in rows}
    return sorted(latest.values(), key=lambda row: list(SENTENCES).index(row.step))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="+", type=Path, metavar="JSON")
    print(markdown(rows_of(parser.parse_args().results)))


if __name__ == "__main__":
    main()
