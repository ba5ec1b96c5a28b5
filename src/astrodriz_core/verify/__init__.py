"""Measurements of how well exposures are aligned, and the policies that judge them."""
