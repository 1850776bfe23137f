// Saves fields of a lead beside htmx: what the server says of it is an answer to whoever asked, not a swap.
import { statusOf } from "./answers.js"

const queues = new Map() // lead -> the change before: two of one lead never overtake each other

// What became of it: { status, body, version, request }. status 0: nobody answered.
export function change(id, values) {
  const before = queues.get(id) ?? Promise.resolve()
  const now = before.then(() => send(`/leads/${id}/cell`, values()))
  queues.set(id, now)
  return now
}

export async function fragment(address) {
  const answer = await fetch(address, { headers: { "HX-Request": "true", "HX-Request-Type": "partial" } })
  if (statusOf(answer) !== 200) throw new Error(`${statusOf(answer)}`)
  return bodyOf(await answer.text())
}

// What the server wrote, as elements that nothing has run yet.
const bodyOf = (html) => new DOMParser().parseFromString(html, "text/html").body

async function send(address, values) {
  const headers = { "HX-Request": "true", "HX-Request-Type": "partial" }
  try {
    const answer = await fetch(address, { method: "POST", headers, body: new URLSearchParams(values), redirect: "manual" })
    const body = bodyOf(await answer.text())
    const status = statusOf(answer)
    if (status === 200) tell(answer.headers.get("HX-Trigger"))
    const version = Number(answer.headers.get("ETag")?.replaceAll('"', ""))
    return { status: status || 401, body, version, request: answer.headers.get("X-Request-ID") }
  } catch {
    return { status: 0 }
  }
}

// The events that htmx would have made of the answer.
function tell(header) {
  for (const [name, detail] of Object.entries(JSON.parse(header ?? "{}"))) {
    document.body.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }))
  }
}

const SENTENCES = {
  0: "No connection. What you typed waits here and is sent when it is back.",
  401: "You are signed out. Sign in in another tab, then press Enter here.",
  403: "You are not allowed to change this.",
  404: "This lead is in the bin by now.",
  429: "Too many changes in a short time. Wait a moment, then press Enter.",
}

// Why it was not saved, as elements to be shown beside what was typed.
export function problemOf({ status, body, request }) {
  if ([409, 412, 422].includes(status)) return [...body.childNodes]
  const line = document.createElement("p")
  line.className = "error"
  line.textContent = SENTENCES[status] ?? `The server could not answer. What you typed is here: press Enter to try again.${request ? ` Request ${request}.` : ""}`
  return [line]
}
