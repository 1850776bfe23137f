// The theme at once, without asking the server. It reads the same cookie for the next page.
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-theme-form]")) return
  event.preventDefault()
  const theme = event.submitter?.value ?? "system"
  if (theme === "system") document.documentElement.removeAttribute("data-theme")
  else document.documentElement.dataset.theme = theme
  const age = theme === "system" ? 0 : 31_536_000
  document.cookie = `theme=${theme}; path=/; max-age=${age}; samesite=lax`
  for (const button of document.querySelectorAll("[data-theme-form] [name=theme]")) {
    if (button.value === theme) button.setAttribute("aria-current", "true")
    else button.removeAttribute("aria-current")
  }
})
