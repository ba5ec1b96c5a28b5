"""Pure functions and immutable records: what astrodriz measures, judges and decides."""
