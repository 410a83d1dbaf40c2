"""Names what queries are sent over: asyncpg's pool and its connections, as the rest of the house names them."""

from typing import TypeAlias

import asyncpg
import asyncpg.pool

Pool = asyncpg.Pool  # quoted where it is parametrised: at run time the class takes no parameter
Connection = asyncpg.pool.PoolConnectionProxy
Reads: TypeAlias = "asyncpg.Pool[asyncpg.Record] | asyncpg.Connection[asyncpg.Record]"
"""Whatever rows can be fetched from."""
