// The search field and the filter menu follow the list when it changes by a link.
document.addEventListener("htmx:after:swap", () => {
  const page = document.getElementById("lead-page")
  const field = document.getElementById("search")
  if (page && field && field !== document.activeElement) field.value = page.dataset.query
  const menu = document.getElementById("filter-menu")
  if (menu && !menu.open) menu.querySelector("form").reset()
})

// What was left empty says nothing. With it the server would answer with the shorter address, and a change of the
// filter would take two requests.
document.addEventListener("htmx:config:request", (event) => {
  const { request, sourceElement } = event.detail.ctx
  if (request.method !== "GET" || sourceElement.getAttribute?.("action") !== "/leads") return
  const said = [...request.body].filter(([, value]) => value.trim() && value !== "any")
  for (const name of new Set(request.body.keys())) request.body.delete(name)
  for (const [name, value] of said) request.body.append(name, value)
})
