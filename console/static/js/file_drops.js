// A file over a page that takes one, or sent by the form of the import: what deals with it is loaded only then.
const taking = () => document.querySelector("#upload, #quick-add")
const dealing = () => import("./import_file.js")
const carriesFiles = (event) => taking() && event.dataTransfer?.types.includes("Files")

document.addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return
  event.preventDefault()
  const many = event.dataTransfer.items.length > 1
  dealing().then(({ over }) => over(many))
})

document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget && taking()) dealing().then(({ out }) => out())
})

document.addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return
  event.preventDefault()
  const files = [...event.dataTransfer.files]
  dealing().then(({ drop }) => drop(files))
})

document.addEventListener("submit", (event) => {
  if (event.target.id !== "upload") return
  event.preventDefault()
  dealing().then(({ send }) => send(event.target))
})
