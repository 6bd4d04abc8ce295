// Reveal: this browser makes a key for one request, sends its public half with the form, and opens the answer itself; so
// the server never sees the password. The boxes are HPKE (RFC 9180: base mode, X25519, HKDF-SHA256, AES-256-GCM).
// What was opened leaves the page after its time, with Escape, and when the page is left or hidden.

const SUITE = "hpke-x25519-sha256-aes256gcm/1";
const text = new TextEncoder();
const join = (...parts) => Uint8Array.from(parts.flatMap((part) => [...(typeof part === "string" ? text.encode(part) : part)]));
const from64 = (given) => Uint8Array.from(atob(given), (each) => each.charCodeAt(0));
const to64 = (given) => btoa(String.fromCharCode(...new Uint8Array(given)));

async function hmac(key, ...parts) {
  const made = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", made, join(...parts)));
}

// HKDF with the labels of RFC 9180, 4; no output is longer than one block of SHA-256, so one HMAC makes it.
function labelled(suite) {
  const bound = join("HPKE-v1", suite);
  return {
    extract: (salt, label, secret) => hmac(salt.length ? salt : new Uint8Array(32), bound, label, secret),
    expand: async (key, label, info, length) => (await hmac(key, [0, length], bound, label, info, [1])).slice(0, length),
  };
}
const kem = labelled(join("KEM", [0, 32]));
const hpke = labelled(join("HPKE", [0, 32, 0, 1, 0, 2]));

async function open(box, pair, info) {
  const ours = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const theirs = box.slice(0, 32);
  const sender = await crypto.subtle.importKey("raw", theirs, { name: "X25519" }, false, []);
  const shared = new Uint8Array(await crypto.subtle.deriveBits({ name: "X25519", public: sender }, pair.privateKey, 256));
  const agreed = await kem.expand(await kem.extract([], "eae_prk", shared), "shared_secret", join(theirs, ours), 32);
  const context = join([0], await hpke.extract([], "psk_id_hash", []), await hpke.extract([], "info_hash", info));
  const secret = await hpke.extract(agreed, "secret", []);
  const raw = await hpke.expand(secret, "key", context, 32);
  const iv = await hpke.expand(secret, "base_nonce", context, 12);
  const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["decrypt"]);
  const padded = new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, box.slice(32)));
  const end = padded.findLastIndex((each) => each !== 0);
  if (padded[end] !== 0x80) throw new Error("the padding is damaged");
  return new TextDecoder().decode(padded.slice(0, end));
}

// Without a key of this browser's own the form goes as it is, and the server opens the password for a page.
let pair = null;
document.addEventListener("asks", (event) => {
  if (!event.target.matches("[data-reveal]")) return;
  event.detail.ready = (async () => {
    pair = await crypto.subtle.generateKey({ name: "X25519" }, false, ["deriveBits"]);
    event.detail.fields.set("recipient", to64(await crypto.subtle.exportKey("raw", pair.publicKey)));
  })();
});
document.addEventListener("placed", async (event) => {
  const panel = event.target;
  if (!panel.matches(".reveal-panel")) return;
  const key = pair;
  pair = null;
  if (key) await fill(panel, key);
  show(panel, panel.closest("dialog"));
});

const passwords = new WeakMap();

async function fill(panel, pair) {
  const alphabet = JSON.parse(panel.dataset.alphabet);
  for (const one of panel.querySelectorAll(".candidate")) {
    const info = text.encode(JSON.stringify(["keyturn/seal/1", panel.dataset.account, one.dataset.generation, "reveal"]));
    try {
      if (one.dataset.suite !== SUITE) throw new Error("another suite");
      const password = await open(from64(one.dataset.box), pair, info);
      passwords.set(one, password);
      spell(one, [...password].map((each) => alphabet[each] ?? beyond(each)));
    } catch {
      one.querySelector(".legend").textContent = "Your browser could not open this one: it was not sealed to the key that it made. Load the page again, then ask again.";
    }
  }
}

function beyond(each) {
  const kind = /\p{Lu}/u.test(each) ? "capital" : /\p{L}/u.test(each) ? "small" : /\p{Nd}/u.test(each) ? "digit" : "sign";
  return [/[\p{C}\p{M}\p{Z}]/u.test(each) ? "□" : each, kind, `U+${each.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`];
}

const made = (name, kind, words = "") => {
  const element = document.createElement(name);
  element.className = kind;
  element.textContent = words;
  return element;
};

function spell(one, letters) {
  const secret = one.querySelector(".secret");
  letters.forEach(([shown, kind], at) => {
    if (at % 4 === 0) secret.append(made("span", "four"));
    const char = made("span", `char ${kind}`);
    char.append(made("bdi", "", shown), made("small", "", at + 1));
    secret.lastElementChild.append(char);
  });
  one.querySelector(".spelled").append(...letters.map(([, kind, said]) => made("li", kind, said)));
  one.querySelector("[data-length]").textContent = `${letters.length} characters`;
}

function show(panel, dialog) {
  const whole = Number(panel.dataset.seconds);
  const countdown = panel.querySelector(".countdown");
  let end = Date.now() + whole * 1000;
  let over = false;
  const hide = () => {
    if (over) return;
    over = true;
    clearInterval(timer);
    document.removeEventListener("visibilitychange", unseen);
    removeEventListener("pagehide", hide);
    for (const one of panel.querySelectorAll(".candidate")) passwords.delete(one);
    panel.replaceChildren();
    if (dialog) dialog.close();
    else location.replace(`/accounts/${panel.dataset.account}`);
  };
  const unseen = () => { if (document.hidden) hide(); };
  const tick = () => {
    const left = Math.ceil((end - Date.now()) / 1000);
    if (left <= 0) { hide(); return; }
    countdown.querySelector("[data-left]").textContent = `Hides in ${left} s`;
    countdown.querySelector("progress").value = left;
  };
  countdown.hidden = false;
  const timer = setInterval(tick, 250);
  tick();
  document.addEventListener("visibilitychange", unseen);
  addEventListener("pagehide", hide);
  dialog?.addEventListener("close", hide);
  countdown.querySelector("[data-more]").addEventListener("click", (event) => {
    end += whole * 1000;
    countdown.querySelector("progress").max = Math.ceil((end - Date.now()) / 1000);
    event.target.remove();
    panel.querySelector("[data-hide]").focus();
    tick();
  });
  for (const one of panel.querySelectorAll(".candidate")) mayCopy(one);
  const leave = panel.querySelector("[data-hide]");
  leave.addEventListener("click", (event) => { event.preventDefault(); hide(); });
  leave.focus();
}

function mayCopy(one) {
  const password = passwords.get(one);
  const place = one.querySelector(".copying");
  if (password === undefined || !navigator.clipboard) return;
  place.hidden = false;
  place.querySelector("button").addEventListener("click", async () => {
    const said = place.querySelector("[role=status]");
    try {
      await navigator.clipboard.writeText(password);
      said.textContent = "Copied. Cleared in 30 s where the browser allows it; clear it yourself elsewhere.";
      // A browser that lies behind another window refuses this, which is why the sentence above promises no more.
      setTimeout(() => navigator.clipboard.writeText("").catch(() => {}), 30_000);
    } catch { said.textContent = "The browser did not allow it. Type it, or select it."; }
  });
}
