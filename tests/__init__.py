"""Tests of Developer Credentials."""
