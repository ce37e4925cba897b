"""A bench: its description, its assembly, its lease, its guard, its doctor."""
