"""WCSs in files: distortion model by stwcs, headers, headerlets, alternates, history."""
