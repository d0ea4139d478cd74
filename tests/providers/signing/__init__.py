"""Each module has its test file here."""
