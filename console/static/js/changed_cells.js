// Who changed a cell since this person looked last: said beside it while it has the focus, not only under a pointer.
let note = null

// The cell, or the name in it that takes the focus for it; not the field that it became.
function marked() {
  const at = document.activeElement
  return at?.matches(".leads [data-was], .leads [data-was] .name > a") ? at.closest("[data-was]") : null
}

function hide() {
  note?.remove()
  note = null
}

function place(cell) {
  const { left, top, bottom } = cell.getBoundingClientRect()
  const { offsetWidth, offsetHeight, style } = note
  const below = bottom + offsetHeight < innerHeight
  style.insetInlineStart = `${Math.max(0, Math.min(left, innerWidth - offsetWidth))}px`
  style.insetBlockStart = `${below ? bottom : top - offsetHeight}px`
}

function show() {
  const cell = marked()
  if (!cell) return hide()
  if (!note) {
    note = document.createElement("div")
    note.className = "was-note"
    note.ariaHidden = "true" // the cell's description says it
    document.body.append(note)
  }
  note.textContent = cell.title
  place(cell)
}

document.addEventListener("focusin", show)
document.addEventListener("focusout", hide)
document.addEventListener("htmx:after:swap", show)
addEventListener("scroll", () => note && show(), { capture: true, passive: true })
addEventListener("resize", () => note && show())
addEventListener("keydown", (event) => event.key === "Escape" && hide(), true)
