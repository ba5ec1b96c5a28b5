"""What all commands have in common: help with examples, one form of JSON, quiet and verbose, completion."""

import json
import logging
import shlex
import shutil
import subprocess
from importlib import import_module
from io import StringIO

import pytest
from dead_runs import dead_workspace
from golden_runs import FOLDER, golden_record
from rich.console import Console

from astrodriz_core.tell.verdict import last_line, verdict
from astrodriz_io.cli import COMMANDS, EXAMPLES, astrodriz, parsers, runastrodriz
from astrodriz_io.commands.answer import Answer, printed
from astrodriz_io.runtime.log import logged_to_terminal
from astrodriz_io.runtime.progress import SilentProgress, TerminalProgress, progress_for

MENDED, MISALIGNED = (str(FOLDER / f"{name}.json") for name in ("mended", "misaligned"))


@pytest.fixture(scope="module")
def programs():
    return parsers()


def command_module(name):
    return import_module(f"astrodriz_io.commands.{name}")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples_that_its_parser_takes(name, programs):
    examples = command_module(name).EXAMPLES
    assert 2 <= len(examples) <= 3
    for line, purpose in (*examples, *EXAMPLES):
        program, *words = shlex.split(line.partition(" > ")[0])
        parsed = programs[program].parsed(words)
        assert parsed.act is command_module(parsed.command).act
        assert purpose
    assert all(name in (line.split()[1], {"runastrodriz": "run"}.get(line.split()[0])) for line, _ in examples)


@pytest.mark.parametrize("command", [runastrodriz, astrodriz])
def test_help_ends_with_examples(command, capsys):
    with pytest.raises(SystemExit):
        command(["-h"])
    text = capsys.readouterr().out
    assert "\nexamples:\n  " in text
    assert command.__name__ in text.partition("examples:")[2]


def result_of(words, code, capsys):
    assert astrodriz([*words, "--json"]) == code
    tree = json.loads(capsys.readouterr().out)
    assert list(tree)[:3] == ["command", "exit_code", "summary"]
    assert (tree["command"], tree["exit_code"]) == (words[0], code)
    return tree


def test_explain_in_json_has_the_result_of_the_run(capsys):
    tree, record = result_of(["explain", MENDED], 0, capsys), golden_record("mended")
    assert tree["summary"] == tree["explanation"][-1] == last_line(record)
    assert (tree["root"], tree["alignment"]) == (record.root, "aligned")
    assert tree["wcs"]["name"] == record.selection.wcsname
    assert (tree["wcs"]["origin"], tree["wcs"]["matches"]) == ("a posteriori", 3)
    assert f"{tree['misalignment_mas']:.1f} +- {tree['misalignment_error_mas']:.1f} mas" in tree["summary"]
    assert tree["stages"]["a priori"] == "reverted"
    assert tree["products"] == ["i00101010_drz.fits"]


def test_what_a_run_does_not_have_is_null_in_json(capsys):
    tree = result_of(["explain", str(FOLDER / "omitted.json")], 0, capsys)
    assert [tree[key] for key in ("wcs", "alignment", "misalignment_mas")] == [None] * 3
    single = result_of(["explain", str(FOLDER / "no-service.json")], 0, capsys)
    assert (single["wcs"]["matches"], single["wcs"]["rms_mas"]) == (None, None)


def test_diff_in_json_lists_every_change_and_ends_with_what_came_of_them(capsys):
    tree = result_of(["diff", MENDED, MISALIGNED], 1, capsys)
    assert tree["different"]
    assert {"topic", "place", "before", "after"} == tree["changes"][0].keys()
    wcs = "the final WCS was IDC_sim00101i-FIT_REL_GAIAeDR3 and is IDC_sim00101i."
    assert tree["summary"].startswith(f"{len(tree['changes'])} values differ (run, settings")
    assert tree["summary"].endswith(wcs)
    same = result_of(["diff", MENDED, MENDED], 0, capsys)
    assert (same["different"], same["changes"]) == (False, [])
    assert same["summary"] == "The two runs decided the same on the same numbers."


def test_clean_in_json_names_what_is_left(tmp_path, capsys):
    tree = result_of(["clean", str(tmp_path)], 0, capsys)
    assert (tree["removed"], tree["leftovers"]) == (False, [])
    assert tree["summary"] == "Nothing is left of dead runs."
    dead_workspace(tmp_path)
    listed = result_of(["clean", str(tmp_path)], 0, capsys)["leftovers"]
    assert "workspace" in {each["kind"] for each in listed}
    assert all(each["holder"] is None for each in listed)
    removed = result_of(["clean", str(tmp_path), "--remove"], 0, capsys)
    assert (removed["removed"], removed["summary"]) == (True, "Nothing is left of dead runs.")
    assert [each["name"] for each in removed["leftovers"]] == [each["name"] for each in listed]


def test_an_empty_cache_of_catalogues_is_an_empty_list_in_json(tmp_path, capsys):
    assert result_of(["catalog", "list", "--cache", str(tmp_path)], 0, capsys)["catalogs"] == []


def test_report_in_json_names_the_page(tmp_path, capsys):
    page = tmp_path / "page.html"
    tree = result_of(["report", MENDED, "-o", str(page)], 0, capsys)
    assert tree["page"] == str(page)
    assert tree["without_pictures"] == "i00101010_drz.fits does not lie beside the record"


def test_quiet_is_the_verdict_alone(capsys):
    assert astrodriz(["explain", "-q", MENDED]) == 0
    told = capsys.readouterr()
    assert told.out == f"{verdict(golden_record('mended'))} See i00101010_report.html.\n"
    assert told.err == ""


def test_lines_come_one_by_one_unless_the_last_one_alone_is_asked_for():
    seen = []

    def lines():
        for line in ("a", "b"):
            seen.append(line)
            yield line

    told = printed(Answer(lines()), "x", as_json=False, quiet=False)
    assert next(told) == "a"
    assert seen == ["a"]
    assert list(printed(Answer(lines()), "x", as_json=False, quiet=True)) == ["b"]


def test_quiet_shows_no_progress_and_a_terminal_shows_the_time_left(monkeypatch):
    with progress_for(StringIO(), quiet=True) as progress:
        assert isinstance(progress, SilentProgress)
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = StringIO()
    console = Console(file=terminal, force_terminal=True, width=120)
    shown = TerminalProgress(console)
    assert list(shown.track(range(3), "Drizzle", 3)) == [0, 1, 2]
    shown.close()
    text = terminal.getvalue()
    assert "left" in text
    assert "0:00:00" in text
    assert "\x1b[3" not in text.replace("\x1b[3A", "")


def test_a_pipe_gets_no_colours_and_no_bars():
    stream = StringIO()
    with progress_for(stream) as progress:
        progress.stage("Drizzle")
        assert list(progress.track([1], "chips", 1)) == [1]
    assert stream.getvalue() == "== Drizzle\n   chips (1)\n"


def test_verbose_tells_what_is_logged_and_leaves_no_handler(capsys):
    logger = logging.getLogger("astrodriz_io")
    before = list(logger.handlers)
    for verbose, told in ((True, "INFO    asked the database\n"), (False, "")):
        with logged_to_terminal(verbose=verbose):
            logging.getLogger("astrodriz_io.services").info("asked the database")
        assert capsys.readouterr().err == told
    assert logger.handlers == before


def test_verbose_has_no_short_flag_where_the_guiding_check_has_it(programs):
    assert programs["runastrodriz"].parsed(["x_asn.fits", "-v"]).verify_guiding
    assert not programs["runastrodriz"].parsed(["x_asn.fits", "-v"]).verbose
    assert programs["runastrodriz"].parsed(["x_asn.fits", "--verbose"]).verbose
    assert programs["astrodriz"].parsed(["verify", "x_asn.fits", "-v"]).verbose


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_shell_can_read_the_completion_of_both_programs(shell, capsys, tmp_path):
    assert astrodriz(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(word in script for word in ("runastrodriz", "verify", "--overwrite", "--headerlets"))
    if shutil.which(shell):
        (tmp_path / "script").write_text(script)
        assert subprocess.run([shell, "-n", str(tmp_path / "script")], capture_output=True).returncode == 0
