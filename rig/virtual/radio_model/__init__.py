"""The model of the radio between base stations and a terminal: pure, time is an argument. See docs/radio-model.md."""
