// The search field and the filter menu follow the list when it changes by a link.
document.addEventListener("htmx:after:swap", () => {
  const page = document.getElementById("lead-page")
  const field = document.getElementById("search")
  if (page && field && field !== document.activeElement) field.value = page.dataset.query
  const menu = document.getElementById("filter-menu")
  if (menu && !menu.open) menu.querySelector("form").reset()
})
