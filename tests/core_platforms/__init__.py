"""Every integration of Home Assistant that has application credentials, set up for real."""
