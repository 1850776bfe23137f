// One key for each thing people do all day. Silent while somebody types.
import { openLead, drawer } from "./drawer.js"
import { toggleRow } from "./selection.js"

let current = null // id of the row the keys work on

const rows = () => [...document.querySelectorAll("tr[data-lead]")]
const rowAt = () => document.getElementById(`lead-${current}`)
const panel = () => document.getElementById("panel")

function mark() {
  for (const row of rows()) row.classList.toggle("at", row.dataset.lead === current)
}

function walk(step) {
  const all = rows()
  if (!all.length) return
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
  const there = document.querySelector(`#panel [data-do="${what}"]`)
  if (!there || (drawer() && !drawer().open)) return false
  there.click()
  return true
}

async function ofRow(what) {
  if (inPanel(what) || !rowAt()) return
  if (what === "edit") {
    await openLead(current)
    inPanel("edit")
    return
  }
  const address = `/leads/${current}/${what}`
  htmx.ajax("POST", address, { swap: "none", target: "#status", values: { version: rowAt().dataset.version, then: "/leads" } })
}

const KEYS = {
  n: () => document.getElementById("quick-text")?.focus(),
  "/": () => document.getElementById("search")?.focus(),
  f: () => {
    const menu = document.getElementById("filter-menu")
    if (!menu) return
    menu.open = true
    menu.querySelector("input:not([type=hidden])").focus()
  },
  j: () => walk(1),
  k: () => walk(-1),
  Enter: () => {
    if (document.activeElement === document.body && current) openLead(current)
  },
  x: () => toggleRow(current),
  e: () => ofRow("edit"),
  r: () => ofRow("enrich"),
  y: () => inPanel("accept"),
  m: () => inPanel("dismiss"),
  "#": () => ofRow("delete"),
  u: () => document.querySelector("[data-undo]")?.click(),
  "?": () => document.getElementById("keys")?.showModal(),
}

function typing(target) {
  return target.closest("textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=button])")
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
  if (event.key === "Escape" && event.target.matches("#quick-text, #search")) {
    event.target.blur()
    return
  }
  if (typing(event.target) || document.querySelector("dialog:modal")) return
  const act = KEYS[event.key]
  if (!act) return
  if (event.key !== "Enter") event.preventDefault()
  act()
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
