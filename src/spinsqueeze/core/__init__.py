"""Floor 0: errors, argument checks and the registry of result variables."""
