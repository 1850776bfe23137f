"""What a verification found, as a terminal shows it. Texts from the database are shown without control characters."""

from __future__ import annotations

from leads_core.audit.verification.findings import MEANING, Finding, LeadReport, Report


def spoken(report: Report | LeadReport) -> str:
    """The report as lines of text."""
    lines = [*_findings(report.findings)]
    if isinstance(report, Report):
        lines += [f"warning: {warning}" for warning in report.warnings]
    lines += [f"not checked: {what}" for what in report.not_checked]
    lines.append(_counted(report))
    return "".join(f"{_printable(line)}\n" for line in lines)


def _findings(findings: tuple[Finding, ...]) -> list[str]:
    lines = []
    for finding in findings:
        place = " ".join(
            f"{name} {value}"
            for name, value in (("entry", finding.entry), ("subject", finding.subject), ("field", finding.field))
            if value
        )
        lines.append(f"{finding.kind.value}: {place or 'the trail'}")
        lines.append(f"    {MEANING[finding.kind]} {finding.detail}")
    return lines


def _counted(report: Report | LeadReport) -> str:
    result = "Nothing is wrong." if report.ok else f"{len(report.findings)} findings."
    if isinstance(report, Report):
        return (
            f"{result} {report.entries:,} entries, {report.leads:,} leads, {report.leaves:,} leaves, "
            f"{report.checkpoints:,} checkpoints."
        )
    if report.sealed is not None:
        return f"{result} {report.entries:,} entries, all covered by checkpoint {report.sealed}."
    return f"{result} {report.entries:,} entries, {report.unsealed:,} of them not covered by a checkpoint yet."


def _printable(line: str) -> str:
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line)
