// Quick-Add: Enter sends, Shift+Enter makes a line, and the field is free for the next lead at once.
const sent = new WeakMap()
const form = () => document.getElementById("quick-add")
const field = () => document.getElementById("quick-text")

document.addEventListener("keydown", (event) => {
  if (event.target.id !== "quick-text" || event.key !== "Enter" || event.shiftKey || event.isComposing) return
  event.preventDefault()
  if (event.target.value.trim()) form().requestSubmit()
})

document.addEventListener("htmx:before:request", (event) => {
  if (event.target.id !== "quick-add") return
  sent.set(event.detail.ctx, field().value)
  field().value = ""
})

// What could not be read comes back into the field, before what was typed meanwhile.
document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail.ctx.target?.id !== "quick-add" || !field()) return
  const typed = sent.has(event.detail.ctx) ? field().value : ""
  field().value = [field().defaultValue, typed].filter(Boolean).join("\n")
  field().focus()
})

document.addEventListener("htmx:finally:request", (event) => {
  const { ctx } = event.detail
  if (!sent.has(ctx) || (ctx.response && [200, 201, 207, 409, 422].includes(ctx.response.status))) return
  field().value = [sent.get(ctx), field().value].filter(Boolean).join("\n")
})

// An emptied field has nothing left to complain about.
document.addEventListener("input", (event) => {
  if (event.target.id !== "quick-text" || event.target.value) return
  document.getElementById("quick-errors")?.remove()
  event.target.removeAttribute("aria-invalid")
})
