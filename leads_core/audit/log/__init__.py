"""The signed log of the trail: entries become leaves, heads are signed, entries are proven."""
