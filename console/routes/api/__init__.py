"""The JSON API, one module for each resource. Fixed paths come before those with an id in them."""

from console.routes.api import audit, enrichment, jobs, leads, lists

ROUTERS = (lists.router, leads.router, audit.router, enrichment.router, jobs.router)
