"""Instruments of the bench: attenuators over VISA, modems, relay boards; one dialect a file."""
