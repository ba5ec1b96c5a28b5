"""The stages of a run, one module each, from distortion to final; solution has what they share."""
