"""Tests of how application credentials are looked after."""
