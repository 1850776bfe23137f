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

// Another list begins at its top. What of it is seen there is painted first (first-rows): the rows below the edge of the
// window follow in the next frame.
const across = () => document.querySelector(".sheet .across")

document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  if (!isOfList(ctx)) return
  const { here } = page().dataset
  // A list that is shorter for a moment would lose the place to which one had scrolled.
  if (!scrollY && !across()?.scrollTop) document.documentElement.classList.add("first-rows")
  requestAnimationFrame(() => {
    if (page()?.dataset.here !== here) {
      scrollTo(0, 0)
      across()?.scrollTo({ top: 0 })
    }
    setTimeout(() => document.documentElement.classList.remove("first-rows"))
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
