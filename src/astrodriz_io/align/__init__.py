"""A priori solutions and fits to catalogues, for the files of exposures."""
