"""The gate: finds out who sends a request, and whether the sender may do what it asks for.

Every transport lets each request through here, and gets a caller from nowhere else.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from sukkal import limits
from sukkal.errors import BadRequest, Forbidden, SukkalError, Unauthenticated
from sukkal.service.access import Authenticator, Identity
from sukkal.service.names import project_id
from sukkal.service.policy import Policy
from sukkal.service.rates import Rates
from sukkal.service.signatures import Signature
from sukkal.service.signed_urls import SignedUrls

__all__ = ["Credentials", "Gate", "claimed"]

_SIGNED: Final = "signed_url"


class Credentials(msgspec.Struct, gc=False):
    """What a request says of its sender; ``project`` and ``roles``, the text of a header, are only claimed."""

    token: str | None
    project: str | None
    roles: str | None
    signature: Signature | None = None


class Gate:
    """Lets callers in, those without a token too if it is ``trusting``. The policy may be replaced at any time."""

    def __init__(
        self,
        authenticators: Sequence[Authenticator],
        policy: Policy,
        signed_urls: SignedUrls,
        rates: Rates,
        *,
        trusting: bool,
    ) -> None:
        self.policy = policy
        self._authenticators = tuple(authenticators)
        self._signed_urls = signed_urls
        self._rates = rates
        self.trusting = trusting
        self._challenges = tuple(dict.fromkeys(each.challenge for each in authenticators))

    def believes(self, credentials: Credentials) -> bool:
        """Tell whether the sender is taken at its word."""
        return credentials.signature is None and self.trusting and not (credentials.token and self._authenticators)

    def known(self, credentials: Credentials) -> Identity | None:
        """Return who sends a request if that can be told at once. Raises as ``identify`` does."""
        if credentials.signature is not None:
            return None
        token = credentials.token
        if token is None or not self._authenticators:
            return claimed(credentials.project, credentials.roles) if self.trusting else None
        for authenticator in self._authenticators:
            if (known := authenticator.known(token)) is not None:
                return known
        return None

    async def identify(self, credentials: Credentials, method: str, path: str) -> Identity:
        """Return who sends a request.

        A signature counts before a token, a token before what is merely claimed. ``method`` and ``path`` are those of
        the HTTP request, or of the one that stands for the same operation. Raises ``Unauthenticated``,
        ``IdentityUnavailable``, ``MissingProject``, and ``RouteNotFound`` for a signature that opens nothing here.
        """
        if credentials.signature is not None:
            return await self._signed_urls.check(credentials.signature, method, path)
        if (known := self.known(credentials)) is not None:
            return known
        token = credentials.token
        if token is not None and self._authenticators:
            for authenticator in self._authenticators:
                if authenticator.recognises(token):
                    return await authenticator.identify(token)
            raise Unauthenticated("The token is of no kind that this service accepts.", self._challenges)
        raise Unauthenticated("The request brings no token. Send one in the header X-Auth-Token.", self._challenges)

    async def would_permit(self, credentials: Credentials, rule: str) -> bool:
        """Tell whether a sender may do something, without counting that as a request."""
        if credentials.signature is not None:
            return False
        try:
            identity = await self.identify(credentials, "", "")
        except SukkalError:
            return False
        return self.policy.allows(rule, project=identity.project, user=identity.user, roles=identity.roles)

    def allows(self, identity: Identity, rule: str, *, project: str) -> bool:
        """Tell whether a sender may do something in a project, without counting that as a request."""
        return self.policy.allows(
            rule, project=identity.project, user=identity.user, roles=identity.roles, target={"project_id": project}
        )

    def permit(self, identity: Identity, rule: str | None, *, other_project: str | None = None) -> None:
        """Let the operation go on, or raise ``Forbidden`` or ``RateLimited``.

        ``other_project`` is the one that the operation is about, if it is not the sender's own. What a signed URL opens
        was decided when it was signed.
        """
        # Whoever sets limits can always undo them.
        exempt = rule is not None and rule.startswith("limits:")
        if not exempt:
            self._rates.spend(identity.project)
        if rule is None or identity.method == _SIGNED:
            return
        target = None if other_project is None else {"project_id": other_project}
        allowed = self.policy.allows(
            rule, project=identity.project, user=identity.user, roles=identity.roles, target=target
        )
        if not allowed:
            if exempt:
                self._rates.spend(identity.project)
            raise Forbidden("You are not authorized to complete this action.")


@lru_cache(maxsize=4_096)
def claimed(project: str | None, roles: str | None) -> Identity:
    """Return who a sender says it is, of whom nothing is proved. Raises ``BadRequest``, ``MissingProject``."""
    if roles is not None and len(roles) > limits.CLAIMED_ROLES_CHARS_MAX:
        raise BadRequest(f"The header X-Roles may have {limits.CLAIMED_ROLES_CHARS_MAX} characters.")
    named = frozenset(role.strip() for role in (roles or "").split(",") if role.strip())
    return Identity(method="none", project=project_id(project), roles=named)
