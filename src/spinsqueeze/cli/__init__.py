"""Floor 6: the command line, thin; every command is one file."""
