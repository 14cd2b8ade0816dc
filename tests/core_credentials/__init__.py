"""Tests of editing and taking over Home Assistant's own application credentials."""
