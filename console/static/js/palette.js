// Everything by its name: Ctrl or Cmd and K. The server says what fits; here it is shown, walked through and done.
import { statusOf } from "./answers.js"
import { drawer, openLead } from "./drawer.js"
import { onKey, press } from "./keyboard.js"
import { ofSelection, somethingIsTicked } from "./palette_selection.js"
import { currentLead } from "./row_keys.js"

const WAIT = 80 // ms without a key before the server is asked
const RECENT = "palette-recent"
const MOST_RECENT = 6
const LEAD = /^\/leads\/([0-9a-f-]{36})$/

const dialog = () => document.getElementById("palette")
const field = () => document.getElementById("palette-text")
const list = () => document.getElementById("palette-choices")
const options = () => [...list().querySelectorAll("[role=option]")]
const selected = () => list().querySelector("[aria-selected=true]")

let lead = null // the one the keys stood on when it was opened
let asking = null // ends the request that is under way
let waiting = null
let shownFor = null // the text that the list answers
let chooses = false // Enter came before the answer

export function openPalette(text = "") {
  if (!dialog() || dialog().open) return false
  lead = currentLead()
  shownFor = null
  list().replaceChildren()
  field().value = text
  dialog().showModal()
  field().focus()
  ask()
}

function recent() {
  try {
    return JSON.parse(localStorage.getItem(RECENT) ?? "[]").filter((path) => typeof path === "string")
  } catch {
    return []
  }
}

function remember(path) {
  const paths = [path, ...recent().filter((other) => other !== path)].slice(0, MOST_RECENT)
  localStorage.setItem(RECENT, JSON.stringify(paths))
}

// Whoever signs in next in this browser has been nowhere yet.
if (location.pathname.startsWith("/sign-in")) localStorage.removeItem(RECENT)

// Only the answer to the last question is shown: whatever was asked before is cancelled.
async function ask() {
  asking?.abort()
  asking = new AbortController()
  const { signal } = asking
  const typed = field().value
  const query = new URLSearchParams({ q: typed })
  if (lead) query.set("lead", lead.id)
  if (!typed.trim()) for (const path of recent()) query.append("recent", path)
  try {
    const answer = await fetch(`/palette?${query}`, { headers: { "HX-Request": "true", "HX-Request-Type": "partial" }, signal })
    if (answer.redirected || statusOf(answer) === 401) return location.assign("/sign-in")
    if (statusOf(answer) !== 200) throw new Error(String(statusOf(answer)))
    const html = await answer.text()
    if (!signal.aborted) show(html, typed)
  } catch {
    if (signal.aborted) return
    chooses = false
    say("No answer. Nothing was changed; try again.")
  }
}

function show(html, typed) {
  const fitting = new DOMParser().parseFromString(html, "text/html").body
  list().replaceChildren(...ofSelection(typed), ...fitting.childNodes)
  shownFor = typed
  field().setAttribute("aria-expanded", String(options().length > 0))
  say(options().length ? "" : `Nothing fits “${typed.trim()}”.`)
  select(options()[0])
  if (chooses) choose(selected())
}

function say(words) {
  document.getElementById("palette-none").textContent = words
}

function select(option) {
  selected()?.setAttribute("aria-selected", "false")
  option?.setAttribute("aria-selected", "true")
  option?.scrollIntoView({ block: "nearest" })
  if (option) field().setAttribute("aria-activedescendant", option.id)
  else field().removeAttribute("aria-activedescendant")
}

function step(by) {
  const all = options()
  if (!all.length) return
  const at = all.indexOf(selected())
  select(all[(at + by + all.length) % all.length])
}

// Closed first, so that focus is back where it was when the action begins.
function choose(option) {
  chooses = false
  if (!option) return
  const { href, post, values, click, press: keys } = option.dataset
  dialog().close()
  if (option.act) option.act()
  else if (href) go(href)
  else if (post === "/leads/quick-add") add(JSON.parse(values).text)
  else if (post) send(post, JSON.parse(values))
  else if (click) document.querySelector(click)?.click()
  else press(keys)
}

function go(path) {
  remember(path)
  const id = LEAD.exec(path)?.[1]
  if (id && drawer()) openLead(id)
  else location.assign(path)
}

// By the field above the table where there is one: it says what could not be read.
function add(text) {
  const quick = document.getElementById("quick-text")
  if (quick) {
    quick.value = text
    quick.form.requestSubmit()
    return
  }
  const form = Object.assign(document.createElement("form"), { method: "post", action: "/leads/quick-add", hidden: true })
  form.append(Object.assign(document.createElement("input"), { name: "text", value: text }))
  document.body.append(form)
  form.submit()
}

// The open lead shows itself as it is afterwards; a row is brought up to date by the table.
function send(path, values) {
  const isOpen = document.getElementById("panel")?.dataset.lead === lead?.id && (!drawer() || drawer().open)
  const where = isOpen ? { target: "#panel", swap: "outerMorph" } : { target: "#status", swap: "none" }
  htmx.ajax("POST", path, { ...where, values, push: null, replace: null })
}

onKey("Mod k", () => openPalette())
// Of the ticked leads, else of the open one. A row has a menu of its own.
onKey("s", () => {
  const at = currentLead()
  const hasMenu = at && document.querySelector(`#lead-${at.id} [data-actions]`)
  if (!somethingIsTicked() && (!at || hasMenu)) return false
  openPalette("Set stage ")
})

document.addEventListener("input", (event) => {
  if (event.target !== field()) return
  chooses = false
  clearTimeout(waiting)
  waiting = setTimeout(ask, WAIT)
})

document.addEventListener("keydown", (event) => {
  if (!dialog()?.open || event.isComposing || event.defaultPrevented) return
  const all = options()
  const act = {
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    PageDown: () => select(all.at(Math.min(all.length - 1, all.indexOf(selected()) + 8))),
    PageUp: () => select(all.at(Math.max(0, all.indexOf(selected()) - 8))),
    Home: () => select(all[0]),
    End: () => select(all.at(-1)),
    Enter: () => (shownFor === field().value ? choose(selected()) : (chooses = true)),
    "Mod k": () => dialog().close(),
  }[event.ctrlKey || event.metaKey ? `Mod ${event.key}` : event.key]
  if (!act) return
  event.preventDefault()
  act()
})

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-palette]")
  if (opener) {
    event.preventDefault()
    openPalette()
  } else if (event.target === dialog()) dialog().close()
  else choose(event.target.closest("#palette-choices [role=option]"))
})

document.addEventListener("close", (event) => {
  if (event.target !== dialog()) return
  clearTimeout(waiting)
  asking?.abort()
  chooses = false
}, true)
