// Which leads are ticked, over pages and over the table's own refreshes; the bar's form sends them, with the version
// of each that was shown: what somebody else changes meanwhile is then not overwritten.
import { onKey } from "./keyboard.js"

let chosen = new Map() // id -> version
let all = false // everything that matches
let of = null // the filter they were chosen from
let from = null // where a range begins

const MOST = 2_000
const form = () => document.getElementById("bulk")
const boxes = () => [...document.querySelectorAll("tr[data-lead] input[form=bulk]")]
const pageBox = () => document.querySelector("[data-choose=page]")
const number = new Intl.NumberFormat("en-GB")

function versionOf(id) {
  return document.getElementById(`lead-${id}`)?.dataset.version ?? ""
}

function choose(id, on) {
  if (on && chosen.size < MOST) chosen.set(id, versionOf(id))
  else chosen.delete(id)
}

function clear() {
  chosen = new Map()
  all = false
  from = null
}

// Puts what is chosen into the boxes, the bar and the form.
function show() {
  const here = boxes()
  for (const box of here) box.checked = all || chosen.has(box.value)
  const on = here.filter((box) => box.checked).length
  if (pageBox()) {
    pageBox().checked = on > 0 && on === here.length
    pageBox().indeterminate = on > 0 && on < here.length
  }
  if (!form()) return
  form().classList.toggle("open", all || chosen.size > 0)
  for (const old of form().querySelectorAll("[data-elsewhere]")) old.remove()
  const shown = new Set(here.map((box) => box.value))
  for (const [id, version] of all ? [] : chosen) {
    if (shown.has(id)) chosen.set(id, versionOf(id))
    else form().append(hidden("id", id), hidden("seen", `${id}:${version}`))
  }
  const box = form().querySelector("[data-choose=all]")
  if (box) box.checked = all
  const words = all ? "All selected" : `${number.format(chosen.size)} selected`
  const said = form().querySelector("[data-chosen]")
  if (said.textContent !== words) said.textContent = words
}

// Of a lead that is ticked on another page.
function hidden(name, value) {
  const field = Object.assign(document.createElement("input"), { type: "hidden", name, value })
  field.dataset.elsewhere = ""
  return field
}

// From the last ticked row to this one, as in every list.
function range(to, on) {
  const ids = boxes().map((box) => box.value)
  const [a, b] = [ids.indexOf(from), ids.indexOf(to)].sort((x, y) => x - y)
  for (const id of a < 0 ? [to] : ids.slice(a, b + 1)) choose(id, on)
}

// Of everything, all but one is no filter: what stays ticked is this page's.
function leaveAll() {
  if (!all) return
  all = false
  for (const box of boxes()) choose(box.value, true)
}

document.addEventListener("click", (event) => {
  const box = event.target
  if (!box.matches?.("input[form=bulk]")) return
  const on = box.checked
  leaveAll()
  if (event.shiftKey && from) range(box.value, on)
  else choose(box.value, on)
  from = box.value
  show()
})

document.addEventListener("change", (event) => {
  const what = event.target.dataset?.choose
  if (what === "page") {
    leaveAll()
    for (const box of boxes()) choose(box.value, event.target.checked)
  } else if (what === "all") {
    all = event.target.checked
  } else return
  show()
})

document.addEventListener("reset", (event) => {
  if (event.target !== form()) return
  if (form().contains(document.activeElement)) document.getElementById("main").focus({ preventScroll: true })
  clear()
  queueMicrotask(show)
})

// A file is no page: the browser takes it, and the selection stays.
document.addEventListener(
  "submit",
  (event) => {
    if (event.target !== form()) return
    for (const menu of form().querySelectorAll("details[open]")) menu.open = false
    if (event.submitter?.matches("[data-download]")) event.stopImmediatePropagation()
  },
  true,
)

onKey("#", () => {
  const some = (chosen.size > 0 || all) && !document.getElementById("drawer")?.open
  const button = some ? form()?.querySelector("button[value=delete]") : null // of the bin there is none
  if (!button) return false
  button.click()
})

// As the cross in the bar; a drawer or a menu that is open closes first.
onKey("Escape", () => {
  if ((!all && !chosen.size) || document.getElementById("drawer")?.open) return false
  form().reset()
})

// Begun: the notice above the table says the rest.
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail
  if (ctx.sourceElement !== form() || !(ctx.response?.status < 400)) return
  form().reset()
  clear()
  show()
  document.getElementById("main").focus({ preventScroll: true })
})

// Another filter is another set.
function sync() {
  const now = document.getElementById("lead-page")?.dataset.chosenOf
  if (now === undefined) return
  if (of !== null && of !== now) clear()
  of = now
  show()
}

document.addEventListener("htmx:after:swap", (event) => {
  sync()
  // What became of it stands above the table, and the click was far below.
  if (event.detail.ctx?.sourceElement?.matches("#bulk")) document.querySelector("#bulk-job section")?.scrollIntoView({ block: "center" })
})

document.addEventListener("click", (event) => {
  const away = event.target.closest?.("[data-away]")?.dataset.away
  if (away) document.getElementById(away).replaceChildren()
})

// A page that came back from the browser's memory still has its ticks.
for (const box of boxes()) if (box.checked) choose(box.value, true)
sync()
