// Times in the viewer's own zone; the server says them in UTC. UTC stays in the title and in `datetime`.
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" })
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
const full = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "long" })

function startOfDay(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate())
}

function inWords(at, now, kind) {
  const minutes = Math.floor((now - at) / 60_000)
  if (minutes === 0) return "just now"
  if (kind === "ago" && minutes > 0 && minutes < 60) return `${minutes} ${minutes === 1 ? "minute" : "minutes"} ago`
  const days = Math.round((startOfDay(now) - startOfDay(at)) / 86_400_000)
  if (days === 0) return clock.format(at)
  const year = at.getFullYear() === now.getFullYear() ? "" : ` ${at.getFullYear()}`
  const day = days === 1 ? "Yesterday" : `${at.getDate()} ${MONTHS[at.getMonth()]}${year}`
  return kind !== "short" ? `${day}, ${clock.format(at)}` : day
}

export function showTimes() {
  const now = new Date()
  for (const time of document.querySelectorAll("time[data-time]")) {
    const at = new Date(time.dateTime)
    const words = inWords(at, now, time.dataset.time)
    if (time.textContent !== words) time.textContent = words
    const utc = at.toISOString().replace("T", " ").slice(0, 19)
    time.title = `${full.format(at)} · ${utc} UTC`
  }
}

showTimes()
document.addEventListener("htmx:after:swap", showTimes)
setInterval(showTimes, 30_000)
