"""The JSON API, one module for each resource. Fixed paths come before those with an id in them."""

from console.routes.api import audit, bulk, changes, enrichment, erasing, exports, imports, jobs, leads, lists, undo

ROUTERS = (
    lists.router,
    exports.router,
    imports.router,
    bulk.router,
    leads.router,
    erasing.router,
    audit.router,
    audit.everything,
    changes.router,
    enrichment.router,
    jobs.router,
    undo.router,
)
