"""The demo of Developer Credentials."""
