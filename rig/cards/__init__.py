"""Test cards: EMV applications, and the presenters that put them into the field."""
