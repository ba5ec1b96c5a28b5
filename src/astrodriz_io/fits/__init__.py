"""Opening and checking FITS files, and their arrays."""
