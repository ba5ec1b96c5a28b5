"""The numeric steps of the drizzle run: static mask, sky, median, cosmic rays, coordinate maps, frames."""
