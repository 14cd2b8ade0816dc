"""Application credentials are looked after: the first level, which touches nobody's objects."""
