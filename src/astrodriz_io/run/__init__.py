"""A run from its input to its results, stage by stage; the verification of an input."""
