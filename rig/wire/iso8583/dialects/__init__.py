"""The dialects that the rig brings, one a file; others are found by their entry point."""
