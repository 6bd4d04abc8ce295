// Keeps what a page shows true. The server tells that something changed, by its identifier; the page is then read again as
// it is, and each part that became another one takes the place of the old one. So a rule or a word is written once, on
// the server. Nothing moves: parts keep their places, and a part that is in use (an open menu) waits until it is not.

const SOON = 150;
const LATER = 4000;
const said = document.getElementById("said");
const notLive = document.getElementById("not-live");
let timer = null;
let due = Infinity;
let reading = false;
let again = false;

const parts = (root) => root.querySelectorAll("[data-live]");
const watched = (id) => document.querySelector(`[data-watch~="${CSS.escape(id)}"]`) !== null;

function plan(wait) {
  const at = Date.now() + wait;
  if (at >= due) return;
  due = at;
  clearTimeout(timer);
  timer = setTimeout(() => { due = Infinity; read(); }, wait);
}

async function read() {
  if (reading) { again = true; return; }
  reading = true;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "error" });
    if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    else lost();
  } catch { lost(); }
  reading = false;
  if (again) { again = false; plan(SOON); }
}

function show(page) {
  const fresh = new Map([...parts(page)].map((part) => [part.dataset.live, part]));
  let waits = false;
  for (const old of parts(document)) {
    const now = fresh.get(old.dataset.live);
    if (!now || now.isEqualNode(old)) continue;
    if (old.querySelector(":popover-open") || old.contains(document.activeElement?.closest("form.fields"))) { waits = true; continue; }
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    const words = now.dataset.say && now.dataset.say !== old.dataset.say ? now.dataset.say : "";
    const placed = document.adoptNode(now);
    old.replaceWith(placed);
    if (focused) document.getElementById(focused)?.focus();
    if (words) {
      said.textContent = words;
      placed.classList.add("fresh");
      placed.addEventListener("animationend", () => placed.classList.remove("fresh"), { once: true });
    }
  }
  if (waits) plan(LATER);
}

function lost() {
  if (!notLive.hidden) return;
  document.getElementById("not-live-since").textContent = new Date().toISOString().slice(11, 19) + " UTC";
  notLive.hidden = false;
}

const events = new EventSource("/v1/events");
const changed = (event) => plan(watched(JSON.parse(event.data).id) ? SOON : LATER);
for (const noun of ["task", "account", "resource"]) events.addEventListener(noun, changed);
events.addEventListener("again", () => { notLive.hidden = true; plan(SOON); });
events.addEventListener("error", lost);
addEventListener("pagehide", () => events.close());
