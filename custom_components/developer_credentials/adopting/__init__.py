"""Application credentials adopted: their implementations say what a failed request means.

Opt-in, and experimental. Implementations that integrations hold for Home Assistant's own
application credentials learn what those of ours can do; whatever fails here, they are as Home
Assistant has them.
"""
