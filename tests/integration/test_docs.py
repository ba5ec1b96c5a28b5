"""The documentation against the code: links, flags, variables, tables, records and examples."""

from __future__ import annotations

import doctest
import enum
import re
import shutil
import typing
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest
from whole_runs import NO_SERVICES

from astrodriz import Policy, RunRecord, SimulatedAssociation
from astrodriz_core.align.absolute import NEEDED_SIGNIFICANCE
from astrodriz_core.decide.keep import LIMITS
from astrodriz_core.instruments.observation import CONSEQUENCES, Condition, Consequence
from astrodriz_core.parameters.alignment import MIN_MATCHES
from astrodriz_core.parameters.choices import FitGeometry
from astrodriz_core.verify.calibration import CALIBRATION
from astrodriz_io.cli import astrodriz, runastrodriz
from astrodriz_io.inputs.reference_folders import REFERENCE_VARIABLES, ReferenceFolders
from astrodriz_io.run import settings
from astrodriz_io.run.options import Option, options_of
from astrodriz_io.run.results import ENDINGS
from astrodriz_io.terminal import exit_codes

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

CONSEQUENCE_WORDS = {
    Consequence.LEFT_OUT: "left out of every product",
    Consequence.NOT_ALIGNED: "combined, not aligned",
    Consequence.COMPROMISED: "combined and aligned, with a warning",
}


def page(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def rows(name: str) -> list[list[str]]:
    """Cells of every table row of a page."""
    lines = (line.strip() for line in page(name).splitlines())
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]


def blocks(text: str, language: str) -> list[str]:
    return [code for found, code in FENCE.findall(text) if found == language]


def anchors(text: str) -> set[str]:
    """Names that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def usage(capsys: pytest.CaptureFixture[str], command: Callable[[list[str]], int], *words: str) -> set[str]:
    """Flags that a command says it has."""
    with pytest.raises(SystemExit):
        command([*words, "-h"])
    synopsis = capsys.readouterr().out.partition("\n\n")[0]
    return set(re.findall(r"(?<![\w-])(--?[\w-]+)", synopsis))


class Recorder(dict[str, str]):
    """An empty environment that remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def get(self, key, default=None):
        self.asked.add(key)
        return default

    def __contains__(self, key: object) -> bool:
        self.asked.add(str(key))
        return False


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_relative_link_leads_somewhere(path):
    for link in LINK.findall(path.read_text("utf-8")):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.is_file(), f"{path.name}: {link}"
        assert not anchor or anchor in anchors(target.read_text("utf-8")), f"{path.name}: {link}"


PAGES_WITH_CODE = [path.relative_to(ROOT).as_posix() for path in PAGES if blocks(path.read_text("utf-8"), "python")]


@pytest.mark.parametrize("name", PAGES_WITH_CODE)
def test_code_on_a_page_does_what_it_says(name, ir_run, ir_association, reference_environment, tmp_path, monkeypatch):
    """In the folder that a run left, with the inputs beside it; the names of the examples are those of its files."""
    record, folder = ir_run
    shutil.copytree(folder, tmp_path / "run")
    shutil.copytree(ir_association.folder, tmp_path / "run" / "untouched")
    reference_environment(ir_association)
    for variable, address in NO_SERVICES.items():
        monkeypatch.setenv(variable, address)
    monkeypatch.chdir(tmp_path / "run")
    found: dict[str, object] = {}
    for code in blocks(page(name), "python"):
        exec(re.sub(r"\bi\w{4}\d{4}(?=[_.])", record.root, code), found)
    CHECKS[name](found, record)


def check_record_and_mask(found, record):
    assert found["record"] == record
    for count in record.stages[1].drizzle.cosmic_rays:
        assert found["read_mask"](f"{record.root}_decisions.zip", count.mask).sum() == count.pixels > 0


def check_score(found, record):
    assert found["score"].absolute_rms_mas < 20


def check_replay(found, record):
    assert len(found["result"].files) == len(record.outputs) + len(record.products)


def check_run(found, record):
    assert found["record"].root == record.root
    assert found["record"].outcome is record.outcome


CHECKS = {
    "docs/records.md": check_record_and_mask,
    "docs/running.md": check_score,
    "docs/replay.md": check_replay,
    "README.md": check_run,
}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_files_of_the_repository_that_pages_name_exist(path):
    for name in re.findall(r"`((?:tests|benchmarks|docs|src)/[\w/.]+)`", path.read_text("utf-8")):
        assert (ROOT / name).exists(), f"{path.name}: {name}"
    for room, name in re.findall(r"`(core|io)/([\w/.]+\.py)`", path.read_text("utf-8")):
        assert (ROOT / "src" / f"astrodriz_{room}" / name).is_file(), f"{path.name}: {room}/{name}"


def test_the_table_of_flags_has_every_flag_of_a_run_and_no_other(capsys):
    first_cells = {cell.strip("`").split()[0] for cell, *_ in rows("docs/running.md") if cell.startswith("`-")}
    assert usage(capsys, runastrodriz) == first_cells


OPTIONS = tuple(options_of(settings.Settings).values())


def setting_row(field: attrs.Attribute[object], option: Option) -> list[str]:
    """What the table of settings says of one."""
    switched_off = option.parse is None and field.default is True
    flag = " ".join(filter(None, (option.flag, option.metavar or ("|".join(option.choices) and "P"))))
    argument = f"{option.argument}{'=False' if switched_off else ''}" if option.argument else ""
    variables = option.variable.names if option.variable else ()
    kept = "yes" if option.recorded else "no"
    return [*(f"`{cell}`" if cell else "" for cell in (field.name, flag, argument)),
            ", ".join(f"`{name}`" for name in variables), kept]  # fmt: skip


def test_the_table_of_settings_is_what_their_definition_says():
    expected = [setting_row(field, option) for field, option in OPTIONS]
    table = [row for row in rows("docs/running.md") if len(row) == 5 and row[4] in ("yes", "no")]
    assert table == expected


def test_the_table_of_flags_writes_them_as_the_table_of_settings_does():
    told = {cell.strip("`") for cell, *_ in rows("docs/running.md") if cell.startswith("`-")}
    flags = {setting_row(field, option)[1].strip("`") for field, option in OPTIONS if option.flag != field.name}
    assert flags - {""} <= told


def test_every_option_of_verify_is_told(capsys):
    told = page("docs/running.md").partition("### astrodriz verify")[2]
    assert all(flag in told for flag in usage(capsys, astrodriz, "verify") - {"-h"})


def test_options_of_commands_in_the_examples_exist(capsys):
    used = re.findall(r"astrodriz (simulate|verify|parameters|demo|catalog \w+) ([^`\n]*)", page("docs/running.md"))
    assert used
    for command, words in used:
        assert set(re.findall(r"--[\w-]+", words)) <= usage(capsys, astrodriz, *command.split())


def test_every_variable_that_is_read_is_in_a_table():
    environment = Recorder()
    settings.settings_from_environment(settings.Settings(num_cores=1), environment)
    ReferenceFolders.from_environment(environment)
    told = {cell.strip("`") for cell, *_ in rows("docs/running.md")}
    switches = {name for _, option in OPTIONS for name in (option.variable.names if option.variable else ())}
    assert {"CRDS_PATH", *REFERENCE_VARIABLES, *switches} <= environment.asked
    assert environment.asked <= told


def test_addresses_of_the_services_are_those_in_use():
    services = settings.ServiceAddresses()
    text = page("docs/running.md")
    assert all(f"`{address}`" in text for address in attrs.astuple(services))


def test_every_exit_code_is_in_its_table():
    codes = {exit_codes.EXIT_DONE, exit_codes.EXIT_DIFFERENT, exit_codes.EXIT_INTERNAL}
    codes |= {*exit_codes.VERDICT_CODES.values()}
    codes |= {code for _, code in exit_codes.ERROR_CODES}
    told = {int(cell) for cell, *_ in rows("docs/running.md") if cell.isdigit()}
    assert codes <= told
    assert told - codes <= {130}


def test_every_file_that_a_run_leaves_is_in_its_table():
    told = " ".join(cell for cell, *_ in rows("docs/running.md"))
    assert all(f"`<root>{ending}`" in told for ending in ENDINGS.values())


def test_every_condition_is_in_its_table_with_its_consequence():
    told = {row[0].strip("`"): row[2] for row in rows("docs/decisions.md") if len(row) == 3}
    assert {item.name: CONSEQUENCE_WORDS[CONSEQUENCES[item]] for item in Condition}.items() <= told.items()


def test_every_policy_is_in_its_table():
    told = {cell.strip("`") for cell, *_ in rows("docs/decisions.md")}
    assert {policy.value for policy in Policy} <= told


@pytest.mark.parametrize("numbers", [CALIBRATION, LIMITS])
def test_the_tables_of_numbers_have_those_in_force(numbers):
    told = {row[0].strip("`"): row[1] for row in rows("docs/decisions.md")}
    assert attrs.asdict(numbers) == {name: float(told[name]) for name in attrs.asdict(numbers)}


def test_the_table_of_geometries_has_their_numbers():
    told = {row[0]: row for row in rows("docs/decisions.md") if len(row) == 4}
    for geometry, fewest in MIN_MATCHES:
        assert int(told[geometry.value][2]) == fewest
        if geometry is not FitGeometry.SHIFT:
            assert float(told[geometry.value][3].split()[0]) == NEEDED_SIGNIFICANCE[geometry]


def types_within(hint: object) -> Iterator[type]:
    if isinstance(hint, type):
        yield hint
    for part in typing.get_args(hint):
        yield from types_within(part)


def reachable(record: type) -> list[type]:
    """Every record class and enum that a record can hold."""
    found = [record]
    for cls in found:
        if not attrs.has(cls):
            continue
        for hint in typing.get_type_hints(cls).values():
            found += [
                kind for kind in types_within(hint)
                if kind not in found and (attrs.has(kind) or issubclass(kind, enum.Enum))
            ]  # fmt: skip
    return found


def own(kind: type) -> bool:
    """Whether a class is told in full; the drizzle parameters are told by ``astrodriz parameters``."""
    return kind.__module__.startswith("astrodriz_core.records")


def test_every_record_class_is_told_with_all_its_fields():
    told = [row for row in rows("docs/records.md") if row[0].startswith("`")]
    for kind in reachable(RunRecord):
        if not (attrs.has(kind) and own(kind)):
            continue
        fields = ", ".join(f"`{field.name}`" for field in attrs.fields(kind))
        assert any(row[0] == f"`{kind.__name__}`" and row[1] == fields for row in told), f"{kind.__name__}: {fields}"


def test_every_enum_of_the_records_is_told_with_all_its_values():
    told = {row[0].strip("`"): row[1] for row in rows("docs/records.md")}
    for kind in reachable(RunRecord):
        if issubclass(kind, enum.Enum) and own(kind):
            assert told[kind.__name__] == ", ".join(f"`{member.value}`" for member in kind), kind.__name__


def test_the_tree_of_the_record_names_every_class():
    tree = page("docs/records.md").partition("## Tree")[2].partition("## Classes")[0]
    classes = {kind.__name__ for kind in reachable(RunRecord) if attrs.has(kind)}
    assert set(re.findall(r"^    .*?([A-Z][a-z]\w+)", tree, re.MULTILINE)) == classes


def test_examples_of_the_api_run_and_then_those_of_the_inside(
    ir_association: SimulatedAssociation,
    reference_environment: Callable[[SimulatedAssociation], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "sim"
    shutil.copytree(ir_association.folder, folder)
    reference_environment(ir_association)
    monkeypatch.chdir(folder)
    for name, least in (("api.md", 40), ("inside.md", 60)):
        text = "\n".join(blocks(page(f"docs/{name}"), "pycon"))
        test = doctest.DocTestParser().get_doctest(text, {}, name, f"docs/{name}", 0)
        assert len(test.examples) > least
        complaints: list[str] = []
        doctest.DocTestRunner(verbose=False).run(test, out=complaints.append)
        assert not complaints, "".join(complaints)
