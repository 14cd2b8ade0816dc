"""Tests of what integrations test with."""
