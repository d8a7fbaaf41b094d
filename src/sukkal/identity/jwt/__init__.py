"""Callers with JSON Web Tokens that an OpenID provider, or another issuer, has signed.

Needs the extra ``sukkal[jwt]``; its libraries are loaded when an authenticator is made.
"""

from sukkal.identity.jwt.authenticator import JwtAuthenticator
from sukkal.identity.jwt.configuration import ALGORITHMS, JwtConfiguration

__all__ = ["ALGORITHMS", "JwtAuthenticator", "JwtConfiguration"]
