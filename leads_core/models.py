"""Every mapped table, gathered for the migrations to compare against."""

from __future__ import annotations

from leads_core.audit import models as audit
from leads_core.database import Base
from leads_core.enrichment import models as enrichment
from leads_core.jobs import models as jobs
from leads_core.leads import models as leads

__all__ = ["audit", "enrichment", "jobs", "leads", "metadata"]

metadata = Base.metadata
