"""What a terminal sees: messages, exit codes, what keeps a command from starting."""
