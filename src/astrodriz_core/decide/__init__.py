"""Every rule that chooses: which WCS is kept, which fit wins, which catalogue is asked next, who is left out."""
