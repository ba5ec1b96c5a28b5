"""Product files, their headers, and the finished exposures."""
