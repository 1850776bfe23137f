// A button that copies what stands beside it; shown only where the browser allows it.
const buttons = () => document.querySelectorAll("[data-copy]")

if (navigator.clipboard) for (const button of buttons()) button.hidden = false

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]")
  if (!button) return
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent)
  button.textContent = "Copied"
})
