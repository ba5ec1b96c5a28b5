"""A priori solutions, astrometric catalogues and the fit to them."""
