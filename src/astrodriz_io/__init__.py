"""The shell of astrodriz: reads FITS files, asks services, calls the core, and replays its records."""
