"""Tests of the whole integration that the guide begins with, as its developer would write them."""
