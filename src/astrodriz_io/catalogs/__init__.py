"""Astrometric catalogues from files, services and the cache."""
