"""The run, from the input file to the products, and the verification of an input."""
