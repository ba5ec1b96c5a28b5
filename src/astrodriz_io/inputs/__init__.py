"""Everything that a run reads: association tables, exposures, reference files, parameters."""
