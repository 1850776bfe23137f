// What is done with a lead all day, from its row: the page of its actions, as a menu beside it.
import { focusCell } from "./cells.js"
import { onKey } from "./keyboard.js"
import { change, fragment, problemOf } from "./lead_changes.js"
import { currentLead } from "./row_keys.js"

const menu = () => document.getElementById("row-menu")
let opener = null

function place(anchor) {
  const { left, right, bottom, top } = anchor.getBoundingClientRect()
  const { offsetWidth: width, offsetHeight: height } = menu()
  const gap = 4
  const below = bottom + gap + height <= innerHeight
  menu().style.insetInlineStart = `${Math.max(gap, Math.min(anchor.matches("[data-actions]") ? right - width : left, innerWidth - width - gap))}px`
  menu().style.insetBlockStart = `${Math.max(gap, below ? bottom + gap : top - height - gap)}px`
}

async function show(id, anchor, wanted) {
  try {
    const body = await fragment(`/leads/${id}/actions?then=${encodeURIComponent(location.pathname + location.search)}`)
    menu().replaceChildren(...body.childNodes)
  } catch {
    location.assign(`/leads/${id}/actions`)
    return
  }
  opener = id
  menu().setAttribute("aria-label", anchor.closest("tr").querySelector("[data-actions]").ariaLabel)
  menu().showPopover()
  place(anchor)
  const first = wanted ? menu().querySelector(wanted) : menu().querySelector("button[aria-current]")
  ;(first ?? menu().querySelector("button, input")).focus()
}

// The row's link, however often the list was read again meanwhile.
function back() {
  const row = document.getElementById(`lead-${opener}`)
  if (row) focusCell(row.querySelector(".c-company"))
}

function of(wanted) {
  const lead = currentLead()
  const row = lead && document.getElementById(`lead-${lead.id}`)
  if (!menu() || !row?.querySelector("[data-actions]")) return false
  show(lead.id, row.querySelector("th a"), wanted)
}

async function send(id, version, name, value) {
  const result = await change(id, () => ({ [name]: value, version }))
  if (result.status === 200) {
    if (menu().matches(":popover-open")) menu().hidePopover()
    back()
    return
  }
  menu().querySelector("[data-problem]").replaceChildren(...problemOf(result))
  menu().querySelector("[data-problem] [data-keep]")?.focus()
}

onKey("s", () => of('[name="stage"][aria-current]'))
onKey("a", () => of('[name="owner_id"]'))
onKey("d", () => of('[name="follow_up_on"]'))
onKey("t", () => of("#row-tags"))

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-actions]")
  if (link && menu() && !event.ctrlKey && !event.metaKey) {
    event.preventDefault()
    show(link.closest("[data-lead]").dataset.lead, link)
  }
  // "Today" is the reader's own day.
  const day = event.target.closest?.("#row-menu [data-days]")
  if (day) {
    const at = new Date()
    at.setDate(at.getDate() + Number(day.dataset.days))
    day.value = [at.getFullYear(), at.getMonth() + 1, at.getDate()].map((part) => `${part}`.padStart(2, "0")).join("-")
  }
  if (event.target.closest?.("#row-menu [data-keep=theirs]")) {
    event.preventDefault()
    menu().hidePopover()
    back()
    document.dispatchEvent(new CustomEvent("leads-changed", { detail: { ids: [opener] } }))
  }
})

document.addEventListener("submit", (event) => {
  if (!menu()?.contains(event.target)) return
  event.preventDefault()
  const values = new FormData(event.target, event.submitter)
  const name = [...values.keys()].find((one) => !["version", "then"].includes(one))
  send(opener, values.get("version"), name, values.get(name))
})

// Between the choices of a line as in every menu.
document.addEventListener("keydown", (event) => {
  if (!menu()?.contains(event.target)) return
  if (event.key === "Escape") {
    event.preventDefault()
    event.stopPropagation()
    menu().hidePopover()
    back()
  }
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key]
  if (!step || !event.target.matches("button")) return
  event.preventDefault()
  event.stopPropagation()
  const all = [...menu().querySelectorAll("button, input, select")].filter((one) => one.type !== "hidden")
  all[all.indexOf(event.target) + step]?.focus()
}, true)
