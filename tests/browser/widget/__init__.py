"""The widget in real Chromium: three sites over TLS, with third-party cookies blocked.

One stack serves the whole folder, and each of its files has an end user of its own there. What a test changes beyond
those of its end user, it puts back.
"""
