// One line about what just happened, with Undo where there is one. It stays until the next action.
import { keep, undo } from "./undo.js"

const place = () => document.getElementById("toasts")

// way: { undo: what undoes it, word: "Undo" or "Redo" }, or { link: { href, text } }.
export function toast(text, way = {}) {
  const line = document.createElement("div")
  line.className = "toast"
  const words = document.createElement("span")
  words.textContent = text
  line.append(words)
  if (way.undo) {
    keep(way.undo)
    line.append(undoButton(way.undo, way.word ?? "Undo"))
  } else if (way.link) line.append(link(way.link))
  line.append(closeButton(Boolean(way.undo || way.link)))
  place().replaceChildren(line)
}

export function clearToast() {
  place().replaceChildren()
}

function undoButton(what, word) {
  const button = document.createElement("button")
  button.type = "button"
  button.className = "btn slim"
  button.dataset.undo = ""
  button.textContent = `${word} `
  const key = document.createElement("kbd")
  key.textContent = "u"
  key.setAttribute("aria-hidden", "true")
  button.append(key)
  button.addEventListener("click", () => {
    clearToast()
    undo(what)
  })
  return button
}

function link({ href, text }) {
  const there = document.createElement("a")
  there.className = "btn slim"
  there.href = href
  there.textContent = text
  return there
}

function closeButton(small) {
  const button = document.createElement("button")
  button.type = "button"
  button.className = small ? "btn slim only" : "btn slim"
  button.textContent = small ? "×" : "Close"
  if (small) button.setAttribute("aria-label", "Close")
  button.addEventListener("click", clearToast)
  return button
}

const SENTENCES = {
  400: "That could not be read. Nothing was changed.",
  403: "You are not allowed to do this. Nothing was changed.",
  404: "This lead is not there any more.",
  409: "Not done: another lead has the same email or domain by now.",
  412: "Not done: somebody changed this lead first. Open it and look again.",
  413: "That is too large. Nothing was changed.",
  422: "Not done: a value is not valid any more. Open the lead and look again.",
  429: "Too many changes in a short time. Wait a moment, then try again.",
}
const OTHERWISE = "The server could not answer. Nothing was lost: what you saved is saved."

document.addEventListener("toast", (event) => toast(event.detail.text, event.detail))

// What looks again by itself tries again by itself; nobody asked for it who would wait for an answer.
const isByItself = ({ sourceEvent }) => sourceEvent?.type === "every"

document.addEventListener("htmx:response:error", (event) => {
  const { status, headers } = event.detail.ctx.response
  const shownInPlace = event.detail.ctx.swap !== "none"
  if (shownInPlace && [409, 412, 422].includes(status)) return
  if (status === 401) {
    location.assign(`/sign-in?then=${encodeURIComponent(location.pathname + location.search)}`)
    return
  }
  if (isByItself(event.detail.ctx)) return
  const request = status >= 500 ? headers.get("X-Request-ID") : null
  toast((SENTENCES[status] ?? OTHERWISE) + (request ? ` Request ${request}.` : ""))
})

document.addEventListener("htmx:error", (event) => {
  const { ctx } = event.detail
  if (ctx && !ctx.response && !isByItself(ctx)) toast("No connection. Nothing was changed; try again when it is back.")
})
