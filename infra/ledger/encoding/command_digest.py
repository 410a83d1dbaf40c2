"""Makes what is kept of a command's body: an HMAC under a key of the key service, so that no guess is confirmed.

Databases from before this hold plain SHA-256 digests (32 bytes); what is keyed is told apart by its mark.
"""

import hmac
from collections.abc import Callable
from hashlib import sha256

from activities.ports import Keys
from domain.core.personal import KeyClass

STREAM = "command-bodies"
CLASS: KeyClass = "identity"
MARK = b"\x01"
CommandHmac = Callable[[bytes], bytes]


async def command_hmac(keys: Keys) -> CommandHmac:
    """Make the function that turns a body's digest into what is kept; it is the same in every process of a ledger."""
    secret = (await keys.for_sealing(STREAM, [CLASS]))[CLASS].secret
    return lambda body: MARK + hmac.digest(secret, body, sha256)
