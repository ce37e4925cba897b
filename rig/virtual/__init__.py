"""Simulated hardware: real processes that speak the real wire protocols."""
