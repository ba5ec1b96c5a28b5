"""Records in words: the verdict, why this WCS, what changed between two runs."""
