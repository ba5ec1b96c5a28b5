"""The distortion model, WCSs in headers, headerlets, and moving a WCS."""
