"""The audit record, version 1: bytes that two machines agree on. Pure: no database, no clock, no context."""
