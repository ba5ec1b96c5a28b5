"""Drizzle and alignment parameters: names, values, choices, rules."""
