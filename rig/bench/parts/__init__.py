"""The parts of a bench file: one class a mapping, one field a key. Checked as a whole, never run."""
