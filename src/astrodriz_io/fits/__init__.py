"""FITS files: opened and checked, their arrays and tables."""
