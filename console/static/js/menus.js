// Menus are details: a click elsewhere or Esc closes them, and only one is open at a time.
function close(menu, { focus = false } = {}) {
  menu.open = false
  if (focus) menu.querySelector("summary").focus()
}

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) close(menu)
  }
})

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return
  // The innermost comes last.
  const menu = [...document.querySelectorAll("details.menu[open]")].at(-1)
  if (!menu) return
  event.stopImmediatePropagation()
  close(menu, { focus: menu.contains(document.activeElement) })
})

// What a menu holds did its work: the menu goes.
document.addEventListener("submit", (event) => {
  const menu = event.target.closest("details.menu")
  if (menu && !event.target.matches("[data-theme-form], [data-stays]")) close(menu)
})
