"""Tests of the observables."""
