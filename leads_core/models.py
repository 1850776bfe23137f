"""Every mapped table, gathered for the migrations to compare against."""

from __future__ import annotations

from leads_core import idempotency, rate_limit
from leads_core.accounts import models as accounts
from leads_core.audit import models as audit
from leads_core.database import Base
from leads_core.enrichment import models as enrichment
from leads_core.jobs import models as jobs
from leads_core.leads import models as leads

__all__ = ["accounts", "audit", "enrichment", "idempotency", "jobs", "leads", "metadata", "rate_limit"]

metadata = Base.metadata
