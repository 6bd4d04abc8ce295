// Small comforts for forms. Every form works without this file.

function dress(root) {
  for (const input of root.querySelectorAll(".with-button input[type=password]")) mayShow(input);
  for (const form of root.querySelectorAll("form[method=post]")) sendOnce(form);
  for (const button of root.querySelectorAll("[data-copies]")) button.hidden = !navigator.clipboard;
  tellRules(root);
}

function mayShow(input) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Show";
  button.setAttribute("aria-label", "Show what you type");
  button.addEventListener("click", () => {
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    button.textContent = shown ? "Show" : "Hide";
    button.setAttribute("aria-label", shown ? "Show what you type" : "Hide what you type");
  });
  input.after(button);
  // A password in clear never lies in a form that is being sent: the browser might offer to keep it as text.
  input.form.addEventListener("submit", () => { input.type = "password"; });
}

// A second press does nothing; the label says what happens, and the width stays.
function sendOnce(form) {
  form.addEventListener("submit", (event) => {
    const button = event.submitter ?? form.querySelector("button[type=submit]");
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    if (button && button.dataset.busy) {
      button.style.setProperty("min-width", `${button.offsetWidth}px`);
      button.dataset.label = button.textContent;
      button.textContent = button.dataset.busy;
      button.setAttribute("aria-disabled", "true");
    }
  });
}

function maySendAgain(form) {
  delete form.dataset.sent;
  const button = form.querySelector("button[data-label]");
  if (!button) return;
  button.textContent = button.dataset.label;
  button.removeAttribute("aria-disabled");
}
// Coming back by the browser's button, the form may be sent again.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

// What can be told of a password while it is typed. The host decides; this never stops anybody from sending.
function tellRules(root) {
  const rules = root.querySelector("#rules");
  const password = root.querySelector("#password");
  if (!rules || !password) return;
  const mark = (name, met, text) => {
    const rule = rules.querySelector(`[data-rule=${name}]`);
    const empty = password.value === "";
    rule.className = empty ? "" : met ? "met" : "unmet";
    rule.querySelector("use").setAttribute("href", empty ? "#g-ring" : met ? "#g-met" : "#g-unmet");
    const now = rule.querySelector("[data-now]");
    if (now) now.textContent = empty ? "" : text;
  };
  password.addEventListener("input", () => {
    const bytes = new TextEncoder().encode(password.value).length;
    mark("bytes", bytes <= 511, `${bytes} now`);
    mark("ascii", /^[\x00-\x7f]*$/.test(password.value), "");
  });
}

dress(document);

const panelOf = (text) => new DOMParser().parseFromString(text, "text/html").querySelector(".form-panel, .entry-panel");

// A form in a panel is sent without leaving the page: what the server refuses takes the panel's place, where the focus
// goes to the first wrong field; and what was done is shown where it leads.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (event.defaultPrevented || !form.matches("form[data-within]")) return;
  event.preventDefault();
  const asked = { fields: new URLSearchParams(new FormData(form, event.submitter)), ready: Promise.resolve() };
  form.dispatchEvent(new CustomEvent("asks", { bubbles: true, detail: asked }));
  try { await asked.ready; } catch { form.submit(); return; }
  try {
    const answer = await fetch(form.action, { method: "POST", body: asked.fields, headers: { accept: "text/html" } });
    if (answer.redirected) location.assign(answer.url);
    else if (answer.headers.get("content-type") === "application/zip") await save(answer, form);
    else {
      const panel = panelOf(await answer.text());
      if (panel) place(form.closest(".form-panel"), panel);
      else location.assign(form.action);
    }
  } catch { unanswered(form); }
});

function place(old, panel) {
  const dialog = old.closest("dialog");
  if (dialog) { panel.querySelector("h1").id = "dialog-title"; panel.classList.remove("panel"); }
  const placed = document.adoptNode(panel);
  old.replaceWith(placed);
  dress(placed);
  (placed.querySelector("[aria-invalid]") ?? placed.querySelector("input:not([type=hidden]), textarea, a.button"))?.focus();
  placed.dispatchEvent(new CustomEvent("placed", { bubbles: true }));
}

function unanswered(form) {
  maySendAgain(form);
  form.querySelector("[data-unanswered]").hidden = false;
}

async function save(answer, form) {
  const name = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition"))[1];
  const url = URL.createObjectURL(await answer.blob());
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  maySendAgain(form);
  const after = form.closest(".form-panel").querySelector("[data-saved]");
  after.querySelector("[data-done]").hidden = false;
  after.querySelector("[data-name]").textContent = name;
  after.querySelector("[data-sha256]").textContent = answer.headers.get("x-keyturn-sha256");
  after.querySelector("[data-commands]").textContent = after.querySelector("[data-commands]").textContent.replace(/\S+\.zip/g, name);
  after.scrollIntoView({ block: "nearest" });
}

// What is to be typed elsewhere can be copied.
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copies]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copies).textContent;
  try { await navigator.clipboard.writeText(text); button.textContent = "Copied"; } catch { button.textContent = "Not allowed here"; }
});

// A form opens over the page that it was asked for on; it is the same form that is a page without scripts.
addEventListener("click", async (event) => {
  const link = event.target.closest?.("a[data-dialog]");
  if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const opener = document.getElementById(link.dataset.dialog) ?? link;
  link.closest(":popover-open")?.hidePopover();
  let panel = null;
  try {
    const answer = await fetch(link.href, { headers: { accept: "text/html" }, redirect: "error" });
    if (answer.ok) panel = panelOf(await answer.text());
  } catch { panel = null; }
  if (!panel) { location.assign(link.href); return; }
  const dialog = document.createElement("dialog");
  const title = panel.querySelector("h1");
  title.id = "dialog-title";
  dialog.setAttribute("aria-labelledby", title.id);
  dialog.append(document.adoptNode(panel));
  dress(dialog);
  dialog.addEventListener("click", (leave) => {
    if (!leave.target.closest("a[data-close]")) return;
    leave.preventDefault();
    dialog.close();
  });
  dialog.addEventListener("close", () => { dialog.remove(); document.getElementById(opener.id)?.focus(); });
  document.body.append(dialog);
  dialog.showModal();
  (dialog.querySelector("[data-first]") ?? dialog.querySelector("input:checked, input:not([type=hidden]), textarea, a.button")).focus();
});

const search = document.querySelector("[data-search]");
if (search) {
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) return;
    event.preventDefault();
    search.focus();
  });
}

// Arrows, Home and End in menus; Escape and the trigger's focus are the browser's own. A menu has its first entry focused
// by the browser as it opens, not by a later event: the next key may come before that. The listeners are the document's,
// for a live part brings its menu anew.
const ENTRY = "a.item, button.item";
document.addEventListener("beforetoggle", (event) => {
  if (event.target.matches(".menu")) event.target.querySelector(ENTRY)?.toggleAttribute("autofocus", event.newState === "open");
}, true);
document.addEventListener("keydown", (event) => {
  const items = [...(event.target.closest?.(".menu")?.querySelectorAll(ENTRY) ?? [])];
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (to === undefined || items.length === 0) return;
  event.preventDefault();
  items[(to + items.length) % items.length].focus();
});
