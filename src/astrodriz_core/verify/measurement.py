"""Everything that is measured of one product and its exposures."""
