"""Terminals under test: one cash-register protocol a module behind `Terminal`."""
