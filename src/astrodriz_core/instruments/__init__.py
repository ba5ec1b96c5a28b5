"""Detectors, their DQ bits and electronics, and which observations can be combined and aligned."""
