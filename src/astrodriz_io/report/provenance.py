"""The rest of the report: sky and cosmic rays, exclusions, parameters, software, inputs and files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import asdict

from astrodriz_core.parameters.values import as_text
from astrodriz_core.records.drizzling import DrizzleRecord
from astrodriz_core.records.run import FileDigest, RunRecord
from astrodriz_io.report.html import Html, details, element, escaped, join, section, significant, table

__all__ = ["drizzling_section", "provenance_section"]


def drizzling_section(record: RunRecord) -> Html:
    """Sky, cosmic rays and masks of the final combination, and the exposures left out."""
    made = [stage.drizzle for stage in record.stages if stage.drizzle is not None]
    title = "Drizzling"
    if not made:
        return section("drizzling", title, element("p", "Nothing was combined.", class_="empty"))
    last = made[-1]
    return section("drizzling", title, _frame(last), _excluded(record), _chips(last), _static(last))


def _frame(drizzle: DrizzleRecord) -> Html:
    (ny, nx), (ra, dec) = drizzle.frame.shape, drizzle.frame.crval
    return element(
        "p",
        f"Frame of {nx} \N{MULTIPLICATION SIGN} {ny} pixels of {drizzle.frame.pixel_scale_arcsec:.5f} arcsec, "
        f"CRVAL {ra:.7f} {dec:+.7f} deg (ICRS).",
    )


def _excluded(record: RunRecord) -> Html:
    rows = ((e.rootname, e.reason.value, e.detail) for e in record.left_out)
    return table("Exposures left out", ("Exposure", "Reason", "Detail"), rows)


def _chips(drizzle: DrizzleRecord) -> Html:
    found = {(c.rootname, c.extver): c for c in drizzle.cosmic_rays}
    rows = (_chip_row(sky.rootname, sky.extver, drizzle) for sky in drizzle.sky)
    known = {(sky.rootname, sky.extver) for sky in drizzle.sky}
    rest = (_chip_row(root, extver, drizzle) for root, extver in found if (root, extver) not in known)
    headers = ("Exposure", "EXTVER", "Sky", "Unit", "Cosmic-ray pixels", "Part of the chip")
    caption = f"Sky and cosmic rays of every chip; cosmic rays from {drizzle.cosmic_rays_from}"
    return table(caption, headers, [*rows, *rest], numbers=(1, 2, 4, 5))


def _chip_row(root: str, extver: int, drizzle: DrizzleRecord) -> tuple[object, ...]:
    sky = next((s for s in drizzle.sky if (s.rootname, s.extver) == (root, extver)), None)
    rays = next((c for c in drizzle.cosmic_rays if (c.rootname, c.extver) == (root, extver)), None)
    return (
        root,
        extver,
        significant(sky.value if sky else None, 5),
        sky.units if sky else None,
        rays.pixels if rays else None,
        f"{100 * rays.fraction:.3f} %" if rays else None,
    )


def _static(drizzle: DrizzleRecord) -> Html:
    rows = ((mask.chip, mask.pixels) for mask in drizzle.static_mask)
    return table("Pixels of the static mask", ("Chip", "Pixels"), rows, numbers=(1,))


def provenance_section(record: RunRecord) -> Html:
    """With what the run was made and what it left."""
    return section("provenance", "Provenance", _products(record), *_folded(record))


def _products(record: RunRecord) -> Html:
    rows = (
        (p.filename, ", ".join(p.exposures), f"{p.exptime:.1f}", p.units, element("code", p.sha256))
        for p in record.products
    )
    headers = ("Product", "Exposures", "Exposure time (s)", "Units", "SHA-256")
    return table("Products", headers, rows, numbers=(2,))


def _folded(record: RunRecord) -> Iterator[Html]:
    yield details(f"Drizzle parameters ({len(record.parameter_sources)})", _parameters(record))
    yield details("Settings of the run", _settings(record))
    software = ((package.name, package.version) for package in record.software)
    yield details("Software", table("Versions of the software", ("Package", "Version"), software))
    yield details(f"Inputs ({len(record.inputs)})", _digests("Files read", record.inputs))
    references = _digests("Calibration reference files", record.references)
    yield details(f"Reference files ({len(record.references)})", references)
    files = element("ul", *(element("li", element("code", name)) for name in record.files))
    yield details(f"Files written ({len(record.files)})", files)


def _parameters(record: RunRecord) -> Html:
    rows = ((p.name, p.value, p.source) for p in record.parameter_sources)
    return table("Drizzle parameters that any source set", ("Parameter", "Value", "Source"), rows)


def _settings(record: RunRecord) -> Html:
    values = asdict(record.settings, recurse=False)
    overrides = join(element("div", f"{name} = {value}") for name, value in values.pop("parameter_overrides"))
    rows = [(name, escaped(as_text(value)) if value is not None else None) for name, value in values.items()]
    return table("What the user asked for", ("Setting", "Value"), [*rows, ("parameter_overrides", overrides or None)])


def _digests(caption: str, files: Sequence[FileDigest]) -> Html:
    rows = ((file.name, element("code", file.sha256)) for file in files)
    return table(caption, ("File", "SHA-256"), rows)
