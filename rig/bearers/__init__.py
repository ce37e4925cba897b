"""The ways a terminal reaches its host, and how they are degraded."""
