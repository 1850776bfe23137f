// What the palette offers for the ticked leads: everything that the bar under the table can do, by the bar's buttons.
const bar = () => document.querySelector("form.bulk.open")
const BUTTONS = "button[name=do]:not([hidden]), button[data-download]"

export const somethingIsTicked = () => Boolean(bar())

// The button's word, after its menu's: Set stage: Won. More is no menu: it holds what a narrow screen has no place for.
function nameOf(button) {
  const own = [...button.childNodes].filter((part) => part.nodeName !== "KBD").map((part) => part.textContent)
  const menu = button.closest("details:not(.more)")?.querySelector("summary")
  return [menu, { textContent: own.join("") }].filter(Boolean).map((part) => part.textContent.trim()).join(": ")
}

function option(button, place) {
  const line = Object.assign(document.createElement("div"), { id: `palette-chosen-${place}` })
  line.setAttribute("role", "option")
  line.setAttribute("aria-selected", "false")
  line.textContent = nameOf(button)
  line.act = () => button.click()
  return line
}

// A group for the list, or none. What needs a value typed first stays in the bar.
export function ofSelection(typed) {
  const words = typed.toLowerCase().split(/[\s:]+/).filter(Boolean)
  const fits = (button) => {
    const own = nameOf(button).toLowerCase().split(/[\s:]+/)
    return words.every((word) => own.some((one) => one.startsWith(word)))
  }
  const buttons = [...(bar()?.querySelectorAll(BUTTONS) ?? [])]
  const fitting = buttons.filter((button) => !button.closest(".in-menu") && fits(button))
  if (!fitting.length) return []
  const name = Object.assign(document.createElement("div"), { className: "group-name", id: "palette-group-chosen" })
  name.setAttribute("role", "presentation")
  name.textContent = bar().querySelector("[data-chosen]").textContent
  const group = document.createElement("div")
  group.setAttribute("role", "group")
  group.setAttribute("aria-labelledby", name.id)
  group.append(name, ...fitting.map(option))
  return [group]
}
