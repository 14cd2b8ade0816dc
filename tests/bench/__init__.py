"""The benchmarks: ours beside Home Assistant's `application_credentials`, on the same work.

`script/bench` runs them. Nothing here is a test: `tests/test_benchmarks.py` holds what they count.
"""
