"""Input that is wrong in known places: a table of fields and of what can be wrong with each, drawn from a seed."""
