// What others change appears by itself: the server says which leads, the page fetches its own block again.
const AT_MOST_EVERY = 1_000
const LOOKS_AGAIN_AFTER = 5_000
const RETRY = { first: 1_000, longest: 30_000 }

let stream = null
let retryIn = RETRY.first
let waiting = null
let last = 0
let changed = new Set()
let many = false
let lostAt = null

const page = () => document.getElementById("lead-page")
const panel = () => document.getElementById("panel")
const strip = () => document.getElementById("offline")

function connect() {
  if (stream || document.hidden || !(page() || panel())) return
  stream = new EventSource("/events")
  stream.addEventListener("open", () => {
    retryIn = RETRY.first
    strip().hidden = true
    if (!lostAt) return
    lostAt = null
    refresh(null)
    document.dispatchEvent(new Event("connected"))
  })
  stream.addEventListener("leads", (event) => {
    const what = JSON.parse(event.data)
    refresh(what.many ? null : what.ids)
  })
  stream.addEventListener("error", () => {
    lost()
    if (stream?.readyState !== EventSource.CLOSED) return
    disconnect()
    setTimeout(connect, retryIn)
    retryIn = Math.min(retryIn * 2, RETRY.longest)
  })
}

function disconnect() {
  stream?.close()
  stream = null
}

function lost() {
  if (lostAt) return
  lostAt = new Date()
  setTimeout(() => {
    if (!lostAt) return
    const at = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" }).format(lostAt)
    strip().querySelector("span").textContent = `No connection since ${at}. You can read on; a cell you change waits and is sent when it is back.`
    strip().hidden = false
  }, 5_000)
}

function tryNow() {
  if (!lostAt) return
  disconnect()
  retryIn = RETRY.first
  connect()
}

addEventListener("online", tryNow)
strip().querySelector("button").addEventListener("click", tryNow)

// ids that changed, or null for "anything may have".
function refresh(ids) {
  if (ids) for (const id of ids) changed.add(id)
  else many = true
  if (waiting) return
  waiting = setTimeout(fetchBlocks, Math.max(0, last + AT_MOST_EVERY - Date.now()))
}

function fetchBlocks() {
  waiting = null
  last = Date.now()
  const ids = changed
  const all = many
  changed = new Set()
  many = false
  if (page()) pageAgain()
  if (panel() && (all || ids.has(panel().dataset.lead))) panelAgain()
  tell(all, ids)
}

function pageAgain() {
  return again(page().dataset.here, "#lead-page")
}

// Unless somebody is writing in it.
function panelAgain() {
  const { lead, here } = panel().dataset
  const busy = panel().querySelector("form.editing, form [data-save]") || document.getElementById("dialogs").hasChildNodes()
  if (lead && !busy) again(here ?? `/leads/${lead}`, "#panel", here)
}

function again(address, target, here) {
  return htmx.ajax("GET", address, { source: document.querySelector(target), target, swap: "outerMorph", quiet: true, here, push: null, replace: null })
}

// The panel went elsewhere while this was on its way: it comes too late.
document.addEventListener("htmx:before:swap", (event) => {
  const { quiet, here } = event.detail.ctx
  if (quiet && here && panel()?.dataset.here !== here) event.preventDefault()
})

// One polite sentence for whoever listens instead of looking.
function tell(all, ids) {
  const status = document.getElementById("status")
  status.textContent = all ? "The list was brought up to date." : ids.size === 1 ? "1 lead changed." : `${ids.size} leads changed.`
}

// Between its start and its end an enrichment's steps (waits, tries again) tell nobody: they are looked after.
setInterval(() => {
  if (document.hidden || waiting) return
  if (page()?.querySelector("[data-moves]")) pageAgain()
  if (panel()?.querySelector("[data-moves]")) panelAgain()
}, LOOKS_AGAIN_AFTER)

document.addEventListener("leads-changed", (event) => refresh(event.detail.ids ?? null))

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    disconnect()
  } else {
    connect()
    refresh(null)
  }
})

addEventListener("pagehide", disconnect)
addEventListener("pageshow", connect)
connect()
