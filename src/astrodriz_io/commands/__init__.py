"""The commands: one module each, with its options, what it runs, and the lines it prints."""
