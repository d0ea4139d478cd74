"""The hosted widget: the pages that an end user sees while connecting. White-label, accessible, no third-party asset."""
