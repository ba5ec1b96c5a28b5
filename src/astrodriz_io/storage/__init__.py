"""The disk: file operations, names and places, locks, workspace, journal, publishing."""
