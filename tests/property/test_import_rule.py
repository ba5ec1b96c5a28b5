"""The core is pure: it imports nothing that touches files, clock, environment, log or network."""

import ast
import re
from pathlib import Path

import astrodriz_core

CORE = Path(astrodriz_core.__file__).parent
ALLOWED_ROOTS = {
    "__future__", "astrodriz_core", "astropy", "attr", "attrs", "collections", "difflib", "enum", "functools",
    "itertools", "math", "numbers", "numpy", "operator", "photutils", "re", "scipy", "statistics", "string",
    "tweakwcs", "types", "typing",
}  # fmt: skip
FOR_TESTS = "testing.py"
"""The one module that may need Hypothesis."""

FORBIDDEN = ("astropy.io", "astropy.config", "astropy.utils.data", "tweakwcs.imalign")


def imported_modules(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def offences(source: str) -> set[str]:
    return {
        name
        for name in imported_modules(source)
        if name.split(".")[0] not in ALLOWED_ROOTS or name.startswith(FORBIDDEN)
    }


def test_every_module_of_the_core_keeps_the_import_rule():
    modules = sorted(CORE.rglob("*.py"))
    assert len(modules) > 20
    found = {str(path.relative_to(CORE)): offences(path.read_text(encoding="utf-8")) for path in modules}
    needed = found.pop(FOR_TESTS)
    assert {name.split(".")[0] for name in needed} == {"hypothesis"}
    assert {name: names for name, names in found.items() if names} == {}


def test_the_rule_sees_what_is_forbidden():
    source = "import os\nfrom astropy.io import fits\nfrom astrodriz_io import cli\nimport logging"
    assert offences(source) == {"os", "astropy.io.fits", "astrodriz_io.cli", "logging"}


def test_the_warning_filters_are_changed_at_the_door_alone():
    """A change elsewhere may come in a worker thread, where it can stay for ever; a worker process has but one."""
    sources = sorted(path for package in (CORE, CORE.with_name("astrodriz_io")) for path in package.rglob("*.py"))
    changing = [path.name for path in sources if "warnings" in imported_modules(path.read_text(encoding="utf-8"))]
    # workers.py tells the warnings of its processes, and changes nothing.
    assert changing == ["cli.py", "library_warnings.py", "worker.py", "workers.py"]


def test_kinds_of_arrays_have_one_name_each():
    """Those of `astrodriz_core.arrays`; a kind that has none there is used in a place or two."""
    arrays = CORE / "arrays.py"
    kinds = set(re.findall(r"NDArray\[np\.\w+\]", arrays.read_text(encoding="utf-8"))) - {"NDArray[np.float32]"}
    assert len(kinds) > 3
    sources = [path for package in (CORE, CORE.with_name("astrodriz_io")) for path in package.rglob("*.py")]
    texts = {path: path.read_text(encoding="utf-8") for path in sources if path != arrays}
    assert [(path.name, kind) for path, text in texts.items() for kind in kinds if kind in text] == []


def test_the_core_calls_neither_open_nor_print():
    for path in CORE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"open", "print", "input", "exec", "eval"}, f"{path.name}:{node.lineno}"
