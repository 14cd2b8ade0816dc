"""The user's credentials: where they are kept, where they come from, and what becomes of them.

Here live the store (subentries of the one config entry), YAML, and what is told of credentials that
were rejected or deleted. Dialogs live in `flows`, requests to servers in `oauth2`.
"""
