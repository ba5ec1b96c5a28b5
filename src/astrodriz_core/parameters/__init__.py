"""Drizzle and alignment parameters: names, defaults, choices, limits."""
