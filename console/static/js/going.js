// g and then a letter goes to a page; ? lists the keys.
import { onKey } from "./keyboard.js"

onKey("g d", () => location.assign("/"))
onKey("g l", () => location.assign("/leads"))
onKey("g i", () => location.assign("/import"))
onKey("g e", () => location.assign("/enrichment"))
onKey("g a", () => location.assign("/audit"))
onKey("g s", () => location.assign("/settings"))
onKey("?", () => document.getElementById("keys")?.showModal())
