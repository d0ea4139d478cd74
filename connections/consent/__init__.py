"""The hosted widget: the pages that an end user sees while connecting; white-label, with no third-party asset."""
