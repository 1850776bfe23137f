// A column taken by its head and put down elsewhere: a line shows where. With the keyboard the menu of columns does it.
import { heads, keep, table } from "./columns.js"

const STARTS_AFTER = 5
const EDGE = 40

let taken = null // the head, and before which it would be put down

// The name stays first, the way back out of the bin last.
const movable = (head) => head?.dataset.column && !["company", "restore"].includes(head.dataset.column)

function headAt(event) {
  if (event.target.closest?.(".sizer")) return null
  const head = event.target.closest?.(".leads thead th")
  return movable(head) ? head : null
}

function line() {
  const made = document.createElement("div")
  made.className = "drop-line"
  document.querySelector(".sheet").append(made)
  return made
}

function lift() {
  taken.line = line()
  taken.head.classList.add("taken")
  taken.head.setPointerCapture(taken.pointer)
  // The click that ends a drag does not sort.
  addEventListener("click", stop, true)
}

// Before the first column whose middle is right of the pointer.
function follow(x) {
  const across = table().parentElement
  const seen = across.getBoundingClientRect()
  if (x > seen.right - EDGE) across.scrollLeft += STARTS_AFTER * 2
  if (x < seen.left + EDGE) across.scrollLeft -= STARTS_AFTER * 2
  const all = heads().filter(movable)
  const middle = (head) => head.offsetWidth / 2 + head.getBoundingClientRect().left
  taken.before = all.find((head) => x < middle(head)) ?? null
  const last = all.at(-1).getBoundingClientRect()
  const at = taken.before ? taken.before.getBoundingClientRect().left : last.right
  const { style } = taken.line
  style.insetInlineStart = `${Math.min(at, seen.right - 2)}px`
  style.insetBlockStart = `${last.top}px`
  style.blockSize = `${Math.min(seen.bottom, innerHeight) - last.top}px`
}

function letGo() {
  taken?.head.classList.remove("taken")
  taken?.line?.remove()
  taken = null
}

function putDown() {
  const { head, before, line } = taken
  const all = heads().filter(movable)
  letGo()
  if (!line || before === head || before === (all[all.indexOf(head) + 1] ?? null)) return
  keep({ move: `before ${before?.dataset.column ?? "-"} ${head.dataset.column}` })
}

document.addEventListener("pointerdown", (event) => {
  const head = event.button === 0 && event.pointerType !== "touch" && headAt(event)
  if (head) taken = { head, pointer: event.pointerId, from: event.clientX, line: null, before: null }
})

document.addEventListener("pointermove", (event) => {
  if (!taken) return
  if (!taken.line && Math.abs(event.clientX - taken.from) > STARTS_AFTER) lift()
  if (taken.line) follow(event.clientX)
})

document.addEventListener("pointerup", () => {
  setTimeout(() => removeEventListener("click", stop, true))
  if (taken) putDown()
})

document.addEventListener("pointercancel", letGo)
document.addEventListener("dragstart", (event) => headAt(event) && event.preventDefault())

addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !taken) return
  stop(event)
  letGo()
}, true)

function stop(event) {
  event.preventDefault()
  event.stopPropagation()
}
