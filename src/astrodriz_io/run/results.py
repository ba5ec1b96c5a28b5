"""The last step of a run: record, trailer, report and manifest beside the products, then all into their place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attrs import evolve

from astrodriz_core.records.run import FileDigest, RunRecord
from astrodriz_io.drizzling.final import FinalImage
from astrodriz_io.record_files.record import dump_quality, write_record
from astrodriz_io.report.page import write_report
from astrodriz_io.run.ending import RunEnding
from astrodriz_io.run.state import StartedRun
from astrodriz_io.storage.digests import sha256_of
from astrodriz_io.storage.disk import as_bytes, storage_errors
from astrodriz_io.storage.names import ENDINGS
from astrodriz_io.storage.publishing import publish
from astrodriz_io.storage.workspace import Workspace

__all__ = ["publish_results", "with_files"]


def publish_results(
    run: StartedRun,
    record: RunRecord,
    space: Workspace,
    ending: RunEnding,
    *,
    files: Sequence[Path] = (),
    product: FinalImage | None = None,
) -> RunRecord:
    """Write what tells of the run, and bring every file to its final name.

    Parameters
    ----------
    run : StartedRun
        Says where the files go, and whether the manifest and the file of the quality measurements are asked for.
    record : RunRecord
        Complete but for the list of files.
    space : Workspace
        Where the files are.
    ending : RunEnding
        Tells it in the trailer, which is in its place already.
    files : sequence of Path
        Products, exposures and headerlets in the workspace.
    product : FinalImage or None
        The deciding product, for the pictures of the report; None where none was made.

    Returns
    -------
    RunRecord
        With the list of files.
    """
    settings, names = run.settings, _names(run, record)
    record = with_files(run, record, files)
    with storage_errors(record.root):
        write_record(record, space.place(names["record"]))
        write_report(record, product, space.place(names["report"]))
        if settings.quality_testing:
            space.place(names["quality"]).write_bytes(as_bytes(dump_quality(record)))
        if settings.manifest:
            lines = "".join(f"{name}\n" for name in record.files)
            space.place(names["manifest"]).write_bytes(as_bytes(lines))
        ending.tell(record, FileDigest(names["record"], sha256_of(space.place(names["record"]))))
    publish(
        [space.place(name) for name in record.files if name != names["trailer"]], run.association.folder, record.root
    )
    return record


def with_files(run: StartedRun, record: RunRecord, files: Sequence[Path] = ()) -> RunRecord:
    """The record with the list of files, those that tell of the run among them; arguments as for `publish_results`."""
    return evolve(record, files=(*(path.name for path in files), *_names(run, record).values()))


def _names(run: StartedRun, record: RunRecord) -> dict[str, str]:
    """The files that tell of the run, by their kind."""
    asked = {
        "manifest": run.settings.manifest,
        "quality": run.settings.quality_testing,
        "sidecar": record.sidecar is not None,
    }
    return {kind: f"{record.root}{ending}" for kind, ending in ENDINGS.items() if asked.get(kind, True)}
