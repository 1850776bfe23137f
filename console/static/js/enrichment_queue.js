// The queue shows itself again: soon while something is in it, now and then while it is empty, never in a hidden tab.
const SOON = 2_000
const NOW_AND_THEN = 10_000

const queue = () => document.getElementById("enrichment-queue")
let asking = false

async function again() {
  if (!queue() || document.hidden || asking) return
  asking = true
  try {
    await htmx.ajax("GET", "/enrichment", { source: queue(), target: "#enrichment-queue", swap: "outerMorph", quiet: true, push: null, replace: null })
  } finally {
    asking = false
  }
}

function wait() {
  setTimeout(async () => {
    await again()
    wait()
  }, queue().dataset.busy === "yes" ? SOON : NOW_AND_THEN)
}

if (queue()) {
  wait()
  document.addEventListener("leads-changed", again)
  document.addEventListener("visibilitychange", again)
}
