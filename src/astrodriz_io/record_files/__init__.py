"""What a run leaves as records: JSON, sidecar, states of exposures, trailer."""
