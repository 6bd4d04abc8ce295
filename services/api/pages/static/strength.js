// How strong a password is while it is typed, as four bars and a word. This is an estimate by a short list and a few rules:
// the server judges by far longer lists when the password is sent, and its word is what counts. What is typed stays here.

const COMMON = `password passwort passwd passphrase kennwort admin administrator root welcome willkommen letmein login master
  secret geheim changeme default test testing user guest gast server service system oracle postgres mysql linux windows
  microsoft google apple internet computer backup access hello hallo love iloveyou monkey dragon sunshine princess prinzessin
  football fussball baseball soccer superman batman pokemon starwars shadow killer hunter ranger freedom summer winter spring
  autumn sommer herbst monday sunday january february march april june july august september october november december
  michael jennifer thomas daniel andrea jordan charlie trustno whatever nothing please
  correct horse battery staple keyturn`.split(/\s+/);
const ROWS = ["1234567890", "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm", "!@#$%^&*()",
  "1qaz2wsx3edc4rfv5tgb6yhn", "1q2w3e4r5t6y7u8i9o0p"];
// Pairs of letters that words are made of; three in four of a word's are among them, and of random letters one in five.
const PAIRS = new Set(`th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi
  ri ro ic ne ea ra ce li ch ll be ma si om ur ca el ta la ns di fo ho pe ec pr no ct us ac ot il tr ly nc et ut ss so rs un
  lo wa ge ie wh ee wi em ad ol rt po we na ul ni ts mo ow pa im mi ai sh ir su id os iv ia am fi ci vi pl ig tu ev ld ry mp
  fe bl ab gh ty op wo sa ay ex ke ui fr oo ag ei au uf ck ht eh wu ub mm nn tt pp rr ff`.split(/\s+/));
const AS_LETTERS = { 4: "a", "@": "a", 3: "e", 1: "i", "!": "i", 0: "o", $: "s", 5: "s", 7: "t" };
const MOST = 72;

// How many guesses each level takes at least, as a power of ten. The third is what the server lets pass.
const LEVELS = [0, 6, 10, 14];
const WORDS = [
  "How strong it is shows here while you type.", "Very weak, guessed at once.", "Weak, would be guessed.",
  "Good, as far as this page can tell.", "Strong, as far as this page can tell.",
];
const WHY = {
  short: "It is short.", name: "It has a known name in it.", common: "It has a common word in it.",
  repeat: "It repeats itself.", row: "It has a row like abc or 123 in it.", date: "It has a year or a date in it.",
  words: "It is made of few words.",
};

const log = (guesses) => Math.log10(guesses);
const reversed = (text) => [...text].reverse().join("");
const asLetters = (text) => [...text].map((each) => AS_LETTERS[each] ?? each).join("");

// Steps of one, up or down: abcd, 4321.
function isSequence(text) {
  const step = text.charCodeAt(1) - text.charCodeAt(0);
  if (Math.abs(step) !== 1) return false;
  for (let at = 2; at < text.length; at += 1) if (text.charCodeAt(at) - text.charCodeAt(at - 1) !== step) return false;
  return true;
}

// Whether it may be a word, or a few without anything between them.
function looksLikeWords(text) {
  if (!/^\p{L}{5,}$/u.test(text)) return false;
  const pairs = Array.from({ length: text.length - 1 }, (_, at) => text.slice(at, at + 2).normalize("NFD").replace(/\p{M}/gu, ""));
  return pairs.filter((each) => PAIRS.has(each)).length >= 0.7 * pairs.length;
}

// What a part costs somebody who tries what is likely first, and why it is so little; nothing where it is no such part.
function likely(part, names) {
  const lower = part.toLowerCase();
  const capitals = lower === part ? 0 : /^.[^A-Z]*$|^[^a-z]+$/.test(part) ? 0.3 : 1;
  const readings = [lower, reversed(lower), asLetters(lower)];
  if (readings.some((each) => names.includes(each))) return { cost: 0.5 + capitals, why: "name" };
  const rank = Math.min(...readings.map((each) => COMMON.indexOf(each)).filter((each) => each >= 0));
  if (rank < Infinity) return { cost: log(rank + 2) + capitals + (COMMON[rank] === lower ? 0 : 0.5), why: "common" };
  if (part.length < 3) return null;
  const again = /^(.+?)(?:[-_. ]?\1)+$/isu.exec(part);
  if (again) return { cost: judge(again[1], names).cost + log(part.length / again[1].length), why: "repeat" };
  if (isSequence(lower)) return { cost: log(10 * part.length), why: "row" };
  if (part.length > 3 && ROWS.some((row) => row.includes(lower) || reversed(row).includes(lower))) {
    return { cost: log(40 * part.length) + capitals, why: "row" };
  }
  if (/^(19|20)\d\d$/.test(part)) return { cost: 2, why: "date" };
  if (/^([0-3]?\d)([-./ ]?)([01]?\d)\2((19|20)?\d\d)$/.test(part) || /^(19|20)\d\d([-./ ]?)[01]\d\2[0-3]\d$/.test(part)) {
    return { cost: 4.6, why: "date" };
  }
  if (looksLikeWords(lower)) return { cost: 4 * Math.ceil(part.length / 10) + capitals, why: "words" };
  return null;
}

// The cheapest way to guess it, part by part; a character that is of no such part counts ten guesses, one between words three.
function judge(typed, names) {
  const ways = [{ cost: 0, whys: [] }];
  for (let to = 1; to <= typed.length; to += 1) {
    ways[to] = { cost: ways[to - 1].cost + (/[-_. ]/.test(typed[to - 1]) ? 0.5 : 1), whys: ways[to - 1].whys };
    for (let from = 0; from < to; from += 1) {
      const part = likely(typed.slice(from, to), names);
      const cost = part ? ways[from].cost + part.cost + (from ? 0.4 : 0) : Infinity;
      if (cost < ways[to].cost) ways[to] = { cost, whys: [...ways[from].whys, part.why] };
    }
  }
  return ways[typed.length];
}

function strengthOf(typed, names) {
  if (typed === "") return { level: 0, words: WORDS[0] };
  const { cost, whys } = judge(typed.slice(0, MOST), names);
  const level = LEVELS.filter((least) => cost >= least).length;
  const why = WHY[typed.length < 10 ? "short" : whys[0]];
  return { level, words: level < 3 && why ? `${WORDS[level]} ${why}` : WORDS[level] };
}

// An element that makes itself wherever its form is shown, as a page, as a dialog, or again with what is wrong. Where no
// script runs it is not there at all. What is seen changes with each key; what is said aloud waits for a pause.
const PAUSE = 1_200;

customElements.define("password-strength", class extends HTMLElement {
  connectedCallback() {
    if (this.hasChildNodes()) return;
    const bars = Object.assign(document.createElement("span"), { className: "bars" });
    bars.append(...Array.from({ length: 4 }, () => document.createElement("i")));
    this.seen = Object.assign(document.createElement("p"), { className: "hint" });
    this.said = Object.assign(document.createElement("p"), { className: "unseen" });
    for (const each of [bars, this.seen]) each.setAttribute("aria-hidden", "true");
    this.said.setAttribute("role", "status");
    this.append(bars, this.seen, this.said);
    this.input = this.closest(".field").querySelector("input");
    this.other = this.dataset.nameField ? this.closest("form").querySelector(`#${this.dataset.nameField}`) : null;
    for (const each of [this.input, this.other]) each?.addEventListener("input", () => this.show());
    this.show();
  }

  names() {
    const told = `${this.dataset.names ?? ""} ${this.other?.value ?? ""}`.toLowerCase().split(/\s+/);
    return [...told, ...told.flatMap((each) => each.split(/[^\p{L}\p{N}]+/u))].filter((each) => each.length > 2);
  }

  show() {
    const { level, words } = strengthOf(this.input.value, this.names());
    this.dataset.level = level;
    this.seen.textContent = words;
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => { this.said.textContent = level ? `Strength: ${words}` : ""; }, PAUSE);
  }

  disconnectedCallback() { clearTimeout(this.waiting); }
});
