// The file of an import: dropped on a page, sent with its progress shown, answered in place. Loaded by file_drops.js.
const form = () => document.getElementById("upload")
const target = document.createElement("div")
target.className = "drop-target"
target.popover = "manual"

export function over(many) {
  if (form()) return form().toggleAttribute("data-over", true)
  say(many ? "One file at a time" : "Drop to import")
}

export function out() {
  form()?.removeAttribute("data-over")
  target.remove()
}

// Where there is no form of the import, one like it is sent, and the browser goes where it leads.
export function drop(files) {
  out()
  if (files.length !== 1) return form() && complain(form(), "One file at a time. Drop it alone.")
  const upload = form() ?? hidden()
  upload.elements.file.files = listOf(files[0])
  if (form()) return upload.requestSubmit()
  say(`Sending ${files[0].name}`)
  upload.submit()
}

function say(words) {
  target.textContent = words
  if (target.isConnected) return
  document.body.append(target)
  target.showPopover()
}

function hidden() {
  const upload = document.createElement("form")
  Object.assign(upload, { method: "post", action: "/import", enctype: "multipart/form-data", hidden: true })
  upload.append(Object.assign(document.createElement("input"), { type: "file", name: "file" }))
  document.body.append(upload)
  return upload
}

function listOf(file) {
  const one = new DataTransfer()
  one.items.add(file)
  return one.files
}

// Back from where the file went, the page is as it was.
addEventListener("pageshow", out)

// fetch() cannot say how much has been sent.
export function send(upload) {
  const field = upload.elements.file
  if (field.files[0]?.size > field.dataset.most) return complain(upload, field.dataset.tooLarge)
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
  if (request.status === 200 && !request.getResponseHeader("X-Refused")) {
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
