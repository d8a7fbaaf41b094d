"""Callers with API keys: secrets that this service makes, and of which it keeps only hashes, in a file."""

from sukkal.identity.keys.authenticator import Keys
from sukkal.identity.keys.entries import Key, create_key, format_keys, parse_keys
from sukkal.identity.keys.file import KeyFile
from sukkal.identity.keys.text import key_id, split_key, without_secrets

__all__ = [
    "Key",
    "KeyFile",
    "Keys",
    "create_key",
    "format_keys",
    "key_id",
    "parse_keys",
    "split_key",
    "without_secrets",
]
