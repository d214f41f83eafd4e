"""Fourier transforms of grids in machine code of our own; `switch` says whether they are used."""
