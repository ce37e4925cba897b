"""What is inside a test card: APDUs, applications, cryptograms."""
