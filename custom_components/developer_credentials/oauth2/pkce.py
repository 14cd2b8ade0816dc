"""Proof key for code exchange: a login is bound to the instance that began it (RFC 7636).

Whether a server gets a code challenge is said by `AuthorizationServer.uses_pkce`. The method is
S256; a verifier belongs to one flow, and its `AuthImplementation` keeps it until the code comes.
"""

from homeassistant.helpers.config_entry_oauth2_flow import LocalOAuth2ImplementationWithPkce


def generate_code_verifier() -> str:
    """Return a new code verifier, of 128 characters (RFC 7636, section 4.1)."""
    return LocalOAuth2ImplementationWithPkce.generate_code_verifier()


def code_challenge_of(code_verifier: str) -> dict[str, str]:
    """Return what an authorize URL has of a code verifier (RFC 7636, section 4.3)."""
    return {
        "code_challenge": LocalOAuth2ImplementationWithPkce.compute_code_challenge(code_verifier),
        "code_challenge_method": "S256",
    }
