"""The link relay, a process of its own: the user-space link's far side, which carries packets and degrades them."""
