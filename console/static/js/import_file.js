// The file of an import: dropped anywhere on the page, sent with its progress shown, answered in place.
const form = () => document.getElementById("upload")
const carriesFiles = (event) => form() && event.dataTransfer?.types.includes("Files")

document.addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return
  event.preventDefault()
  form().toggleAttribute("data-over", true)
})

document.addEventListener("dragleave", (event) => {
  if (form() && !event.relatedTarget) form().removeAttribute("data-over")
})

document.addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return
  event.preventDefault()
  form().removeAttribute("data-over")
  form().elements.file.files = event.dataTransfer.files
  form().requestSubmit()
})

document.addEventListener("submit", (event) => {
  if (event.target.id !== "upload") return
  event.preventDefault()
  send(event.target)
})

// fetch() cannot say how much has been sent.
function send(upload) {
  const bar = upload.querySelector("progress")
  const button = upload.querySelector("button")
  const request = new XMLHttpRequest()
  request.open("POST", upload.action)
  request.setRequestHeader("HX-Request", "true")
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    bar.hidden = false
    if (loaded < total) bar.value = (100 * loaded) / total
    else bar.removeAttribute("value")
  })
  request.addEventListener("load", () => answer(request))
  request.addEventListener("error", () => {
    bar.hidden = true
    button.disabled = false
    complain(upload, "The file did not arrive. Check the connection and send it again.")
  })
  request.send(new FormData(upload))
  button.disabled = true
}

function answer(request) {
  const { pathname, search } = new URL(request.responseURL)
  if (request.status === 200) {
    htmx.ajax("GET", pathname + search, { target: "#main", select: "#main", swap: "outerMorph", push: pathname })
    return
  }
  const main = new DOMParser().parseFromString(request.responseText, "text/html").getElementById("main")
  if (!main) return location.reload()
  document.getElementById("main").replaceWith(main)
  htmx.process(main)
  main.querySelector("[aria-invalid]")?.focus()
}

function complain(upload, sentence) {
  const field = upload.elements.file
  const said = document.getElementById("file-error") ?? document.createElement("p")
  said.className = "error"
  said.id = "file-error"
  said.textContent = sentence
  field.setAttribute("aria-invalid", "true")
  field.setAttribute("aria-describedby", said.id)
  field.after(said)
}
