"""Tests of the user's credentials."""
