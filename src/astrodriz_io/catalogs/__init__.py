"""Astrometric catalogues: read from files, asked of services, kept in the cache."""
