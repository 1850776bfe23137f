// The search field and the filters' forms follow the list when it changes by a link.
document.addEventListener("htmx:after:swap", () => {
  const page = document.getElementById("lead-page")
  const field = document.getElementById("search")
  if (page && field && field !== document.activeElement) field.value = page.dataset.query
  // A form that was sent may say another filter by now: it shows what the server wrote into it.
  for (const form of document.querySelectorAll(".filters .menu:not([open]) .filter-form")) form.reset()
})
