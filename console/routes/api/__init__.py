"""The JSON API, one module for each resource. Fixed paths come before those with an id in them."""

from console.routes.api import (
    audit,
    batch,
    bulk,
    changes,
    duplicates,
    enrichment,
    erasing,
    exports,
    imports,
    jobs,
    leads,
    lists,
    undo,
)

ROUTERS = (
    lists.router,
    exports.router,
    imports.router,
    batch.router,
    bulk.router,
    leads.router,
    duplicates.router,
    erasing.router,
    audit.router,
    audit.everything,
    changes.router,
    enrichment.router,
    jobs.router,
    undo.router,
)
