// A lead beside the table: not modal, in the address bar, closed by Esc, and focus goes back to its row.
const LEAD = /^\/leads\/[0-9a-f-]{36}(\/edit)?$/

export const drawer = () => document.getElementById("drawer")
const panel = () => document.getElementById("panel")
const row = (id) => document.getElementById(`lead-${id}`)
const isOpen = () => Boolean(drawer()?.open)

let title = document.title
let edited = null // the field whose value was being changed, to put focus back there

function markRow() {
  const id = isOpen() ? panel().dataset.lead : null
  for (const other of document.querySelectorAll("tr[aria-current]")) other.removeAttribute("aria-current")
  if (id) row(id)?.setAttribute("aria-current", "true")
}

function show() {
  if (!isOpen()) {
    title = document.title
    drawer().show()
  }
  drawer().querySelector("[data-page]").href = `/leads/${panel().dataset.lead}`
  if (panel().dataset.title) document.title = `${panel().dataset.title} · Lead Explorer`
  markRow()
}

function hide() {
  if (!isOpen()) return
  const id = panel().dataset.lead
  drawer().close()
  document.title = title
  markRow()
  row(id)?.querySelector("a")?.focus()
}

export function closeDrawer() {
  if (isOpen()) history.back()
}

export function openLead(id, { replace = isOpen() } = {}) {
  const history = replace ? { replace: "true" } : { push: "true" }
  return htmx.ajax("GET", `/leads/${id}`, { target: "#panel", swap: "outerMorph", ...history })
}

// Here and not as htmx attributes of each row: fifty links less to get ready before a list is painted.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("tr[data-lead] > th a")
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  event.preventDefault()
  openLead(link.closest("tr").dataset.lead)
})

function placeFocus(opened, within) {
  const editor = panel().querySelector(".editing [autofocus], form [autofocus]")
  if (panel().querySelector("#summary")) panel().querySelector("#summary").focus()
  else if (editor) {
    editor.focus()
    editor.select?.()
  } else if (opened) {
    drawer().scrollTop = 0
    document.getElementById("lead-name").focus({ preventScroll: true })
  } else if (within) {
    document.getElementById(within)?.focus({ preventScroll: true })
  } else if (!panel().contains(document.activeElement)) {
    const value = edited && document.getElementById(`value-${edited}`)
    ;(value ?? document.getElementById("lead-name")).focus({ preventScroll: Boolean(value) })
  }
}

// The first lead opens a new place in the history, the next ones take its place: Back always leads to the table.
document.addEventListener("htmx:before:request", (event) => {
  const { ctx } = event.detail
  if (ctx.sourceElement?.matches?.("[data-drawer]") && isOpen()) {
    ctx.push = null
    ctx.replace = "true"
  }
})

// The server may have named another target than the element did: then it is a selector.
function targetOf(ctx) {
  return typeof ctx.target === "string" ? document.querySelector(ctx.target) : ctx.target
}

// Asked before the swap: an element that is swapped away is not the source of what comes after it.
document.addEventListener("htmx:before:swap", (event) => {
  event.detail.ctx.within = event.detail.ctx.sourceElement?.dataset?.within
  const editing = panel()?.querySelector("[data-editing]")
  if (targetOf(event.detail.ctx) === panel() && editing) edited = editing.dataset.editing
})

document.addEventListener("htmx:after:swap", (event) => {
  const { ctx } = event.detail
  if (ctx.quiet) return markRow()
  const target = targetOf(ctx)
  const inside = panel() && target && (target.id === "panel" || panel().contains(target))
  if (!inside) return markRow()
  const { within } = ctx
  const opened = !within && Boolean(drawer()) && (!isOpen() || ctx.replace === "true")
  if (drawer()) show()
  placeFocus(opened, within)
  edited = null
})

// Back and Forward between the table and a lead need no new table.
document.addEventListener("htmx:before:history:restore", (event) => {
  const page = document.getElementById("lead-page")
  if (!drawer() || !page) return
  const { path } = event.detail
  const lead = path.split("?")[0]
  if (LEAD.test(lead)) {
    event.preventDefault()
    htmx.ajax("GET", path, { target: "#panel", swap: "outerMorph" })
  } else if (path === page.dataset.here) {
    event.preventDefault()
    hide()
  }
})

// The list went elsewhere: the lead beside it is not of this list any more.
document.addEventListener("htmx:after:history:update", (event) => {
  if (isOpen() && !LEAD.test(location.pathname)) hide()
})

document.addEventListener("click", (event) => {
  if (event.target.closest("#drawer [data-close]")) closeDrawer()
})

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog:modal")) return
  const at = document.activeElement
  const within = at === document.body || drawer()?.contains(at) ? panel() : at?.closest("#panel")
  const cancel = (at?.closest(".editing") ?? within)?.querySelector("[data-cancel]")
  if (cancel) cancel.click()
  else closeDrawer()
})
