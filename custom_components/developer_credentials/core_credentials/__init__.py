"""Home Assistant's own application credentials: read, edited in place, taken over.

Here lives all that touches them. Credentials of ours live in `credentials`.
"""
