"""The rig: a hardware-in-the-loop test rig for payment terminals."""

__version__ = "0.1.0"
