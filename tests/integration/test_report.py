"""The report page: complete, self-contained, safe against what headers may hold, the same bytes every time."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import example_measurements as measured
import example_records as example
import matplotlib
import pytest
from attrs import evolve

from astrodriz_core.records.run import RunRecord
from astrodriz_core.tell.explain import explain
from astrodriz_core.verify.verification import judge
from astrodriz_io.record_files.trailer import summary, trailer
from astrodriz_io.report.headline import concerns
from astrodriz_io.report.html import ABSENT, Html, element, fixed, significant, table
from astrodriz_io.report.page import LINKS, report_page, write_report
from astrodriz_io.report.svg import plain_label
from astrodriz_io.run.record import companions_warnings

HOSTILE = "</title></style><script>alert(\"x\")</script><img src=x onerror='y()'>&$\\frac{\x00\x1b[2J"
LOADING = {"script", "link", "iframe", "object", "embed", "base", "form", "audio", "video"}
VOID = {"meta", "img"}


class Page(HTMLParser):
    """What a browser finds in a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
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


def misaligned() -> RunRecord:
    bad = measured.measurements(measured.BAD_OFFSETS)
    return example.association_record(before=bad, after=bad)


def reverted() -> RunRecord:
    """The fit to Gaia puts an exposure off its place, and is turned down like the a priori WCS."""
    return example.association_record(after=measured.measurements(measured.BAD_OFFSETS))


def unmeasured() -> RunRecord:
    nothing = measured.unmeasured()
    return example.association_record(before=nothing, after=nothing)


RECORDS: dict[str, Callable[[], RunRecord]] = {
    "aligned": example.association_record,
    "misaligned": misaligned,
    "reverted": reverted,
    "unmeasured": unmeasured,
    "singleton": example.singleton_record,
    "omitted": example.omitted_record,
}


@pytest.fixture(params=RECORDS, scope="module")
def page(request: pytest.FixtureRequest) -> Page:
    """The page of each kind of run."""
    record = RECORDS[request.param]()
    return Page(report_page(record, measured.example_product() if record.products else None))


@pytest.fixture(scope="module")
def aligned() -> Page:
    return Page(report_page(example.association_record(), measured.example_product()))


def test_every_element_is_closed(page: Page) -> None:
    assert page.open == []


def test_page_loads_nothing(page: Page) -> None:
    assert not LOADING & {tag for tag, _ in page.tags}
    for _, attributes in page.tags:
        for name in ("src", "href", "xlink:href", "srcset", "action", "data"):
            target = attributes.get(name) or "#"
            assert target.startswith(("#", "data:image/png;base64,")), target
        assert not [name for name in attributes if name.startswith("on")]


def test_page_names_no_address() -> None:
    text = report_page(example.association_record(), measured.example_product())
    assert "http:" not in text
    assert "https:" not in text
    assert "@import" not in text


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


def test_page_shows_what_the_record_holds(aligned: Page) -> None:
    for text in ("WFC3/IR", "F140W", example.GAIA, example.HSC, "driz_cr_snr", example.SHA, "gaia.ecsv",
                 "made for another IDCTAB", "final_scale = 0.06", "0.0676", "0.598 %", *measured.ROOTS):  # fmt: skip
        assert text in aligned.text, text
    for policy in ("documented", "drizzlepac", "calibrated"):
        assert policy in aligned.text


def test_plots_show_each_verified_stage_once(aligned: Page) -> None:
    # The final product is the one of the a posteriori stage.
    names = [attributes["aria-label"] or "" for attributes in aligned.all("svg")]
    assert sum("Residual offsets" in name for name in names) == 3


@pytest.mark.parametrize(
    ("made", "in_use"),
    [(example.association_record, "a posteriori"), (reverted, "default products"), (misaligned, "default products")],
)
def test_only_the_stage_whose_product_is_delivered_is_called_in_use(made: Callable[[], RunRecord], in_use: str) -> None:
    text = report_page(made(), measured.example_product())
    assert re.findall(r"<strong>([^<]*) \(in use\)</strong>", text) == [in_use]
    others = {"default products", "a priori", "a posteriori"} - {in_use}
    assert set(re.findall(r"<summary>Checks of stage ([^<]*)</summary>", text)) == others


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (example.association_record, "The exposures are aligned to each other."),
        (reverted, "The exposures are aligned to each other."),
        (misaligned, "The exposures are not aligned to each other."),
        (unmeasured, "The images do not tell whether the exposures are aligned."),
        (example.singleton_record, "Not verified: one exposure has nothing to be aligned to."),
        (example.omitted_record, "Not drizzled: omitted by DRIZCORR."),
    ],
)
def test_every_report_says_the_same_of_the_alignment(made: Callable[[], RunRecord], sentence: str) -> None:
    record = made()
    head = report_page(record, measured.example_product() if record.products else None).partition("</header>")[0]
    assert sentence in Page(f"{head}</header></main></body></html>").text
    if record.selection is not None:
        assert f"Alignment: {sentence}" in summary(record)
        assert sentence in explain(record)
        assert f"  alignment: {sentence}" in trailer(record).splitlines()


def test_tiles_have_the_figures_of_the_delivered_product() -> None:
    record = reverted()
    tiles = dict(zip(*[iter(re.findall(r"<d[td]>([^<]*)</d[td]>", report_page(record, None)))] * 2, strict=True))
    worst = record.stages[1].verification.worst
    assert tiles["Largest offset"] == f"{worst.offset_pix:.3f} px"
    assert tiles["Similarity index"] == "0.02"
    assert tiles["Fit to a catalogue"] == "none"


def test_a_verdict_that_is_not_aligned_needs_attention() -> None:
    assert "Off its place" in report_page(misaligned(), None)
    assert "It is not known whether the exposures are aligned" in report_page(unmeasured(), None)


def test_misaligned_flt_files_beside_flc_files_are_told() -> None:
    record = example.association_record()
    judged = judge(measured.measurements(measured.BAD_OFFSETS))
    final = evolve(record.stages[-1], companions=record.stages[-1].drizzle, companions_verification=judged)
    products = (record.products[0], evolve(record.products[0], filename="iabc01010_drz.fits"))
    warnings = companions_warnings(final, products)
    assert warnings == (f"iabc01010_drz.fits: the WCS of the FLC files does not align the FLT files: {judged.reason}",)
    assert companions_warnings(record.stages[-1], record.products) == ()
    told = evolve(record, stages=(*record.stages[:-1], final), warnings=warnings)
    assert "final products, FLT</strong> <span class=" in report_page(told, None)
    assert "does not align the FLT files" in report_page(told, None)
    for text in ("\n".join(explain(told)), trailer(told)):
        assert "FLT files, with the WCS of their FLC files" in text
        assert judged.reason in text


def test_hostile_texts_are_only_text() -> None:
    record = example.with_texts(misaligned(), lambda text: text + HOSTILE)
    written = report_page(record, evolve(measured.example_product(), units=HOSTILE))
    found = Page(written)
    assert not LOADING & {tag for tag, _ in found.tags}
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
    assert len(found.all("img")) == 2
    assert found.open == []
    assert "\x00" not in written
    assert "\x1b" not in written
    assert '<script>alert("x")</script>' in found.text


def test_label_in_a_plot_is_no_mathematics() -> None:
    assert plain_label("$\\frac{1}{2}$_ok-1") == "??frac?1??2??_ok-1"


def test_name_that_is_no_unicode_can_be_written(tmp_path: Path) -> None:
    record = evolve(example.omitted_record(), root="a\udcff")
    write_report(record, None, tmp_path / "a.html")
    assert "a\\udcff" in (tmp_path / "a.html").read_text(encoding="utf-8")


def test_singleton_is_not_called_aligned() -> None:
    text = Page(report_page(example.singleton_record(), measured.example_product())).text
    assert "Not verified: one exposure has nothing to be aligned to." in text
    assert "The alignment was not measured" in text
    assert "No cosmic rays were looked for" in text
    assert "the catalogue gave no answer" in text


def test_omitted_run_says_so() -> None:
    text = Page(report_page(example.omitted_record(), None)).text
    assert "Not drizzled: omitted" in text
    assert "No product was made." in text


def test_missing_measurements_are_dashes() -> None:
    text = Page(report_page(unmeasured(), measured.example_product())).text
    assert "The images do not tell" in text
    assert "no source was found" in text
    assert not re.search(r"\b(None|nan|inf)\b", text)


def test_failed_association_names_the_exposure_first() -> None:
    found = concerns(evolve(misaligned(), warnings=("doubt",)))
    assert found[0].tone == "bad"
    assert measured.ROOTS[2] in found[0].text
    assert measured.ROOTS[0] not in found[0].text
    tones = [concern.tone for concern in found]
    assert tones == sorted(tones, key=("bad", "open", "none").index)


def test_good_run_without_doubts_has_nothing_to_tell() -> None:
    record = example.association_record()
    kept = tuple(stage for stage in record.stages if stage.outcome.value != "reverted")
    assert concerns(evolve(record, stages=kept, warnings=())) == ()


def test_repaired_default_and_left_out_exposure_are_told() -> None:
    record = example.association_record(
        before=measured.measurements(measured.BAD_OFFSETS), excluded=(example.left_out(),)
    )
    texts = " ".join(concern.text for concern in concerns(record))
    assert "with the WCS in use they are not" in texts
    assert "iabc01aeq is left out: EXPTIME is 0." in texts


def test_same_record_gives_the_same_bytes(tmp_path: Path) -> None:
    record, product = misaligned(), measured.example_product()
    paths = [tmp_path / f"{i}.html" for i in range(3)]
    write_report(record, product, paths[0])
    threads = [threading.Thread(target=write_report, args=(record, product, path)) for path in paths[1:]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({path.read_bytes() for path in paths}) == 1


def test_style_that_a_user_set_for_matplotlib_changes_nothing() -> None:
    record, product = misaligned(), measured.example_product()
    plain = report_page(record, product)
    own = {"text.usetex": True, "font.family": "serif", "axes.facecolor": "red", "savefig.facecolor": "red",
           "svg.hashsalt": "salt", "axes.grid": True, "axes.unicode_minus": False, "lines.linewidth": 9}  # fmt: skip
    with matplotlib.rc_context(own):
        assert report_page(record, product) == plain


def test_report_changes_no_settings_of_matplotlib() -> None:
    before = dict(matplotlib.rcParams)
    report_page(misaligned(), measured.example_product())
    assert dict(matplotlib.rcParams) == before


def test_arrays_are_only_read() -> None:
    product = measured.example_product()
    for array in (product.sci, product.wht):
        array.setflags(write=False)
    report_page(example.association_record(), product)


def test_element_escapes_texts_and_attributes_but_not_html() -> None:
    made = element("p", "<b>", Html("<i></i>"), 3, class_='"x"', aria_label="a & b")
    assert made == '<p class="&quot;x&quot;" aria-label="a &amp; b">&lt;b&gt;<i></i>3</p>'


def test_table_shows_none_as_a_dash_and_no_rows_as_a_sentence() -> None:
    assert f"<td>{ABSENT}</td>" in table("caption", ("a", "b"), [("x", None)])
    assert table("Files", ("a",), []) == '<p class="empty">Files: none.</p>'


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ABSENT), (1.23456, "1.235"), (float("inf"), "∞"), (-float("inf"), "\N{MINUS SIGN}∞"),
     (float("nan"), "not a number")],
)  # fmt: skip
def test_numbers_that_are_none_or_infinite_have_words(value: float | None, text: str) -> None:
    assert fixed(value) == text
    assert significant(value) == text
