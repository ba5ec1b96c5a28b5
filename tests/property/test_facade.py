"""What users import: every name is there, is told in the documentation, and costs nothing until it is used."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import astrodriz
import astrodriz.errors
import astrodriz_core.errors

SOURCE = Path(astrodriz.__file__)
API = SOURCE.parents[2] / "docs" / "api.md"


def imports_for_type_checkers() -> dict[str, str]:
    block = next(node for node in ast.parse(SOURCE.read_text(encoding="utf-8")).body if isinstance(node, ast.If))
    statements = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in statements for alias in node.names}


@pytest.mark.parametrize("name", astrodriz.__all__)
def test_every_name_is_there_under_its_own_name(name):
    assert getattr(getattr(astrodriz, name), "__name__", name).rpartition(".")[2] == name


def test_type_checkers_see_the_names_that_are_loaded():
    assert imports_for_type_checkers() == dict(astrodriz._HOMES)
    assert {*imports_for_type_checkers(), "errors"} == set(astrodriz.__all__)


def test_the_documentation_tells_each_name_and_no_other():
    assert set(re.findall(r"\*\*`(\w+)`\*\*", API.read_text(encoding="utf-8"))) == set(astrodriz.__all__)


def test_all_errors_are_there():
    errors = {name for name, value in vars(astrodriz_core.errors).items() if isinstance(value, type)}
    assert errors == set(astrodriz.errors.__all__)


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = astrodriz.nonsense


def test_dir_lists_all_names():
    assert set(astrodriz.__all__) <= set(dir(astrodriz))


def test_importing_it_loads_no_library():
    code = (
        "import astrodriz, sys; print([name for name in ('numpy', 'astropy', 'scipy', 'attrs') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                         env={"PYTHONPATH": ":".join(sys.path)})  # fmt: skip
    assert ran.stdout.strip() == "[]"
