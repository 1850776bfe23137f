// Dialogs that must be answered come as open ones, for pages without a script; here they become modal.
const place = () => document.getElementById("dialogs")

function makeModal(dialog) {
  dialog.removeAttribute("open")
  dialog.showModal()
  dialog.addEventListener("close", () => place().replaceChildren(), { once: true })
}

document.addEventListener("htmx:after:swap", () => {
  for (const dialog of place().querySelectorAll("dialog[data-modal]:not(:modal)")) makeModal(dialog)
})

// Answered: what the server said went into the panel, so the dialog goes.
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail
  const dialog = ctx.sourceElement?.closest?.("#dialogs dialog")
  if (dialog && ctx.response.status < 400) dialog.close()
})

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]")
  const dialog = opener && document.getElementById(opener.dataset.opens)
  if (!dialog) return
  event.preventDefault()
  dialog.showModal()
})
