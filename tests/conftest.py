"""Shared by all tests; its place makes ``strategies.py`` importable."""
