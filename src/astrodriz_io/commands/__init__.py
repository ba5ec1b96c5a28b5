"""The subcommands of the command line: their options, what they run, and the lines they report."""
