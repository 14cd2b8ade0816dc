"""Tests of adopting the implementations of application credentials."""
