"""A second verifier of the trail, written from docs/audit.md alone; it shares no line with the first. Exit status:
0 whole, 1 findings (each a JSON object), 2 it could not be read. It holds the whole export in memory."""

import argparse
import hmac
import json
from base64 import b64decode
from datetime import datetime
from functools import reduce
from hashlib import sha256
from itertools import groupby
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Verifier:
    BESIDE_R = ("kind", "parts", "checksum", "mac", "leaf_index")
    KINDS = (("entries", "entry"), ("leads", "lead"), ("leaves", "leaf"), ("checkpoints", "checkpoint"))

    def __init__(self, lines: list[Any], vkeys: list[str], mac_keys: list[bytes], kept: list[Any]) -> None:
        self.of = {name: [row for row in lines if row["kind"] == kind] for name, kind in self.KINDS}
        self.keys = {(k[0], bytes.fromhex(k[1])): b64decode(k[2])[1:] for k in (key.split("+", 2) for key in vkeys)}
        self.macs = {sha256(b"lead-explorer/mac-key/1\n" + key).digest()[:4]: key for key in mac_keys}
        self.findings: list[dict[str, Any]] = []
        if lines[-1] != {"kind": "footer", **{name: len(found) for name, found in self.of.items()}}:
            self.find("malformed", "the file is cut off, or lines are missing")
        self.whole = {e["id"]: e for e in self.of["entries"] if self.is_whole(e)}
        if lines[0]["complete"]:
            self.check_log(kept, lines[0]["made_at"])
            self.check_subjects()

    def find(self, kind: str, detail: str, entry: Any = None, subject: Any = None, field: Any = None) -> None:
        self.findings.append({"kind": kind, "entry": entry, "subject": subject, "field": field, "detail": detail})

    def hash_of(self, tag: str, value: Any) -> bytes:  # what has no canonical form was never hashed: it is unequal
        canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        return sha256(f"lead-explorer/{tag}/1\n".encode() + canonical).digest()

    def is_whole(self, e: Any) -> bool:
        parts = {n: p if isinstance(p, str) else self.hash_of("part", p).hex() for n, p in e["parts"].items()}
        checksum = self.hash_of("entry", {**{name: e[name] for name in e.keys() - self.BESIDE_R}, "parts": parts})
        edited, mac = checksum.hex() != e["checksum"], bytes.fromhex(e["mac"])
        forged = self.macs and hmac.digest(self.macs.get(mac[:4], b""), checksum, "sha256") != mac[4:]
        if edited or forged:
            self.find("edited" if edited else "forged", "checksum or MAC is wrong", e["id"], e["subject_id"])
        return not (edited or forged)

    def read_note(self, what: str, note: str) -> tuple[str, str, int, str]:
        text, _, lines = note.rpartition("\n\n")
        signed = [(line.split(" ")[1], b64decode(line.split(" ")[2])) for line in lines.splitlines()]
        known = [(self.keys[name, data[:4]], data[4:]) for name, data in signed if (name, data[:4]) in self.keys]
        try:
            for key, signature in known:
                Ed25519PublicKey.from_public_bytes(key).verify(signature, f"{text}\n".encode())
        except InvalidSignature:
            known = []
        if self.keys and not known:
            self.find("signature", "no key that is trusted signed it", None, what)
        name, size, root = text.split("\n")
        return what, name, int(size), b64decode(root).hex()

    def check_log(self, kept: list[Any], made_at: str) -> None:
        claims = [self.read_note(f"kept {n}", line["note"]) for n, line in enumerate(kept) if line["at"] <= made_at]
        for number, row in enumerate(self.of["checkpoints"], 1):
            claims.append(self.read_note(what := f"checkpoint {row['number']}", row["note"]))
            if (row["number"], row["log_name"], row["size"], row["root"]) != (number, *claims[-1][1:]):
                self.find("malformed", "it is not what its note says, or one before it is missing", None, what)
        entries, logged = {e["id"]: e for e in self.of["entries"]}, {leaf["entry_id"] for leaf in self.of["leaves"]}
        trees, roots = [], {0: sha256().hexdigest()}
        for e in (e for e in entries.values() if e["leaf_index"] is None and e["id"] < max(logged, default="")):
            if int(e["id"][:8] + e["id"][9:13], 16) < datetime.fromisoformat(made_at).timestamp() * 1000 - 60_000:
                self.find("unlogged", "the log does not hold it", e["id"], e["subject_id"])
        for index, leaf in enumerate(self.of["leaves"]):
            e = entries.get(leaf["entry_id"])
            if e is None or (index, e["leaf_index"], e["checksum"]) != (leaf["leaf_index"], index, leaf["checksum"]):
                self.find("edited" if e else "removed", "not as its leaf", leaf["entry_id"], e and e["subject_id"])
            trees.append((1, sha256(b"\0" + bytes.fromhex(leaf["checksum"])).digest()))  # full subtrees: width, root
            while len(trees) > 1 and trees[-1][0] == trees[-2][0]:
                trees[-2:] = [(2 * trees[-1][0], sha256(b"\1" + trees[-2][1] + trees[-1][1]).digest())]
            roots[index + 1] = reduce(lambda b, a: (0, sha256(b"\1" + a[1] + b[1]).digest()), trees[::-1])[1].hex()
        said = [e["parts"]["data"][1] for i, e in self.whole.items() if e["action"] == "REOPEN" and i in logged]
        gone = [[one[name][1] for name in ("abandoned_log_name", "kept_size", "abandoned_size")] for one in said]
        for what, name, size, root in claims:
            if roots.get(size) != root and not any(g[0] == name and g[1] < size <= g[2] for g in gone):
                self.find("fork" if size in roots else "rollback", "the leaves do not come to its root", None, what)

    def check_subjects(self) -> None:
        special = {(e["subject_kind"], e["action"], e["subject_id"]): e for e in self.whole.values() if e["subject_id"]}
        leads = {lead["id"]: lead for lead in self.of["leads"]}
        for subject, group in groupby(self.of["entries"], lambda e: e["subject_id"]):
            entries = list(group)
            erasures = [x for x in entries if x["action"] == "ERASE" and x["id"] in self.whole]
            for e in entries:
                self.check_parts(e, erasures, special)
            if entries[0]["subject_kind"] == "lead":
                self.replay(entries, leads.pop(subject, {}))
        for lead in leads:
            self.find("lead_untracked", "it has no entries", None, lead)

    def check_parts(self, e: Any, erasures: list[Any], special: dict[Any, Any]) -> None:
        token = special.get(("token", "CREATE", e["actor_id"]))
        actor = token["parts"]["data"][1]["owner_id"][1] if token else e["actor_id"]
        later = [x for x in erasures if (x["seq"] > e["seq"] if e["seq"] else x["id"] > e["id"])]
        for name, part in e["parts"].items():
            of_actor = name == "origin" and special.get(("user", "ERASE", actor), e)["id"] > e["id"]
            covered = of_actor or any(name in x["parts"] for x in later if name != "origin")
            if covered != isinstance(part, str):
                self.find("unerased" if covered else "erased", "ERASE and part differ", e["id"], e["subject_id"], name)

    def replay(self, entries: list[Any], lead: Any) -> None:
        state: dict[str, dict[str, Any]] = {name: {} for name in ("person", "text", "data", "stamps")}
        merge: Any = None
        for seq, e in enumerate((e for e in entries if e["seq"] is not None), 1):
            if e["seq"] != seq or e["id"] not in self.whole:
                return None if e["seq"] == seq else self.find("gap", "one is missing", e["id"], e["subject_id"])
            for name in e["parts"].keys() - {"origin"}:
                part = e["parts"][name]
                if isinstance(part, str) or e["action"] == "ERASE":  # what was erased is unknown: ?
                    state[name] = {"?": True} if isinstance(part, str) else {}
                for field, (old, new) in {} if isinstance(part, str) else part[1].items():
                    if state[name].get(field, old if "?" in state[name] else None) != old:
                        self.find("lead_changed", "an old value is not the one before", e["id"], e["subject_id"], field)
                    state[name][field] = new
            now = {"CREATE": "created", "DELETE": "deleted", "ERASE": "erased" if "person" in e["parts"] else "updated"}
            for stamp in ("updated", now.get(e["action"], "updated")):
                state["stamps"] |= {f"{stamp}_at": e["occurred_at"], f"{stamp}_by": e["actor_id"], "version": seq}
            state["stamps"] |= {"deleted_at": None, "deleted_by": None} if e["action"] == "RESTORE" else {}
            merge = {"MERGE": e, "RESTORE": None}.get(e["action"], merge)
            if merge and state["data"].get("merged_into"):  # known with its entry, or, that one erased, with the ERASE
                state["stamps"] |= {"deleted_at": merge["occurred_at"], "deleted_by": merge["actor_id"]}
        values = {field: value for part in state.values() for field, value in part.items()}
        sources = [part.get("provenance") or {} for part in state.values()]
        values |= {"tags": values.get("tags") or [], "provenance": {k: v for s in sources for k, v in s.items()}}
        for field in lead.keys() - {"kind", "id"}:
            if values.get(field, lead[field] if "?" in values else None) != lead[field]:
                self.find("lead_changed", "it is not what its entries come to", None, lead["id"], field)
        return None if lead else self.find("lead_missing", "it has entries only", None, entries[0]["subject_id"])


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("export")
for option in ("--public-key", "--mac-key", "--checkpoints"):
    parser.add_argument(option, action="append", default=[])
given = parser.parse_args()
try:
    kept = [json.loads(line) for path in given.checkpoints for line in open(path, "rb")]  # noqa: SIM115
    lines = [json.loads(line) for line in open(given.export, "rb")]  # noqa: SIM115
    findings = Verifier(lines, given.public_key, [bytes.fromhex(key) for key in given.mac_key], kept).findings
except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
    parser.error(f"it could not be read: {error!r}")
print(*map(json.dumps, findings), sep="\n")
raise SystemExit(1 if findings else 0)
