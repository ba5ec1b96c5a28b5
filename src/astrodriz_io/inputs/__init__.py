"""What a run is given: association, exposures, reference files, drizzle parameters."""
