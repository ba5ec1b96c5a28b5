"""Where programs that call `process` found it first, and go on finding it."""

from astrodriz_io.run.pipeline import process

__all__ = ["process"]
