// What the list shows while it is read, and when it cannot be read.
const PLACEHOLDERS_AFTER = 400

let waiting = null
let asked = null // the request that is on its way

const page = () => document.getElementById("lead-page")
const table = () => document.querySelector("table.leads")
const isOfList = (ctx) => !ctx.quiet && ctx.request?.method !== "POST" && (ctx.target === page() || ctx.target === "#lead-page")

function settle() {
  clearTimeout(waiting)
  asked = null
  table()?.removeAttribute("aria-busy")
}

document.addEventListener("htmx:before:request", (event) => {
  const { ctx } = event.detail
  if (!isOfList(ctx)) return
  settle()
  document.getElementById("unread")?.remove()
  asked = ctx
  waiting = setTimeout(() => table()?.setAttribute("aria-busy", "true"), PLACEHOLDERS_AFTER)
})

document.addEventListener("htmx:finally:request", (event) => {
  if (event.detail.ctx === asked) settle()
})

// Another list begins at its top, and what of it is seen there is painted first (first-rows): the rows below the edge of
// the window follow in the next frame.
let here = null

document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  if (!isOfList(ctx)) return
  here = page().dataset.here
  document.documentElement.classList.add("first-rows")
})

function wholeList() {
  document.documentElement.classList.remove("first-rows")
}

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (!isOfList(ctx)) return
  if (page().dataset.here === here) return wholeList()
  // In the frame itself: scrolling lays the page out, and once is enough.
  requestAnimationFrame(() => {
    scrollTo(0, 0)
    document.querySelector(".sheet .across")?.scrollTo({ top: 0 })
    setTimeout(wholeList)
  })
})

function unread(ctx, sentence) {
  settle()
  const notice = document.getElementById("list-unread").content.cloneNode(true).firstElementChild
  notice.id = "unread"
  notice.querySelector("[data-said]").textContent = sentence
  notice.querySelector("button").addEventListener("click", () => {
    const address = ctx.request?.action ?? page().dataset.here
    htmx.ajax("GET", address, { source: "#lead-page", target: "#lead-page", swap: "outerMorph", push: "true" })
  })
  document.getElementById("unread")?.remove()
  page().prepend(notice)
  document.getElementById("toasts").replaceChildren()
}

document.addEventListener("htmx:response:error", (event) => {
  const { ctx } = event.detail
  const { status, headers } = ctx.response
  if (!isOfList(ctx) || status < 500) return
  const request = headers.get("X-Request-ID")
  unread(ctx, `Nothing was lost: what you saved is saved.${request ? ` Request ${request}.` : ""}`)
})

document.addEventListener("htmx:error", (event) => {
  const { ctx } = event.detail
  if (ctx && !ctx.response && isOfList(ctx)) unread(ctx, "There is no connection. Nothing was lost: what you saved is saved.")
})
