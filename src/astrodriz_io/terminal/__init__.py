"""What a terminal sees of an end: messages, exit codes, what keeps a command from starting."""
