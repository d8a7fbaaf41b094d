"""Why a question to Keystone got no answer. For the log; callers get errors of the project's own tree."""

__all__ = ["CannotAsk", "ServiceUserRefused", "Stopping"]


class CannotAsk(Exception):
    """Keystone did not give an answer that can be used; the text says why."""


class Stopping(CannotAsk):
    """It is not asked, because the service stops."""


class ServiceUserRefused(CannotAsk):
    """Keystone does not accept the service user, or does not let it do its work."""
