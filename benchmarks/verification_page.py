"""The page and the curve of the error rates of the verification."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from astrodriz import Policy
from calibrate_verification import PRECISE
from verification_cases import Situation

__all__ = ["MISSED", "curve", "page"]

#: An offset that is called aligned, in parts of all associations, undetermined ones included.
MISSED = "off by 0.1, called aligned"

#: Colour and marker of each policy.
LOOKS = {
    Policy.DOCUMENTED: ("tab:green", "s"),
    Policy.DRIZZLEPAC: ("tab:orange", "^"),
    Policy.CALIBRATED: ("tab:blue", "o"),
}
#: How far the points of two policies are drawn apart, as a part of the offset.
ASIDE = 0.025
#: Targets: what, the rate of which group, whether it is wanted above or below, and the limit.
TARGETS = (
    ("one exposure off by 0.2 pixel is found, where determined", "off by 0.2", ">=", 0.99),
    ("one exposure off by 0.1 pixel is found, where determined", "off by 0.1", ">=", 0.90),
    ("one exposure off by 0.1 pixel is called aligned, of all", MISSED, "<=", 0.10),
    ("a blurred exposure (Gaussian, 1 pixel) is named", "blurred", ">=", 0.95),
    ("false alarms, exposures that scatter by 0.02 pixel", "false alarms", "<=", 0.01),
)
COLUMNS = ("false alarms", "off by 0.1", MISSED, "off by 0.2", "blurred", "undetermined")


def page(summary: Mapping[str, Any], picture: str | None) -> str:
    """The page in Markdown."""
    parts = [
        "# Error rates of the verification",
        "Written by `benchmarks/verification_rates.py`. Every number is a rate with its binomial interval of 95 % "
        "and, in brackets, the number of associations. How the policies decide is told in "
        "[How it decides](decisions.md#the-policies).",
        f"{summary['associations']} associations were simulated pixel by pixel: diffraction images, pixel phase, "
        "noise, cosmic rays, bad pixels, saturation, drizzle, a median that flags the cosmic rays. They have "
        f"2, 3, 4 or 8 exposures of {_sizes(summary['sizes'])}, with fields from crowded to nearly empty. A whole "
        "detector of ACS or WFC3/UVIS is four times as large, has more sources and smaller errors. The exposures "
        "scatter by 0.01 pixel along each axis, in the rows *false alarms* by 0.02 pixel; then one is displaced, "
        "turned or blurred. Rates are those of the determined associations, but for *called aligned*, *blurred* and "
        "*undetermined*, which are parts of all. "
        "Names like `ir-ers` are recipes of files with four whole exposures each, "
        "with all that `astrodriz verify` does.",
        "## Targets",
        _targets(summary["groups"]),
        "Few associations make wide intervals. With the errors that were measured, and the scatter of the exposures "
        "drawn anew many times, the rates are (with standard errors from the scatter between the associations and, in "
        "brackets, the part that is undetermined):",
        _redrawn(summary["redrawn"]),
    ]
    if picture:
        parts += ["## Detection against offset", f"![Part found misaligned against the offset]({picture})"]
    parts += [
        "## Every policy",
        "Part found misaligned. *Sigma up to 0.01*: by the calibrated policy, in the associations in which every "
        "offset has so small a stated error. *Right exposure*: of those found, from three exposures on.",
        _situations(summary["situations"]),
    ]
    for recipe, rows in summary["situations of files"].items():
        parts += [f"The same of files, recipe `{recipe}`:", _situations(rows)]
    parts += ["## Where the calibrated policy is strong and weak", _groups(summary["groups"]), *_errors(summary)]
    if "peer" in summary:
        parts += ["## drizzlepac itself", _peer(summary["peer"])]
    return "\n\n".join(parts) + "\n"


def _sizes(sizes: Mapping[str, Sequence[int]]) -> str:
    """Rows and columns of each camera in words."""
    texts = (f"{' or '.join(f'{size} x {size}' for size in of)} pixels ({camera})" for camera, of in sizes.items())
    return ", ".join(texts)


def _targets(groups: Mapping[str, Mapping[str, Any]]) -> str:
    """Each target with what was measured of the simulated and of the files."""
    places = {"all": "all simulated", PRECISE: f"of them, {PRECISE}"}
    places |= {name: f"`{name}`" for name in groups if name.startswith(("ir-", "acs-"))}
    rows = [
        (text, f"{sign} {limit:.0%}", *(_rate(groups[name][key]) for name in places))
        for text, key, sign, limit in TARGETS
    ]
    return _table(("", "wanted", *places.values()), rows)


def _redrawn(rows: Sequence[Mapping[str, Any]]) -> str:
    kinds = list(dict.fromkeys((row["jitter_pix"], row["offset_pix"]) for row in rows))
    table: dict[str, dict[tuple[float, float], str]] = {}
    for row in rows:
        error = "" if row["error"] is None else f" +- {100 * row['error']:.2f}"
        text = f"{100 * row['misaligned_of_determined']:.2f}{error} % ({100 * row['undetermined']:.1f} %)"
        table.setdefault(row["of"], {})[row["jitter_pix"], row["offset_pix"]] = text
    heads = [f"off by {offset:g}" if offset else "false alarms" for _, offset in kinds]
    return _table(("", *heads), [(of, *(cells[kind] for kind in kinds)) for of, cells in table.items()])


def _situations(rows: Sequence[Mapping[str, Any]]) -> str:
    policies = [policy.value for policy in Policy]
    keys = (*policies, "sigma up to 0.01", "right exposure", "undetermined")
    return _table(
        ("one exposure", "associations", *keys),
        [(_words(row["situation"]), row["associations"], *(_rate(row[key]) for key in keys)) for row in rows],
    )


def _words(situation: Situation) -> str:
    """A situation in a few words."""
    texts = {
        "off by {:g} pixel": situation.offset_pix,
        "turned by {:g} deg": situation.rotation_deg,
        "blurred by {:g} pixel": situation.blur_pix,
    }
    text = ", ".join(text.format(value) for text, value in texts.items() if value) or "aligned"
    return f"{text}; scatter {situation.jitter_pix:g}"


def _groups(groups: Mapping[str, Mapping[str, Any]]) -> str:
    return _table(("", *COLUMNS), [(name, *(_rate(row[key]) for key in COLUMNS)) for name, row in groups.items()])


def _errors(summary: Mapping[str, Any]) -> Iterable[str]:
    """Table of the errors of the offsets, and of good exposures named as degraded."""
    found = {name: row for name, row in summary["errors"].items() if row}
    keys = list(next(iter(found.values()))) if found else []
    degraded = summary["good exposures named as degraded"]
    return (
        "## Errors of the offsets",
        "Measured minus true, of the aligned and determined associations, pixels. The scenes of `ir-ers` are real "
        "exposures, whose own WCSs differ by some 0.005 pixel; that is the same in every association, and the "
        "last row is without it.",
        _table(
            ("", *found), [(key, *("-" if row[key] is None else row[key] for row in found.values())) for key in keys]
        ),
        "Associations with a good exposure that is named as degraded: "
        + ", ".join(f"{name} {_rate(rate)}" for name, rate in degraded.items())
        + ".",
    )


def _peer(peer: Mapping[str, Any]) -> str:
    largest = max((row["largest difference of distance"] for row in peer["cases"]), default=0.0)
    rate = peer["same verdict"]
    return (
        f"drizzlepac was run on {rate.trials} of the associations. Its verdict was that of our policy of its name "
        f"in {rate.hits}; the distances differ by {largest:.1e} at most."
    )


def _rate(rate: Any) -> str:
    """A rate, its interval and its number."""
    if not rate.trials:
        return "-"
    low, high = rate.interval
    return f"{100 * rate.value:.1f} %, {100 * low:.1f} to {100 * high:.1f} ({rate.trials})"


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = ["| " + " | ".join(str(cell) for cell in row) + " |" for row in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines)


def curve(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw the part found misaligned against the offset, for every policy.

    matplotlib is imported here, because only this needs it.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    usual = [row for row in rows if not row["situation"].rotation_deg and not row["situation"].blur_pix]
    figure, axes = pyplot.subplots(figsize=(7.5, 4.5), layout="constrained")
    for place, (policy, (colour, marker)) in enumerate(LOOKS.items()):
        points = [(row["situation"], row[policy.value]) for row in usual if _on_curve(row["situation"])]
        # Side by side, so that no interval hides another.
        places = [
            situation.offset_pix + (place - 1) * ASIDE * max(situation.offset_pix, 0.1) for situation, _ in points
        ]
        values = [rate.value for _, rate in points]
        bounds = [[rate.value - rate.interval[0], rate.interval[1] - rate.value] for _, rate in points]
        bars = list(zip(*bounds, strict=True))
        axes.errorbar(places, values, bars, color=colour, marker=marker, capsize=3, label=policy.value)
    axes.set_xscale("symlog", linthresh=0.1, linscale=1.0)
    ticks = sorted({row["situation"].offset_pix for row in usual})
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set(xlabel="offset of one exposure (pixels)", ylabel="part found misaligned", ylim=(-0.03, 1.03))
    axes.grid(alpha=0.3)
    axes.legend(title="policy")
    figure.savefig(path, dpi=110, metadata={"Software": None})


def _on_curve(situation: Situation) -> bool:
    """At offset 0 the scatter is the tolerated one, else the usual one."""
    return (situation.offset_pix == 0) == (situation.jitter_pix > 0.01)
