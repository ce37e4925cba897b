"""Pure codecs without I/O: ZVT, ISO 8583, TLV, cryptograms, ISO-DEP blocks, PN532 frames."""
