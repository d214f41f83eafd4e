"""Exact evolution of a closed system on all 2^N amplitudes; equations in NOTES.md."""
