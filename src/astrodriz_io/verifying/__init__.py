"""From drizzled images of files to a verdict."""
