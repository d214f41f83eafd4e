"""Floor 5: simulate, compare, advise, optimum, study files."""
