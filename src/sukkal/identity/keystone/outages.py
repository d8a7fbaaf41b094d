"""Telling the log of the times in which Keystone cannot be asked."""

import logging
from collections.abc import Callable
from typing import Final

from sukkal import limits
from sukkal.identity.keystone.failures import CannotAsk, ServiceUserRefused, Stopping

__all__ = ["Outages"]

_log: Final = logging.getLogger("sukkal.keystone")

_CALM_MS: Final = limits.KEYSTONE_OUTAGE_CALM_S * limits.SECOND_MS


class Outages:
    """Logs one line when an outage begins and one when it is over, however many questions fail in between.

    It is over when Keystone answers and nothing has failed for some seconds.
    """

    def __init__(self, url: str, username: str, now_ms: Callable[[], int]) -> None:
        self._url = url
        self._username = username
        self._now_ms = now_ms
        self._told: set[type[CannotAsk]] = set()
        self._failed_ms = 0

    def failed(self, error: CannotAsk) -> None:
        """Note that a question was not answered."""
        if isinstance(error, Stopping):
            return
        self._failed_ms = self._now_ms()
        if type(error) in self._told:
            return
        self._told.add(type(error))
        if isinstance(error, ServiceUserRefused):
            _log.error(
                "Keystone at %s refuses the service user %s (%s). Check keystone_username, keystone_password, "
                "keystone_project_name and their domains, and that the user may validate the tokens of others.",
                self._url,
                self._username,
                error,
            )
        else:
            _log.warning(
                "Keystone at %s cannot be asked: %s. Callers who were recognised before go on being served.",
                self._url,
                error,
            )

    def answered(self) -> None:
        """Note that Keystone answered."""
        if self._told and self._now_ms() - self._failed_ms >= _CALM_MS:
            self._told.clear()
            _log.info("Keystone at %s answers again.", self._url)
