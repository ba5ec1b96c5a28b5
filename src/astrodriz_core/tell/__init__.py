"""Records in words: why this WCS, what changed between two runs."""
