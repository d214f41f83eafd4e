"""Floor 4: one folder or file per method; methods never import each other."""
