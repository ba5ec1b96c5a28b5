"""What a run leaves as images: product files, their headers, finished exposures."""
