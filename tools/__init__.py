"""What sets the project up and checks it, before any dependency is there: the standard library alone."""
