"""The real-kernel lab: what the rig says of a network, measured on kernels that have it all. See ``docs/lab.md``."""
