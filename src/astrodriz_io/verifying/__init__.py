"""A combination of exposures measured and judged."""
