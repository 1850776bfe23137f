// A section that fetches what it holds when it is opened, and again when the page around it was brought up to date.
const asked = new WeakSet()

function load(fold) {
  const place = fold.open && fold.querySelector("[data-loads]")
  if (!place || asked.has(place)) return
  asked.add(place)
  htmx
    .ajax("GET", place.dataset.loads, { source: place, target: place, swap: "outerMorph", quiet: true, push: null, replace: null })
    .finally(() => asked.delete(place))
}

const folds = () => document.querySelectorAll("details.fold[open]")

document.addEventListener("toggle", (event) => event.target.matches?.("details.fold") && load(event.target), true)
document.addEventListener("htmx:after:swap", () => folds().forEach(load))
