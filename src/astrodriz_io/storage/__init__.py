"""File operations, journal, publishing, locks, workspace, digests."""
