// The table's cells by keyboard: arrows go from cell to cell, as in a spreadsheet; the table stays a table.
import { onKey } from "./keyboard.js"
import { openLead } from "./drawer.js"

const shown = (cell) => cell.getClientRects().length > 0
const cellsOf = (row) => [...row.cells].filter(shown)

export const fieldOf = (cell) => cell.closest("table")?.tHead?.rows[0].cells[cell.cellIndex]?.dataset.edits
export const columnOf = (cell) => cell.closest("table").tHead.rows[0].cells[cell.cellIndex].dataset.column
export const labelOf = (cell) => cell.closest("table").tHead.rows[0].cells[cell.cellIndex].textContent.trim()

// The cell of the leads table that has the focus.
export function cellAt() {
  const cell = document.activeElement?.closest("td, th")
  return cell?.closest("tr[data-lead]") ? cell : null
}

// Some cells hold what takes the focus; the others take it themselves, once somebody came there.
export function focusCell(cell) {
  const inside = cell.matches(".c-check, .c-company, .c-more, .c-restore") && cell.querySelector("input, a, button")
  if (!inside) cell.tabIndex = -1
  ;(inside || cell).focus({ preventScroll: true })
  cell.scrollIntoView({ block: "nearest", inline: "nearest" })
}

// The next cell that can be edited, in this row or the next one.
export function nextEditable(cell, step) {
  const rows = [...cell.closest("tbody").rows]
  const all = rows.flatMap((row) => cellsOf(row).filter(fieldOf))
  return all[all.indexOf(cell) + step]
}

function beside(step) {
  const cell = cellAt()
  if (!cell) return false
  const cells = cellsOf(cell.parentElement)
  const next = cells[cells.indexOf(cell) + step]
  if (next) focusCell(next)
}

function above(step) {
  const cell = cellAt()
  if (!cell) return false
  const rows = [...cell.closest("tbody").rows]
  const next = rows[rows.indexOf(cell.parentElement) + step]?.cells[cell.cellIndex]
  if (next) focusCell(next)
}

function end(step) {
  const cell = cellAt()
  if (!cell) return false
  const cells = cellsOf(cell.parentElement)
  focusCell(cells.at(step < 0 ? 0 : -1))
}

// What cannot be edited is looked at.
function open() {
  const cell = cellAt()
  if (!cell || cell !== document.activeElement) return false
  openLead(cell.parentElement.dataset.lead)
}

onKey("ArrowRight", () => beside(1), { repeats: true })
onKey("ArrowLeft", () => beside(-1), { repeats: true })
onKey("ArrowDown", () => above(1), { repeats: true })
onKey("ArrowUp", () => above(-1), { repeats: true })
onKey("Home", () => end(-1))
onKey("End", () => end(1))
onKey("Enter", open)

// The list read itself again: a cell that had the focus still has it.
let kept = null
document.addEventListener("htmx:before:swap", () => (kept = cellAt() === document.activeElement ? cellAt() : null))
document.addEventListener("htmx:after:swap", () => {
  if (!kept?.isConnected || ![kept, document.body].includes(document.activeElement)) return
  kept.tabIndex = -1
  kept.focus({ preventScroll: true })
})

// A click goes there as well, so that the keys go on from it.
document.addEventListener("pointerdown", (event) => {
  const cell = event.target.closest?.("tr[data-lead] > :is(td, th)")
  if (cell && !event.target.closest("a, button, input, select, label, .cell-form")) cell.tabIndex = -1
})
