"""Simulated attenuators: one bank of paths, and one dialect a module that speaks for it."""
