// The counts beside the views follow what changes: asked for again after the list was, at most every few seconds.
const AT_MOST_EVERY = 5_000

let last = Date.now()
let waiting = null

document.addEventListener("htmx:after:swap", (event) => {
  if (!event.detail.ctx.quiet || waiting) return
  waiting = setTimeout(countAgain, Math.max(0, last + AT_MOST_EVERY - Date.now()))
})

function countAgain() {
  waiting = null
  last = Date.now()
  const counts = document.getElementById("view-counts")
  if (counts && !document.hidden) htmx.trigger(counts, "again")
}
