// What the keys do with the lead they stand on: a row of the table, or the lead in the panel.
import { openLead, drawer } from "./drawer.js"
import { onKey } from "./keyboard.js"

let current = null // id of the row the keys work on

const rows = () => [...document.querySelectorAll("tr[data-lead]")]
const rowAt = () => document.getElementById(`lead-${current}`)
const panel = () => document.getElementById("panel")
const panelIsOpen = () => Boolean(panel() && (!drawer() || drawer().open))

// The lead that the keys mean now: the one in the panel, else the one of the row. Its version may be unknown.
export function currentLead() {
  if (panelIsOpen() && panel().dataset.lead) return { id: panel().dataset.lead }
  return rowAt() ? { id: current, version: rowAt().dataset.version } : null
}

function mark() {
  for (const row of rows()) row.classList.toggle("at", row.dataset.lead === current)
}

function walk(step) {
  const all = rows()
  if (!all.length) return false
  const open = drawer()?.open ? panel().dataset.lead : null
  const from = all.findIndex((row) => row.dataset.lead === (open ?? current))
  const next = all[from < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, from + step))]
  current = next.dataset.lead
  mark()
  next.scrollIntoView({ block: "nearest" })
  if (open) openLead(current)
  else next.querySelector("a").focus({ preventScroll: true })
}

function inPanel(what) {
  const there = panelIsOpen() && panel().querySelector(`[data-do="${what}"]`)
  if (!there) return false
  there.click()
}

async function edit() {
  if (inPanel("edit") !== false || !rowAt()) return
  await openLead(current)
  inPanel("edit")
}

function ofRow(what) {
  if (inPanel(what) !== false) return
  if (!rowAt() || panelIsOpen()) return false
  const values = { version: rowAt().dataset.version, then: "/leads" }
  htmx.ajax("POST", `/leads/${current}/${what}`, { swap: "none", target: "#status", values })
}

// As a click on the box, so that the selection counts it; with Shift it reaches from the last one to here.
function tick(shiftKey) {
  const box = rowAt()?.querySelector("input[form=bulk]")
  if (!box) return false
  box.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey }))
}

function enter() {
  if (document.activeElement !== document.body || !rowAt()) return false
  openLead(current)
}

function openFilter() {
  const menu = document.getElementById("filter-menu")
  if (!menu) return false
  menu.open = true
  menu.querySelector("input:not([type=hidden])").focus()
}

function focusOn(id) {
  const field = document.getElementById(id)
  if (!field) return false
  field.focus()
}

onKey("n", () => focusOn("quick-text"))
onKey("/", () => focusOn("search"))
onKey("f", openFilter)
onKey("j", () => walk(1), { repeats: true })
onKey("k", () => walk(-1), { repeats: true })
onKey("Enter", enter)
onKey("x", () => tick(false))
onKey("Shift x", () => tick(true))
onKey("e", edit)
onKey("r", () => ofRow("enrich"))
onKey("y", () => inPanel("accept"))
onKey("m", () => inPanel("dismiss"))
onKey("Shift y", () => inPanel("accept-all"))
onKey("Shift m", () => inPanel("dismiss-all"))
onKey("#", () => ofRow("delete"))

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.matches("#quick-text, #search")) event.target.blur()
})

document.addEventListener("click", (event) => {
  const step = event.target.closest("[data-walk]")?.dataset.walk
  if (step) walk(Number(step))
})

document.addEventListener("focusin", (event) => {
  const row = event.target.closest?.("tr[data-lead]")
  if (!row) return
  current = row.dataset.lead
  mark()
})

document.addEventListener("htmx:after:swap", mark)
