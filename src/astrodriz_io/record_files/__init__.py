"""What a run leaves to be read: record as JSON, sidecar, states of exposures, trailer."""
