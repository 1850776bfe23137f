// The one undo: of what a request or a job changed. `u` undoes what this tab did last, after a reload too.
import { onKey } from "./keyboard.js"

const KEPT = "last-undo"
const LASTS = 10 * 60 * 1000

// What the toast offers to undo; kept for this tab, so that a reload does not take it away.
export function keep(what) {
  sessionStorage.setItem(KEPT, JSON.stringify({ request_id: what.request_id, task_id: what.task_id, at: Date.now() }))
}

function kept() {
  try {
    const { at, ...what } = JSON.parse(sessionStorage.getItem(KEPT) ?? "null") ?? {}
    return Date.now() - at < LASTS ? what : null
  } catch {
    return null
  }
}

export function undo(what) {
  sessionStorage.removeItem(KEPT)
  const values = { then: location.pathname + location.search }
  for (const name of ["request_id", "task_id"]) if (what[name]) values[name] = what[name]
  return htmx.ajax("POST", "/undo", { swap: "none", target: "#status", values, push: null, replace: null })
}

// The button that is shown, else what this tab did last.
function undoLast() {
  const shown = document.querySelector("[data-undo]")
  if (shown) return shown.click()
  const what = kept()
  if (!what) return false
  undo(what)
}

onKey("u", undoLast)

// Whoever signs in next in this tab has done nothing here yet.
if (location.pathname.startsWith("/sign-in")) sessionStorage.removeItem(KEPT)
