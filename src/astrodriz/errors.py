"""The errors that astrodriz raises on purpose: one base, one class for each thing that the user can do next."""

from astrodriz_core.errors import (
    AlignmentError,
    AstrodrizError,
    CatalogError,
    DatabaseError,
    DifferentInputError,
    InputError,
    LockedError,
    MeasurementError,
    MissingFilesError,
    NoViableDataError,
    RecordError,
    ReferenceFileError,
    ResourceError,
    StorageError,
    UsageError,
)

__all__ = [
    "AlignmentError",
    "AstrodrizError",
    "CatalogError",
    "DatabaseError",
    "DifferentInputError",
    "InputError",
    "LockedError",
    "MeasurementError",
    "MissingFilesError",
    "NoViableDataError",
    "RecordError",
    "ReferenceFileError",
    "ResourceError",
    "StorageError",
    "UsageError",
]
