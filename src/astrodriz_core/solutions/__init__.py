"""WCS solutions: what their names say, the order of a priori ones, proper motion of catalogue stars."""
