"""The pages, one module for each. Fixed paths (/leads/new) come before those with an id in them."""

from console.routes.pages import (
    audit,
    bulk,
    dashboard,
    enrichment,
    erasing,
    imports,
    lead,
    lead_history,
    leads,
    outgoing_requests,
    settings,
    sign_in,
    suggestions,
    undo,
)

ROUTERS = (
    dashboard.router,
    sign_in.router,
    settings.router,
    imports.router,
    audit.router,
    enrichment.router,
    leads.router,
    bulk.router,
    lead.router,
    lead_history.router,
    suggestions.router,
    undo.router,
    outgoing_requests.router,
    erasing.router,
)
