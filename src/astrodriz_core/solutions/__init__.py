"""Names of WCS solutions, the order of a priori solutions, proper motion."""
