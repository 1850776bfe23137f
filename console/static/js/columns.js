// The columns as somebody wants them: which, in the menu; how wide, by dragging the edge of a head or with the arrows on
// it. Kept at once.
const NARROWEST = 64
const WIDEST = 800
const STEP = 8
const WAITS = 400

let waiting = null
let dragged = null

export const table = () => document.querySelector("table.leads")
export const heads = () => [...table().tHead.rows[0].cells].filter((head) => head.getClientRects().length > 0)
const colOf = (head) => table().querySelector("colgroup").children[head.cellIndex]
const widthOf = (head) => Math.round(head.getBoundingClientRect().width)

// From now on every column is as wide as it looks, so that one can change alone.
function freeze() {
  const widths = heads().map((head) => [head, widthOf(head)])
  for (const [head, width] of widths) colOf(head).style.inlineSize = `${width}px`
}

function resize(head, width) {
  const wanted = Math.min(WIDEST, Math.max(NARROWEST, Math.round(width)))
  colOf(head).style.inlineSize = `${wanted}px`
  const all = heads().reduce((sum, one) => sum + (Number.parseFloat(colOf(one).style.inlineSize) || 0), 0)
  table().style.inlineSize = `${all}px`
  head.querySelector(".sizer").setAttribute("aria-valuenow", wanted)
}

function layout(standard = null) {
  const shown = heads().filter((head) => head.dataset.column && head.dataset.column !== "restore")
  return shown
    .map((head) => `${head.dataset.column}:${head === standard ? "" : Number.parseInt(colOf(head).style.inlineSize) || widthOf(head)}`)
    .join(",")
}

// One after the other, so that each begins from what the one before has kept.
let kept = Promise.resolve()

export function keep(values) {
  clearTimeout(waiting)
  waiting = null
  kept = kept.then(() => send(values))
}

function send(values) {
  const then = document.getElementById("lead-page").dataset.here
  const where = { source: "#columns-menu", target: "#lead-page", swap: "outerMorph", push: null, replace: null }
  return htmx.ajax("POST", "/leads/columns", { ...where, values: { ...values, then } })
}

document.addEventListener("change", (event) => {
  const { form, name, value, checked } = event.target
  if (!form?.matches(".columns-form")) return
  if (name === "density" || name === "width") keep({ [name]: value })
  else keep({ [checked ? "show" : "hide"]: value })
})

document.addEventListener("submit", (event) => {
  if (!event.target.matches(".columns-form") || !event.submitter?.name) return
  event.preventDefault()
  keep({ [event.submitter.name]: event.submitter.value })
})

const sizerAt = (event) => event.target.closest?.(".sizer")

document.addEventListener("pointerdown", (event) => {
  const sizer = sizerAt(event)
  if (!sizer || event.button !== 0) return
  event.preventDefault()
  sizer.focus()
  sizer.setPointerCapture(event.pointerId)
  freeze()
  const head = sizer.closest("th")
  dragged = { head, from: event.clientX, width: widthOf(head), moved: false }
})

document.addEventListener("pointermove", (event) => {
  if (!dragged || !sizerAt(event)) return
  dragged.moved ||= Math.abs(event.clientX - dragged.from) > 2
  if (dragged.moved) resize(dragged.head, dragged.width + event.clientX - dragged.from)
})

for (const name of ["pointerup", "pointercancel"]) {
  document.addEventListener(name, () => {
    if (dragged?.moved) keep({ layout: layout() })
    dragged = null
  })
}

document.addEventListener("keydown", (event) => {
  const sizer = sizerAt(event)
  const step = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key]
  if (!sizer || event.ctrlKey || event.metaKey || event.altKey) return
  const head = sizer.closest("th")
  if (step) {
    event.preventDefault()
    freeze()
    resize(head, widthOf(head) + step * (event.shiftKey ? 5 : 1))
    clearTimeout(waiting)
    waiting = setTimeout(() => keep({ layout: layout() }), WAITS)
  } else if (event.key === "Home") {
    event.preventDefault()
    keep({ layout: layout(head) })
  }
})

document.addEventListener("dblclick", (event) => {
  const sizer = sizerAt(event)
  if (sizer) keep({ layout: layout(sizer.closest("th")) })
})

// The server's widths stand now.
document.addEventListener("htmx:after:swap", () => {
  if (!table() || dragged || waiting) return
  table().removeAttribute("style")
  for (const col of table().querySelectorAll("col[style]")) col.removeAttribute("style")
})
