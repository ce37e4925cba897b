"""Faults at named moments of a transaction, with proof that they happened."""
