"""Callers with tokens of OpenStack Keystone, validated by asking Keystone as a service user.

Needs the extra ``sukkal[keystone]``.
"""

from sukkal.identity.keystone.authenticator import KeystoneAuthenticator
from sukkal.identity.keystone.settings import KeystoneSettings
from sukkal.identity.keystone.trusts import Trusts

__all__ = ["KeystoneAuthenticator", "KeystoneSettings", "Trusts"]
