// Which key does what: modules say so with onKey("n", act), or onKey("g l", act) for one key after the other.
// Silent while somebody types, while a dialog waits for an answer, and while an input method composes a letter.
const acts = new Map() // keys -> what they do, the newest first
const SECOND_KEY_WITHIN = 1_500

let first = null // the first of two keys
let forgetting = null

// Who acts and answers false leaves the key to who came before, and at last to the browser.
// repeats: a key that is held down goes on. Holding `#` must not empty the list.
export function onKey(keys, act, { repeats = false } = {}) {
  acts.set(keys, [{ act, repeats }, ...(acts.get(keys) ?? [])])
}

// Does what the keys do, for those who choose it by name.
export function press(keys) {
  return (acts.get(keys) ?? []).some(({ act }) => act() !== false)
}

// Letters, digits and signs can be switched off: speech input and clumsy hands hit them by accident.
const singleKeysAreOff = () => document.body.dataset.singleKeys === "off"
const isCharacter = (key) => [...key].length === 1

const leadsOn = (key) => [...acts.keys()].some((keys) => keys.startsWith(`${key} `) && !keys.startsWith("Mod "))

function typing(target) {
  return target.closest?.("textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=button], [type=submit])")
}

// Ctrl or Cmd is Mod. Some keyboards have # and / only with AltGr or Option: those count as the sign they make.
function nameOf(event) {
  const { key } = event
  const makesASign = event.getModifierState("AltGraph") || (event.altKey && !event.ctrlKey)
  if (makesASign) return /^[^\p{L}\p{N}\s]$/u.test(key) ? key : null
  if (event.altKey) return null
  if (event.ctrlKey || event.metaKey) return event.shiftKey ? null : `Mod ${key.toLowerCase()}`
  if (!/^\p{L}$/u.test(key)) return key
  return event.shiftKey ? `Shift ${key.toLowerCase()}` : key.toLowerCase()
}

function forget() {
  clearTimeout(forgetting)
  first = null
}

// The second of two keys, or a key of its own.
function keysOf(name) {
  const both = first && `${first} ${name}`
  forget()
  return both && acts.has(both) ? both : name
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.defaultPrevented || ["Shift", "Control", "Alt", "Meta", "AltGraph"].includes(event.key)) return
  const name = nameOf(event)
  if (!name || document.querySelector("dialog:modal")) return forget()
  const alone = !name.startsWith("Mod ")
  if (alone && (typing(event.target) || (singleKeysAreOff() && isCharacter(event.key)))) return forget()
  const keys = keysOf(name)
  if (keys === name && alone && !event.repeat && leadsOn(name)) {
    first = name
    forgetting = setTimeout(forget, SECOND_KEY_WITHIN)
    return
  }
  const done = (acts.get(keys) ?? []).some(({ act, repeats }) => (repeats || !event.repeat) && act() !== false)
  if (done) event.preventDefault()
})
