"""Browser tests: a real Home Assistant with its frontend, and Demo Cloud."""
