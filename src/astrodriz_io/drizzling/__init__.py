"""The drizzle run on exposures, resampled by the ``drizzle`` package."""
