"""Closed forms; equations in NOTES.md."""
