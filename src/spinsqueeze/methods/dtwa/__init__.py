"""The discrete truncated Wigner approximation; equations in NOTES.md."""
