"""The long campaigns: figures for people, each printed as a line of JSON. Short versions are in the tests."""
