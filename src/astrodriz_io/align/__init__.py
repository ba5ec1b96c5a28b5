"""Alignment of files: a priori solutions and fits to catalogues."""
