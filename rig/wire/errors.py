"""The one error of the codecs."""


class WireError(ValueError):
    """Bytes that the protocol does not allow. Raised by every codec, and nothing else is."""
