"""The pages, one module for each. Fixed paths (/leads/new) come before those with an id in them."""

from console.routes.pages import dashboard, lead, leads, settings, sign_in

ROUTERS = (dashboard.router, sign_in.router, settings.router, leads.router, lead.router)
