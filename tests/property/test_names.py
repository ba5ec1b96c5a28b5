"""Names that others give us: what passes the gate stays in its folder, and no path is made without it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrodriz_core.errors import InputError
from astrodriz_core.names import RESERVED, ChipKey, file_name, file_stem, rootname
from astrodriz_core.records.drizzling import ChipSky, CosmicRayCount

SOURCE = Path(__file__).parents[2] / "src" / "astrodriz_io"
GATE = {"places.py"}
ELSEWHERE = ("../escaped", "a/b", "/abs", "..", ".", "", "a" * 300, "a\0b", "a\nb", "a\\b", ".hidden", "*", "~x", "$x")
FOLDER = Path("folder")


@pytest.mark.parametrize("name", [*ELSEWHERE, "commit", "COMMIT", "scratch", "CON", "a b", "\u00e9t\u00e9", "\udce9"])
def test_what_is_no_root_is_refused_with_its_place(name: str) -> None:
    with pytest.raises(InputError, match=r"x_flt\.fits: ROOTNAME") as caught:
        file_stem(name, "x_flt.fits: ROOTNAME")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", [*ELSEWHERE, "\udce9"])
def test_what_is_no_file_name_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="plain file name"):
        file_name(name, "record.json")


@pytest.mark.parametrize("name", ["iabc01aaq", "IABC01AAQ", "my-field_2", "a" * 64])
def test_roots_pass_unchanged_and_rootnames_in_lower_case(name: str) -> None:
    assert file_stem(name, "") == name
    assert rootname(name, "") == name.lower()


@given(st.text(max_size=80))
def test_what_passes_names_a_file_in_its_folder(name: str) -> None:
    for gate in (file_stem, file_name):
        try:
            passed = gate(name, "")
        except InputError:
            continue
        path = FOLDER / f"{passed}_x.fits"
        assert path.parent == FOLDER
        assert passed.lower() not in RESERVED or gate is file_name
        assert path.name.encode().decode() == path.name


def test_paths_are_made_of_names_in_one_module_only() -> None:
    """``folder / f"..."`` or ``folder / name`` elsewhere would go around the gate, `astrodriz_io.storage.places`."""
    found = [
        f"{path.relative_to(SOURCE)}:{getattr(node, 'lineno', 0)}"
        for path in sorted(SOURCE.rglob("*.py"))
        if path.name not in GATE and "simulate" not in path.parts
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if _joins_a_name(node)
    ]
    assert not found, found


def _joins_a_name(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return _is_name(node.right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in ("with_name", "with_stem", "joinpath") and any(map(_is_name, node.args))
    return False


def _is_name(node: ast.expr) -> bool:
    """Whether an expression gives a text that is no constant: an f-string, or something called a name."""
    if isinstance(node, ast.JoinedStr):
        return True
    called = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return called in ("name", "filename", "root", "stem", "rootname", "product", "value")


def test_a_chip_has_one_key_in_every_record_and_the_text_that_files_are_named_by() -> None:
    key = ChipKey("iabc01aaq", 2)
    assert ChipSky("iabc01aaq", 2, 0.5, "ELECTRONS").key == CosmicRayCount("iabc01aaq", 2, 1, 0.1).key == key
    assert {key: True}[ChipKey("iabc01aaq", 2)]
    assert str(key) == f"{key}" == "iabc01aaq_2"
