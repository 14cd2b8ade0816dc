"""The protocol: OAuth2 as the RFCs have it, over an HTTP session without cookies.

Here lives what a server is (`server`), what a client is (`client`), and what the two say to each
other. Nothing here knows of config entries, flows or storage: what keeps a token or wants to hear
of an answer is handed over.
"""
