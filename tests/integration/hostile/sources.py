"""Every source of the structured fuzzer."""

from __future__ import annotations

from pathlib import Path

from hostile.cases import Source
from hostile.exposure_sources import exposure_sources
from hostile.option_sources import option_sources
from hostile.processed_sources import processed_files, processed_sources
from hostile.table_sources import table_sources
from hostile.text_sources import text_sources
from hostile.tree_sources import tree_sources

__all__ = ["all_sources"]


def all_sources(folder: Path) -> tuple[Source, ...]:
    """All sources; `folder`, which is empty, receives the sound files, which are kept in memory."""
    exposures = exposure_sources(folder)
    single = exposures[0]
    untouched, left = processed_files(folder / "processed")
    option_folder = folder / "options"
    option_folder.mkdir()
    for name, data in single.sound.items():
        (option_folder / name).write_bytes(data)
    return (
        *exposures,
        *processed_sources(untouched, left),
        *table_sources(folder),
        *tree_sources(folder, left, untouched),
        *option_sources(single.sound, option_folder / single.entry),
        *text_sources(),
    )
