"""Physical test cards that a machine moves to the terminal: a gantry, servo arms, or solenoids."""
