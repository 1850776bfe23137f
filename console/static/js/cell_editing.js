// A cell becomes a field: Enter, F2 or a double click. Tab saves and goes on, Esc gives up. What was typed stays until
// it is saved or given up, whatever the list does meanwhile.
import { cellAt, columnOf, fieldOf, focusCell, labelOf, nextEditable } from "./cells.js"
import { openLead } from "./drawer.js"
import { onKey } from "./keyboard.js"
import { change, fragment, problemOf } from "./lead_changes.js"

const CHOSEN = ["stage", "owner_id", "country"]
const KEYBOARDS = { email: "email", phone: "tel", website: "url", employee_count: "numeric" }
const editors = new Map() // cell -> its editor
let missed = false // the list changed while a row was held
let choices = null // the lists to choose from, asked for once

function valueOf(cell) {
  if (cell.dataset.value !== undefined) return cell.dataset.value
  if (cell.querySelector(".sk, .none")) return ""
  return cell.querySelector("[data-stage]")?.dataset.stage ?? (cell.querySelector(".pair") ?? cell).textContent.trim()
}

function lists() {
  choices ??= fragment("/leads/choices")
  choices.catch(() => (choices = null))
  return choices
}

function fieldFor(name, value) {
  const field = document.createElement(CHOSEN.includes(name) ? "select" : "input")
  field.className = "input"
  field.name = name
  field.autocomplete = "off"
  if (field.matches("input")) {
    field.type = name === "follow_up_on" ? "date" : "text"
    if (KEYBOARDS[name]) field.inputMode = KEYBOARDS[name]
  } else field.add(new Option(value, value, true, true))
  field.value = value
  return field
}

async function fill(editor) {
  try {
    const list = (await lists()).querySelector(`[name="${editor.name}"]`)
    const { value } = editor.field
    editor.field.replaceChildren(...list.cloneNode(true).children)
    if (![...editor.field.options].some((one) => one.value === value)) editor.field.add(new Option(value, value))
    editor.field.value = value
  } catch {
    say(editor, { status: 0 })
  }
}

export function edit(cell) {
  if (editors.has(cell)) return editors.get(cell).field.focus()
  const row = cell.parentElement
  const name = fieldOf(cell)
  const value = valueOf(cell)
  const box = document.createElement("div")
  box.className = "cell-form"
  const field = fieldFor(name, value)
  field.setAttribute("aria-label", `${labelOf(cell)} of ${row.querySelector("th a").textContent.trim()}`)
  const problem = document.createElement("div")
  problem.className = "cell-problem"
  problem.id = `problem-${row.dataset.lead}-${name}`
  problem.setAttribute("role", "alert")
  box.append(field, problem)
  const editor = { cell, row, name, value, box, field, problem, before: [...cell.childNodes], version: Number(row.dataset.version), saving: null }
  editors.set(cell, editor)
  cell.replaceChildren(box)
  cell.classList.add("being-edited")
  row.setAttribute("hx-morph-skip", "")
  field.focus()
  if (field.matches("select")) fill(editor)
  else field.select?.()
}

// The cell shows again what it showed, or what the server says now.
function close(editor, { body = null, focus = false } = {}) {
  const { cell, row } = editor
  editors.delete(cell)
  cell.classList.remove("being-edited")
  const fresh = body?.querySelector("td, th")
  cell.replaceChildren(...(fresh ? fresh.childNodes : editor.before))
  if (fresh) {
    if (fresh.dataset.value === undefined) delete cell.dataset.value
    else cell.dataset.value = fresh.dataset.value
    htmx.process(cell)
  }
  if ([...editors.values()].every((other) => other.row !== row)) row.removeAttribute("hx-morph-skip")
  if (focus) focusCell(cell)
  if (!editors.size && missed) {
    missed = false
    document.dispatchEvent(new CustomEvent("leads-changed", { detail: { ids: [row.dataset.lead] } }))
  }
}

function say(editor, result) {
  const { field, problem } = editor
  problem.replaceChildren(...problemOf(result))
  problem.dataset.status = result.status
  field.setAttribute("aria-invalid", "true")
  field.setAttribute("aria-describedby", problem.id)
  const other = editors.get(document.activeElement?.closest("td, th"))
  const writesElsewhere = other && other !== editor && other.field.value !== other.value
  if (!writesElsewhere) (problem.querySelector("[data-keep]") ?? field).focus()
  problem.scrollIntoView({ block: "nearest" })
}

function save(editor, { focus = false } = {}) {
  if (editor.saving) return editor.saving
  if (!editors.has(editor.cell)) return Promise.resolve()
  const { field, row, name } = editor
  if (field.value.trim() === editor.value.trim() && !editor.problem.hasChildNodes()) {
    close(editor, { focus })
    return Promise.resolve()
  }
  field.disabled = field.matches("select")
  field.readOnly = true
  editor.box.setAttribute("aria-busy", "true")
  const beside = document.querySelector("table.leads .c-title") ? "" : "title"
  const values = () => ({ [name]: field.value, version: editor.version, beside })
  editor.saving = change(row.dataset.lead, values).then((result) => {
    editor.saving = null
    field.disabled = field.readOnly = false
    editor.box.removeAttribute("aria-busy")
    if (result.status !== 200) return say(editor, result)
    // Only where nobody else was in between: what they changed this row does not show yet.
    if (result.version <= editor.version + 1) {
      row.dataset.version = result.version
      for (const other of editors.values()) if (other.row === row) other.version = result.version
    }
    const stays = focus || editor.box.contains(document.activeElement)
    close(editor, { body: result.body, focus: stays })
  })
  return editor.saving
}

function editorOf(target) {
  const cell = target.closest?.(".cell-form")?.closest("td, th")
  return cell && editors.get(cell)
}

function begin() {
  const cell = cellAt()
  if (!cell || !fieldOf(cell)) return false
  edit(cell)
}

// On the lead's own link Enter opens the lead, and e edits it there.
const onItself = () => (cellAt() === document.activeElement ? begin() : false)
onKey("F2", begin)
onKey("Enter", onItself)
onKey("e", onItself)

document.addEventListener("dblclick", (event) => {
  const cell = event.target.closest?.("tr[data-lead] > :is(td, th)")
  if (!cell || event.target.closest("a, button, input, select, .cell-form") || !fieldOf(cell)) return
  getSelection().removeAllRanges()
  edit(cell)
})

// Before anybody else hears of it: Esc here closes no drawer, Tab goes where the table says.
document.addEventListener("keydown", (event) => {
  const editor = editorOf(event.target)
  if (!editor || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return
  if (event.key === "Escape") {
    event.preventDefault()
    event.stopPropagation()
    close(editor, { focus: true })
  } else if (event.target === editor.field && event.key === "Enter") {
    event.preventDefault()
    event.stopPropagation()
    save(editor, { focus: true })
  } else if (event.target === editor.field && event.key === "Tab" && !editor.problem.querySelector("a, button")) {
    const next = nextEditable(editor.cell, event.shiftKey ? -1 : 1)
    if (!next) return
    event.preventDefault()
    edit(next)
    save(editor)
  }
}, true)

// Going elsewhere saves, so that nothing typed is lost on the way. A list that reads itself again takes the focus
// along with the row: that is nobody's going.
let isSwapping = false
document.addEventListener("htmx:before:swap", () => (isSwapping = true))
for (const over of ["htmx:after:swap", "htmx:finally:request"]) document.addEventListener(over, () => (isSwapping = false))

document.addEventListener("focusout", (event) => {
  const editor = editorOf(event.target)
  if (isSwapping || !editor || !editor.box.isConnected || editor.box.contains(event.relatedTarget) || !document.hasFocus()) return
  if (!editor.problem.hasChildNodes()) save(editor)
})

document.addEventListener("click", (event) => {
  const lead = event.target.closest?.("[data-opens-lead]")
  if (lead && document.getElementById("drawer")) {
    event.preventDefault()
    openLead(lead.dataset.opensLead)
    return
  }
  const editor = editorOf(event.target)
  const keep = event.target.closest?.("[data-keep]")?.dataset.keep
  if (!editor || !keep) return
  event.preventDefault()
  if (keep === "mine") {
    editor.version = Number(editor.problem.querySelector("[data-version]").dataset.version)
    save(editor, { focus: true })
  } else {
    missed = true
    close(editor, { focus: true })
  }
})

document.addEventListener("input", (event) => {
  const editor = editorOf(event.target)
  if (!editor || !editor.problem.hasChildNodes()) return
  editor.field.removeAttribute("aria-invalid")
})

// Back online: what waited is sent.
function sendWhatWaits() {
  for (const editor of editors.values()) {
    if (editor.problem.dataset.status === "0") save(editor)
  }
}

addEventListener("online", sendWhatWaits)
document.addEventListener("connected", sendWhatWaits)

// The list reads itself again while somebody writes: their row stays where it is, even when the new list has it not.
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail
  if (!ctx.quiet || !editors.size) return
  missed = true
  if (ctx.text?.includes('id="lead-page"') && !ctx.text.includes("<tbody")) event.preventDefault()
})

document.addEventListener("htmx:after:swap", (event) => {
  // The counts of the views swap nothing here, and may come while the list is between its old rows and its new ones.
  if (!editors.size || event.detail.ctx.swap === "none") return
  const body = document.querySelector("table.leads > tbody")
  for (const editor of editors.values()) {
    if (editor.row.isConnected) continue
    if (!event.detail.ctx.quiet || !body) editors.delete(editor.cell)
    else {
      body.prepend(editor.row)
      editor.field.focus()
    }
  }
})

// Lists to choose from are there before somebody needs them.
document.addEventListener("pointerover", warm)
document.addEventListener("focusin", warm)
function warm(event) {
  if (!event.target.closest?.("tr[data-lead]") || !document.querySelector("[data-edits]")) return
  document.removeEventListener("pointerover", warm)
  document.removeEventListener("focusin", warm)
  lists().catch(() => {})
}
