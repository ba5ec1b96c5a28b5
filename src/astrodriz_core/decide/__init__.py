"""Every rule that chooses: keep or revert, which WCS wins; and what the record of every run fulfils."""
