"""Names, sources, fit quality and selection of WCS solutions, on arrays."""
