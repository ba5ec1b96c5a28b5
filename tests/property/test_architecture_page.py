"""The page of the architecture draws the code as it is."""

import pytest

from architecture_page import PAGE, SOURCE, drawn, rooms, sentence

PACKAGES = ("astrodriz_core", "astrodriz_io")


def test_the_tables_of_rooms_are_those_of_the_code():
    text = PAGE.read_text(encoding="utf-8")
    assert text.count("begin -->") == len(PACKAGES)
    assert drawn(text) == text


@pytest.mark.parametrize("package", PACKAGES)
def test_every_room_and_module_has_its_layer_and_a_sentence(package):
    entries = (SOURCE / package).iterdir()
    there = {path.stem for path in entries if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert there - {"__init__"} == set(rooms(package))
    assert all(sentence(package, room).endswith(".") for room in rooms(package))
