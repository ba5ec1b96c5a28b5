"""Everything that a run writes: products, headerlets, records, trailer, manifest."""
