"""The report page: complete, self-contained, safe against what headers may hold, the same bytes every time."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import threading
from collections.abc import Callable, Sequence
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import attrs
import matplotlib
import numpy as np
import pytest
from attrs import evolve, frozen
from golden_runs import GOLDEN_RUNS, golden_record
from numpy.typing import NDArray

from astrodriz import DrizzleParameters, RunRecord, Stage, StageRecord, Verdict, dump_record, explain, judge
from astrodriz_core.decide.invariants import check_record
from astrodriz_core.decide.selection import select_wcs
from astrodriz_core.records.drizzling import OutputFrame
from astrodriz_core.replay_plan import ORIGIN_WORDS, plan_replay
from astrodriz_io.commands.replay import add_arguments
from astrodriz_io.record_files.trailer import trailer
from astrodriz_io.report.again import again_section
from astrodriz_io.report.astrometry import aposteriori_section
from astrodriz_io.report.headline import Concern, concerns
from astrodriz_io.report.page import report_page, write_report
from astrodriz_io.report.parts import Commands, Node, Paragraph, Section, Table, table
from astrodriz_io.report.rendering import render
from astrodriz_io.report.svg import plain_label
from astrodriz_io.report.view import LINKS, Report, report_view
from astrodriz_io.report.whole import tree_of
from astrodriz_io.report.wording import ABSENT, fixed, significant
from astrodriz_io.run.record import companions_warnings

HOSTILE = "</title></style><script>alert(\"x\")</script><img src=x onerror='y()'>&$\\frac{\x00\x1b[2J"
LOADING = {"script", "link", "iframe", "object", "embed", "base", "form", "audio", "video"}
VOID = {"meta", "img"}
ROOTS = ("i00101a1q", "i00101a2q", "i00101a3q", "i00101a4q")
"""Of the golden runs of WFC3/IR; the third is the one that lies off its place."""


class Page(HTMLParser):
    """What a browser finds in a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.source = page
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"{tag} closes something else"

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def identifiers(self) -> list[str]:
        return [attributes["id"] or "" for _, attributes in self.tags if "id" in attributes]


@frozen(eq=False)
class Product:
    """Arrays as a run delivers them, for the pictures."""

    frame: OutputFrame
    sci: NDArray[np.float32]
    wht: NDArray[np.float32]
    units: str = "ELECTRONS/S"


def product_of(record: RunRecord) -> Product | None:
    """Noise and one star on the grid of a record's product, with an edge without weight; None where it has none."""
    drizzle = record.stages[-1].drizzle if record.stages else None
    if drizzle is None:
        return None
    ny, nx = drizzle.frame.shape
    y, x = np.mgrid[:ny, :nx]
    sci = np.random.default_rng(3).normal(0.5, 0.05, (ny, nx)).astype(np.float32)
    sci += 50 * np.exp(-((y - 70) ** 2 + (x - 40) ** 2) / 8, dtype=np.float32)
    wht = np.full((ny, nx), 3200, np.float32)
    sci[:, :5], wht[:, :5] = np.nan, 0
    return Product(drizzle.frame, sci, wht)


def page_of(record: RunRecord) -> Page:
    return Page(report_page(record, product_of(record)))


@cache
def golden_page(name: str) -> Page:
    return page_of(golden_record(name))


@pytest.fixture(params=GOLDEN_RUNS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def page(name: str) -> Page:
    """The page of each kind of run."""
    return golden_page(name)


@pytest.fixture
def misaligned() -> RunRecord:
    return golden_record("misaligned")


def stage_of(record: RunRecord, wanted: Stage) -> StageRecord:
    return next(stage for stage in record.stages if stage.stage is wanted)


def with_stage(record: RunRecord, wanted: Stage, **changes: Any) -> RunRecord:
    """The record with another value in one stage."""
    stages = (evolve(stage, **changes) if stage.stage is wanted else stage for stage in record.stages)
    return evolve(record, stages=tuple(stages))


def with_texts(record: Any, change: Callable[[str], str]) -> Any:
    """The same record with every text in it changed."""
    if isinstance(record, str):
        return change(record)
    if isinstance(record, tuple):
        return tuple(with_texts(item, change) for item in record)
    if attrs.has(type(record)) and not isinstance(record, DrizzleParameters):
        names = [field.name for field in attrs.fields(type(record))]
        return evolve(record, **{name: with_texts(getattr(record, name), change) for name in names})
    return record


def test_every_element_is_closed(page: Page) -> None:
    assert page.open == []


def test_page_loads_nothing(page: Page) -> None:
    assert not LOADING & {tag for tag, _ in page.tags}
    for _, attributes in page.tags:
        for name in ("src", "href", "xlink:href", "srcset", "action", "data"):
            target = attributes.get(name) or "#"
            assert target.startswith(("#", "data:image/png;base64,")), target
        assert not [name for name in attributes if name.startswith("on")]


def test_page_names_no_address(page: Page) -> None:
    for part in ("http:", "https:", "@import"):
        assert part not in page.source
    assert set(re.findall(r"url\(.", page.source)) <= {"url(#"}


def test_page_forbids_itself_to_load_or_run_anything(page: Page) -> None:
    (policy,) = [each["content"] or "" for each in page.all("meta") if "http-equiv" in each]
    assert policy.startswith("default-src 'none'; ")
    assert "script" not in policy


def test_page_of_a_whole_acs_association_is_below_5_megabytes() -> None:
    record = golden_record("aligned-acs")
    product = product_of(record)
    assert product is not None
    noise = np.random.default_rng(1).normal(0, 1, (4230, 4300)).astype(np.float32)
    whole = evolve(product, sci=noise, wht=np.abs(noise) + 1)
    assert len(report_page(record, whole).encode()) < 5e6


def leaves(value: Any) -> int:
    """How many values a JSON tree holds; a list without objects counts as one."""
    parts = list(value.values()) if isinstance(value, dict) else value
    split = isinstance(value, dict) or (isinstance(value, list) and any(isinstance(part, dict) for part in value))
    return sum(map(leaves, parts)) if split and parts else 1


def ends(node: Node) -> int:
    return sum(map(ends, node.parts)) if node.parts else 1


def test_the_whole_record_can_be_unfolded(name: str, page: Page) -> None:
    tree = json.loads(dump_record(golden_record(name)))
    assert sum(map(ends, tree_of(tree).nodes)) == leaves(tree)
    section = page.source.partition('<section id="record"')[2]
    assert section.count('<span class="name">') == leaves(tree)
    assert section.count("<details>") == section.count("</details>") > 0


def test_a_value_of_the_record_is_shown_as_in_the_file() -> None:
    (group,) = tree_of({"a": {"text": "x", "none": None, "list": [1.5, "y"], "empty": ""}}).nodes
    assert [(part.name, part.value) for part in group.parts] == [
        ("text", "x"), ("none", "null"), ("list", '[1.5, "y"]'), ("empty", '""')
    ]  # fmt: skip


def commands_of(record: RunRecord) -> list[str]:
    blocks = again_section(record).blocks
    return [command.text for block in blocks if isinstance(block, Commands) for command in block.commands]


def test_the_commands_that_make_a_run_again_are_those_of_the_program(name: str, page: Page) -> None:
    record = golden_record(name)
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    for text in commands_of(record):
        assert text in page.text
        program, command, *words = shlex.split(text)
        assert (program, command) in {("astrodriz", "replay"), ("astrodriz", "explain")}
        if command == "replay":
            asked = parser.parse_args(words)
            assert asked.record.name == f"{record.root}_decisions.json"
            assert plan_replay(record, ORIGIN_WORDS.get(asked.select)).sidecar == record.sidecar


@pytest.mark.parametrize(
    ("name", "words"),
    [("mended", ["default", "apriori"]), ("no-fit", ["default"]), ("no-service", []), ("omitted", None)],
)
def test_every_other_wcs_that_the_run_has_made_can_be_asked_for(page: Page, name: str, words: list[str] | None) -> None:
    commands = commands_of(golden_record(name))
    assert bool(commands) is (words is not None)
    assert [text.partition("--select ")[2] for text in commands if "--select" in text] == (words or [])
    assert ("There is nothing to replay: omitted by DRIZCORR." in page.text) is (words is None)


def test_a_name_that_a_shell_would_take_apart_is_in_no_command() -> None:
    assert commands_of(golden_record("aligned"))
    assert commands_of(evolve(golden_record("aligned"), root="a b$(c)")) == []


def luminance(colour: str) -> float:
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(first: str, second: str) -> float:
    """As the Web Content Accessibility Guidelines define it."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read_on_every_ground_in_light_and_dark(scheme: str) -> None:
    style = golden_page("omitted").source
    light, dark = (dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", part)) for part in re.findall(
        r":root \{\n(.*?)\}", style, re.DOTALL)[:2])  # fmt: skip
    assert light.keys() == dark.keys()
    assert "prefers-color-scheme: dark" in style
    colours = light if scheme == "light" else dark
    pairs = [(word, ground) for word in ("ink", "muted", "accent") for ground in ("page", "card")]
    pairs += [(tone, ground) for tone in ("good", "bad", "open", "none") for ground in ("card", f"{tone}-tint")]
    pairs += [("ink", f"{tone}-tint") for tone in ("good", "bad", "open", "none")]
    assert [pair for pair in pairs if contrast(*(colours[name] for name in pair)) < 4.5] == []


def test_every_section_is_there_and_linked(page: Page) -> None:
    found = page.identifiers
    assert set(LINKS) <= set(found)
    targets = {(attributes["href"] or "").lstrip("#") for attributes in page.all("a")}
    assert targets <= set(found)


def test_identifiers_are_unique_and_references_reach_them(page: Page) -> None:
    assert len(page.identifiers) == len(set(page.identifiers))
    used = {(attributes.get("xlink:href") or "").lstrip("#") for attributes in page.all("use")}
    assert used <= set(page.identifiers)


def test_page_can_be_read_without_seeing_it(page: Page) -> None:
    assert page.all("html")[0]["lang"] == "en"
    assert all(attributes.get("alt") for attributes in page.all("img"))
    assert all(attributes.get("aria-label") for attributes in page.all("svg"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(attributes.get("scope") for attributes in page.all("th"))
    assert len(page.all("h1")) == 1


def test_page_shows_what_the_record_holds(name: str, page: Page) -> None:
    record = golden_record(name)
    texts = [record.root, record.product, record.detector or "", record.filter_name or "", record.started]
    texts += [text for file in (*record.inputs, *record.references) for text in (file.name, file.sha256)]
    texts += [text for one in record.parameter_sources for text in (one.name, one.value, one.source)]
    texts += [text for package in record.software for text in (package.name, package.version)]
    texts += [text for product in record.products for text in (product.filename, product.sha256, product.units)]
    texts += [*record.files, record.settings.catalog or "", record.settings.policy.value]
    texts += [f"{key} = {value}" for key, value in record.settings.parameter_overrides]
    texts += [f"{check.elongation:.3f}" for check in record.guiding if check.elongation is not None]
    assert [text for text in texts if text not in page.text] == []


def test_page_shows_what_every_stage_found(name: str, page: Page) -> None:
    texts: list[str] = []
    for stage in golden_record(name).stages:
        texts += [stage.reason, *(chip.wcsname for exposure in stage.wcs for chip in exposure.chips)]
        for judged in (stage.verification, stage.companions_verification):
            checks = [check for result in judged.policies for check in result.checks] if judged else []
            texts += [check.reason for check in checks]
            texts += [each.rootname for each in judged.measurements.registration] if judged else []
        for exposure in stage.apriori.exposures if stage.apriori else ():
            texts += [text for one in exposure.offered for text in (one.wcsname, one.origin.value)]
        for attempt in stage.aposteriori.attempts if stage.aposteriori else ():
            texts += [attempt.catalog, attempt.reason, *(check.reason for check in attempt.checks)]
    assert [text for text in texts if text not in page.text] == []


@pytest.mark.parametrize("name", ["aligned", "aligned-acs", "apriori-reverted", "single"])
def test_page_shows_sky_and_cosmic_rays_of_the_delivered_combination(name: str, page: Page) -> None:
    drizzle = golden_record(name).stages[-1].drizzle
    assert drizzle is not None
    rows = re.findall(r"<tr>(.*?)</tr>", page.source, re.DOTALL)
    for sky in drizzle.sky:
        assert any(sky.rootname in row and sky.units in row and significant(sky.value, 5) in row for row in rows)
    for count in drizzle.cosmic_rays:
        part = f"{100 * count.fraction:.3f} %"
        assert any(count.rootname in row and str(count.pixels) in row and part in row for row in rows)


def test_a_solution_that_was_refused_is_shown_with_its_reason() -> None:
    record = golden_record("aligned")
    apriori = stage_of(record, Stage.A_PRIORI).apriori
    assert apriori is not None
    first = apriori.exposures[0]
    refused = evolve(first.offered[0], attached=False, checks=(), refused="made for another IDCTAB")
    offered = evolve(first, offered=(refused, *first.offered[1:]))
    told = with_stage(record, Stage.A_PRIORI, apriori=evolve(apriori, exposures=(offered, *apriori.exposures[1:])))
    assert check_record(told) == ()
    assert "made for another IDCTAB" in page_of(told).text
    assert f"offered {refused.wcsname} ({refused.origin.value}): refused: made for another IDCTAB" in trailer(told)


@pytest.mark.parametrize(
    ("name", "plots"),
    [("aligned", 3), ("aligned-acs", 4), ("apriori-reverted", 2), ("misaligned", 1), ("single", 0), ("omitted", 0)],
)
def test_plots_show_each_verified_product_once(page: Page, plots: int) -> None:
    # The final product is the one of the stage that won; the FLT files beside FLC files have their own.
    labels = [attributes["aria-label"] or "" for attributes in page.all("svg")]
    assert sum("Residual offsets" in label for label in labels) == plots


@pytest.mark.parametrize(
    ("name", "in_use", "others"),
    [
        ("mended", ["a posteriori"], {"default products", "a priori"}),
        ("aligned-acs", ["a posteriori"], {"default products", "a priori", "final products, FLT"}),
        ("no-fit", ["a priori"], {"default products"}),
        ("apriori-reverted", ["default products"], {"a priori"}),
        ("aposteriori-reverted", ["default products"], {"a posteriori"}),
        ("misaligned", ["default products"], set()),
        ("single", [], set()),
    ],
)
def test_only_the_stage_whose_product_is_delivered_is_called_in_use(
    page: Page, in_use: list[str], others: set[str]
) -> None:
    assert re.findall(r"<strong>([^<]*) \(in use\)</strong>", page.source) == in_use
    assert set(re.findall(r"<summary>Checks of stage ([^<]*)</summary>", page.source)) == others


def tiles(page: Page) -> dict[str, str]:
    """The figures in the head of a page, by their names; each with its note."""
    found = re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd><dd class=.note.>([^<]*)</dd>", page.source)
    return {name: f"{value}; {note}" for name, value, note in found}


def test_tiles_have_the_figures_of_the_delivered_product() -> None:
    found = tiles(golden_page("apriori-reverted"))
    delivered = golden_record("apriori-reverted").stages[1].verification
    assert delivered is not None
    assert delivered.worst is not None
    assert delivered.measurements.similarity.index is not None
    assert found["Largest offset"].startswith(f"{delivered.worst.offset_pix:.3f} px; ")
    assert delivered.worst.rootname in found["Largest offset"]
    assert found["Similarity index"].startswith(f"{delivered.measurements.similarity.index:.2g}; ")
    assert found["Fit to a catalogue"] == "none; position from the pipeline default WCS"
    assert found["Exposures used"] == "4 of 4; none left out"


def test_tiles_have_the_fit_whose_wcs_is_in_use() -> None:
    fit = stage_of(golden_record("aligned"), Stage.A_POSTERIORI).aposteriori
    assert fit is not None
    assert fit.chosen is not None
    chosen = fit.attempts[fit.chosen]
    assert chosen.fit is not None
    assert chosen.holdout is not None
    told = f"{chosen.fit.rms_mas:.1f} mas; {chosen.fit.matches} matches, {chosen.holdout.after_mas:.1f} mas"
    assert tiles(golden_page("aligned"))[f"RMS to {chosen.catalog}"].startswith(told)


def test_tiles_of_a_single_exposure_say_what_was_not_measured() -> None:
    found = tiles(golden_page("single"))
    assert found["Largest offset"] == f"{ABSENT}; not measured"
    assert found["Similarity index"] == f"{ABSENT}; not measured"
    assert found["Cosmic-ray pixels"] == f"{ABSENT}; none were looked for"


def test_an_exposure_that_was_left_out_is_counted_and_told() -> None:
    assert tiles(golden_page("excluded"))["Exposures used"] == "3 of 4; 1 left out"
    (left_out,) = golden_record("excluded").excluded
    assert f"{left_out.rootname} is left out: {left_out.detail}." in golden_page("excluded").text


def test_a_verdict_that_is_not_aligned_needs_attention() -> None:
    assert "Off its place: i00101a3q." in golden_page("misaligned").text
    assert "It is not known whether the exposures are aligned" in golden_page("undetermined").text


def delivering(stages: Sequence[StageRecord], standing: int, record: RunRecord, **measured: Any) -> RunRecord:
    """The record of a run with these stages, had the product of one of them been measured otherwise."""
    given = stages[standing]
    assert given.verification is not None
    judged = judge(evolve(given.verification.measurements, **measured))
    made = [evolve(stage, verification=judged) if stage is given else stage for stage in stages[:-1]]
    final = evolve(stages[-1], wcs=given.wcs, drizzle=given.drizzle, verification=judged)
    return evolve(record, stages=(*made, final), selection=select_wcs(made), warnings=())


def test_two_exposures_that_disagree_are_not_told_apart(misaligned: RunRecord) -> None:
    # A pair, and the offset of another association's exposure; the a priori service gave no answer.
    pair = golden_record("undetermined")
    stages = [stage if stage.stage is not Stage.A_PRIORI else misaligned.stages[2] for stage in pair.stages]
    off = misaligned.stages[1].verification
    assert off is not None
    offset = off.measurements.registration[2]
    registration = (
        evolve(offset, rootname=ROOTS[0]),
        evolve(offset, rootname=ROOTS[1], dx_pix=-(offset.dx_pix or 0), dy_pix=-(offset.dy_pix or 0)),
    )
    record = delivering(stages, 1, pair, registration=registration)
    assert check_record(record) == ()
    texts = [concern.text for concern in concerns(record)]
    assert f"Off its place: {ROOTS[0]}, {ROOTS[1]}." in texts
    assert "Two exposures disagree; nothing tells which of them is off its place." in texts


def test_a_blurred_exposure_is_named() -> None:
    given = golden_record("aligned")
    assert given.stages[3].verification is not None
    sharp = given.stages[3].verification.measurements.sharpness
    blurred = (sharp[0], evolve(sharp[1], log_ratio=-0.7), *sharp[2:])
    record = delivering(given.stages, 3, given, sharpness=blurred)
    assert check_record(record) == ()
    assert Concern("open", f"Blurred, trailed or out of focus: {ROOTS[1]}.") in concerns(record)


def test_images_without_a_focus_index_have_a_page() -> None:
    given = golden_record("undetermined")
    assert given.stages[2].verification is not None
    focus = given.stages[2].verification.measurements.focus
    dark = {"value": None, "y": None, "x": None, "z_score": None}
    exposures = tuple(evolve(each, **dark) for each in focus.exposures)
    without = evolve(focus, product=evolve(focus.product, **dark), exposures=exposures, mean=None, sigma=None)
    record = delivering(given.stages, 2, given, focus=without)
    assert check_record(record) == ()
    assert f"a priori {ABSENT}." in (page_of(record).all("svg")[-2]["aria-label"] or "")


def test_misaligned_flt_files_beside_flc_files_are_told() -> None:
    record = golden_record("aligned-acs")
    final = record.stages[-1]
    assert final.companions_verification is not None
    assert companions_warnings(final, record.products) == ()
    measured = final.companions_verification.measurements
    shifted = (evolve(measured.registration[0], dx_pix=1.5), *measured.registration[1:])
    judged = judge(evolve(measured, registration=shifted))
    assert judged.verdict is Verdict.MISALIGNED
    (warning,) = companions_warnings(evolve(final, companions_verification=judged), record.products)
    assert warning == f"j00101010_drz.fits: the WCS of the FLC files does not align the FLT files: {judged.reason}"
    told = evolve(with_stage(record, Stage.FINAL, companions_verification=judged), warnings=(warning,))
    assert check_record(told) == ()
    assert "final products, FLT</strong> <span class=" in report_page(told, None)
    assert "does not align the FLT files" in report_page(told, None)
    for text in ("\n".join(explain(told)), trailer(told)):
        assert "FLT files, with the WCS of their FLC files" in text
        assert judged.reason in text


@pytest.mark.parametrize("name", ["mended", "aligned-acs", "no-service", "trailed", "excluded"])
def test_hostile_texts_are_only_text(name: str) -> None:
    record = with_texts(golden_record(name), lambda text: text + HOSTILE)
    product = product_of(record)
    assert product is not None
    written = report_page(record, evolve(product, units=HOSTILE))
    found = Page(written)
    assert not LOADING & {tag for tag, _ in found.tags}
    assert not [key for _, attributes in found.tags for key in attributes if key.startswith("on")]
    assert len(found.all("img")) == 2
    assert found.open == []
    assert "\x00" not in written
    assert "\x1b" not in written
    assert '<script>alert("x")</script>' in found.text


def test_label_in_a_plot_is_no_mathematics() -> None:
    assert plain_label("$\\frac{1}{2}$_ok-1") == "??frac?1??2??_ok-1"


def test_name_that_is_no_unicode_can_be_written(tmp_path: Path) -> None:
    record = evolve(golden_record("omitted"), root="a\udcff")
    write_report(record, None, tmp_path / "a.html")
    assert "a\\udcff" in (tmp_path / "a.html").read_text(encoding="utf-8")


def test_singleton_is_not_called_aligned() -> None:
    text = golden_page("single").text
    assert "Alignment not verified: one exposure has nothing to be aligned to." in text
    assert "The alignment was not measured" in text
    assert "No cosmic rays were looked for" in text
    assert "exposures are aligned" not in text


def test_omitted_run_says_so() -> None:
    text = golden_page("omitted").text
    assert "Not drizzled: omitted" in text
    assert "No product was made." in text
    assert "No WCS was chosen." in text
    assert "The alignment was not measured: omitted by DRIZCORR." in text


WHY = {
    "single": "Why: The fit is preferred to the a priori solution and the pipeline default.",
    "misaligned": "Why: The pipeline default is the only WCS that was made.",
    "undetermined": "Why: The a priori solution is preferred to the pipeline default.",
}


@pytest.mark.parametrize(("name", "why"), WHY.items(), ids=WHY)
def test_a_wcs_is_not_chosen_because_it_is_misaligned_or_cannot_be_judged(page: Page, why: str) -> None:
    assert why in page.text


def test_the_product_is_named_once_where_it_has_the_name_of_the_input(page: Page, name: str) -> None:
    record = golden_record(name)
    head = page.source.partition("<h1>")[2].partition("</h1>")[0]
    assert head == record.root
    assert "→ other" in page_of(evolve(record, product="other")).text


def test_a_service_that_gave_no_answer_is_named_with_its_address() -> None:
    text = golden_page("no-service").text
    assert "127.0.0.1:9: The astrometry database gave no usable answer" in text
    assert "GSC242: 127.0.0.1:9: The catalogue service gave no usable answer" in text


def test_missing_values_are_words_or_dashes(page: Page) -> None:
    assert not re.search(r"\b(None|nan|inf)\b", page.text)


def test_what_no_exposure_tells_is_said_of_each() -> None:
    text = golden_page("undetermined").text
    assert "Alignment undetermined: no sources in common with the other exposures." in text
    assert text.count("No sources in common with the other exposures") >= len(ROOTS[:2])


def test_failed_association_names_the_exposure_first(misaligned: RunRecord) -> None:
    found = concerns(misaligned)
    assert found[0].tone == "bad"
    assert ROOTS[2] in found[0].text
    assert ROOTS[0] not in found[0].text
    tones = [concern.tone for concern in found]
    assert set(tones) == {"bad", "open", "none"}
    assert tones == sorted(tones, key=("bad", "open", "none").index)


def test_good_run_without_doubts_has_nothing_to_tell() -> None:
    record = evolve(golden_record("aligned"), warnings=())
    assert concerns(record) == ()
    assert "Nothing needs attention." in report_page(record, None)


def test_same_record_gives_the_same_bytes(misaligned: RunRecord, tmp_path: Path) -> None:
    record, product = misaligned, product_of(misaligned)
    paths = [tmp_path / f"{i}.html" for i in range(3)]
    write_report(record, product, paths[0])
    threads = [threading.Thread(target=write_report, args=(record, product, path)) for path in paths[1:]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({path.read_bytes() for path in paths}) == 1


def test_style_that_a_user_set_for_matplotlib_changes_nothing(misaligned: RunRecord) -> None:
    record, product = misaligned, product_of(misaligned)
    plain = report_page(record, product)
    own: dict[Any, Any] = {
        "text.usetex": True,
        "font.family": "serif",
        "axes.facecolor": "red",
        "savefig.facecolor": "red",
        "svg.hashsalt": "salt",
        "axes.grid": True,
        "axes.unicode_minus": False,
        "lines.linewidth": 9,
    }
    with matplotlib.rc_context(own):
        assert report_page(record, product) == plain


def test_report_changes_no_settings_of_matplotlib(misaligned: RunRecord) -> None:
    before = dict(matplotlib.rcParams)
    report_page(misaligned, product_of(misaligned))
    assert dict(matplotlib.rcParams) == before


def test_arrays_are_only_read(misaligned: RunRecord) -> None:
    product = product_of(misaligned)
    assert product is not None
    for array in (product.sci, product.wht):
        array.setflags(write=False)
    report_page(misaligned, product)


def rendered(given: Table) -> str:
    """The section of a page that holds nothing but a table."""
    view = evolve(report_view(golden_record("omitted"), None), sections=(Section("only", "Only", (given,)),))
    return render(view).partition("Only</h2>")[2].partition("</section>")[0].strip()


def test_table_shows_none_as_a_dash_and_no_rows_as_a_sentence() -> None:
    assert f"<td>{ABSENT}</td>" in rendered(table("caption", ("a", "b"), [("x", None)]))
    assert rendered(table("Files", ("a",), [])) == '<p class="empty">Files: none.</p>'


def test_markup_in_a_cell_or_an_attribute_is_escaped() -> None:
    written = rendered(table('a & "b"', ("<i>",), [("<b>\x1b",)]))
    assert 'aria-label="a &amp; &#34;b&#34;"' in written
    assert '<th scope="col">&lt;i&gt;</th>' in written
    assert '<th scope="row">&lt;b&gt;\N{REPLACEMENT CHARACTER}</th>' in written


def texts_in(part: Any) -> list[str]:
    """Every text that a value holds, however deep."""
    if isinstance(part, str):
        return [part]
    if isinstance(part, tuple):
        return [text for each in part for text in texts_in(each)]
    if attrs.has(type(part)):
        return [text for field in attrs.fields(type(part)) for text in texts_in(getattr(part, field.name))]
    return []


def test_what_the_page_tells_is_known_without_html(name: str, page: Page) -> None:
    view = report_view(golden_record(name), product_of(golden_record(name)))
    told = texts_in((view.headline, view.sections))
    assert view == report_view(golden_record(name), product_of(golden_record(name)))
    assert not [text for text in told if "</" in text or "&" in text]
    shown = " ".join(page.text.split()) + " ".join(str(attributes) for _, attributes in page.tags)
    headings = [section.title for section in view.sections]
    assert [text for text in (*headings, view.headline.alignment, view.title) if text not in shown] == []
    assert [concern.text for concern in view.headline.concerns if concern.text not in shown] == []


def test_every_row_of_every_table_has_a_cell_for_each_column(name: str) -> None:
    view: Report = report_view(golden_record(name), None)
    tables = [part for section in view.sections for part in tables_in(section)]
    assert tables
    assert {len(row) - len(each.columns) for each in tables for row in each.rows} <= {0}


def paragraphs_in(part: Any) -> list[str]:
    if isinstance(part, Paragraph):
        return [part.text]
    return [text for block in getattr(part, "blocks", ()) for text in paragraphs_in(block)]


def test_every_sentence_of_the_page_has_one_stop_at_its_end(name: str) -> None:
    view = report_view(golden_record(name), None)
    told = [text for section in view.sections for text in paragraphs_in(section)]
    told += [concern.text for concern in view.headline.concerns] + [view.headline.alignment]
    told += [view.headline.reason] if view.headline.reason else []
    assert [text for text in told if not re.search(r"[^.]\.$", text)] == []


def test_an_attempt_without_a_fit_has_no_number_of_matches_beside_its_reason() -> None:
    section = aposteriori_section(golden_record("aposteriori-reverted"))
    attempts = next(each for each in tables_in(section) if each.caption.startswith("Fits to catalogues"))
    column = [each.title for each in attempts.columns].index("Matches")
    assert [(row[column], row[-1]) for row in attempts.rows] == [(None, "There are 2 matches; a fit needs 3.")] * 2


def tables_in(part: Any) -> list[Table]:
    if isinstance(part, Table):
        return [part]
    return [each for block in getattr(part, "blocks", ()) for each in tables_in(block)]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ABSENT), (1.23456, "1.235"), (float("inf"), "∞"), (-float("inf"), "\N{MINUS SIGN}∞"),
     (float("nan"), "not a number")],
)  # fmt: skip
def test_numbers_that_are_none_or_infinite_have_words(value: float | None, text: str) -> None:
    assert fixed(value) == text
    assert significant(value) == text
