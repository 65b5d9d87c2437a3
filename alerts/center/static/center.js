// What an open page does by itself: it hears what is new, counts down, keeps drafts, and takes keys. Without it every page
// still works by links and forms.
"use strict";

const body = document.body;
const page = body.dataset.page;
const words = JSON.parse(body.dataset.words);
const $ = (id) => document.getElementById(id);
const said = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const here = location.pathname + location.search;  // without what stands after #: to go there loads the page

// What is read out to who does not see it. Danger interrupts; nothing overwrites what was not read yet.
function announce(text, isUrgent = false) {
  const line = document.createElement("p");
  if (isUrgent) line.setAttribute("role", "alert");
  line.textContent = text;
  $("say")?.append(line);
  setTimeout(() => line.remove(), 10000);
}

// What came of a press that leaves the page as it is.
function tell(text) {
  document.querySelectorAll(".toast").forEach((old) => old.remove());
  const toast = document.createElement("p");
  toast.className = "toast";
  toast.textContent = text;
  body.append(toast);
  announce(text);
  setTimeout(() => toast.remove(), 10000);
}

// ---------------------------------------------------------------- time: the server's, whatever the clock of this machine says

let ahead = Date.parse(body.dataset.now) - Date.now();
const now = () => Date.now() + ahead;

function span(milliseconds) {
  const seconds = Math.floor(Math.abs(milliseconds) / 1000), minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
  if (seconds < 60) return `${seconds} s`;
  if (minutes < 60) return `${minutes} min`;
  if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return hours % 24 ? `${Math.floor(hours / 24)} d ${hours % 24} h` : `${hours / 24} d`;
}

function tick() {
  for (const clock of document.querySelectorAll("time[data-due]")) {
    const left = Date.parse(clock.dateTime) - now();
    const text = said(left > 0 ? words.left : words.late, { time: span(left) });
    if (clock.textContent !== text) clock.textContent = text;
    clock.classList.toggle("late", left <= 0);
    clock.classList.toggle("soon", left > 0 && left < 300000);
  }
  for (const clock of document.querySelectorAll("time[data-since]")) clock.textContent = span(now() - Date.parse(clock.dateTime));
}

// ---------------------------------------------------------------- what is new

let source = null, heardAt = Date.now(), brokenAt = 0, position = body.dataset.position, retry = 0;

function listen() {
  if (!position) return;
  source = new EventSource(`/live/${page === "ask" ? "case" : page}?from=${position}`);
  const on = (name, act) => source.addEventListener(name, (event) => { heard(event); act(JSON.parse(event.data)); });
  on("now", (time) => { ahead = Date.parse(time) - Date.now(); tick(); refresh(); });
  on("reload", () => { if (page === "ask") changed(); else location.replace(here); });
  on("line", arrived);
  on("over", ended);
  on("counts", counted);
  on("changed", (cases) => { if (cases.includes(Number(body.dataset.case))) changed(); });
  on("stale", () => refresh(true));
  on("post", fell);
  on("gone", (posts) => {
    posts.forEach((post) => $(`post-${post}`)?.remove());
    held = held.filter(({ id }) => !posts.includes(id));
  });
  source.onerror = () => {
    brokenAt ||= Date.now();
    if (source.readyState !== EventSource.CLOSED) return;  // the browser connects again by itself
    source.close();
    clearTimeout(retry);
    retry = setTimeout(again, 3000);
  };
}

async function again() {  // refused: perhaps the sign-in is over
  try {
    const answer = await fetch("/inbox/spikes", { redirect: "manual" });
    if (answer.status === 401 || answer.type === "opaqueredirect") signedOut();
  } catch { /* no network */ }
  listen();
}

function signedOut() {
  if (!typing()) { location.replace(here); return; }
  const link = document.createElement("a");
  link.href = `/sign-in?to=${encodeURIComponent(here)}`;
  link.textContent = words.sign_in;
  $("kept").replaceChildren(words.signed_out, " ", link);
  $("kept").hidden = false;
}

function heard(event) {
  heardAt = Date.now();
  brokenAt = 0;
  if (event.lastEventId) position = event.lastEventId;
  if ($("lost") && !$("lost").hidden) { $("lost").hidden = true; body.classList.remove("stale"); }
}

function lost() {
  const isSilent = Date.now() - heardAt > 40000;
  if (!source || !(isSilent || (brokenAt && Date.now() - brokenAt > 4000))) return;
  $("lost").textContent = said(words.lost, { time: new Date(heardAt).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }) });
  $("lost").hidden = false;
  body.classList.add("stale");
  if (!isSilent) return;
  source.close();
  listen();
  heardAt = Math.max(heardAt, Date.now() - 30000);  // try again in ten seconds
}

let refreshedAt = 0, refreshing = 0, refreshAt = Infinity;

// A browser opens six lines to one server, so a page that nobody sees gives its own back; the inbox has to tell of danger.
let resting = 0;

function rest() {
  clearTimeout(resting);
  if (document.visibilityState === "hidden" && page !== "inbox")
    resting = setTimeout(() => { source?.close(); source = null; }, 5000);
  else if (!source) { heardAt = Date.now(); listen(); }
}

function refresh(isStale = false) {
  const part = document.querySelector("[data-refresh]"), at = Math.max(Date.now(), refreshedAt + (isStale ? 2000 : 14000));
  if (!part || at >= refreshAt) return;  // it comes sooner anyway
  clearTimeout(refreshing);
  refreshAt = at;
  refreshing = setTimeout(async () => {
    [refreshedAt, refreshAt] = [Date.now(), Infinity];
    await replace(part, part.dataset.refresh);
  }, at - Date.now());
}

async function fetched(address) {
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    return answer.ok ? await answer.text() : null;
  } catch { return null; /* lost() says so */ }
}

async function replace(part, address) {
  const html = await fetched(address);
  if (html === null || html === part.dataset.was) return;
  part.dataset.was = html;
  part.innerHTML = html;
  tick();
}

// ---------------------------------------------------------------- a case: what changed of it, and no button goes from under a hand

async function changed() {
  if ($("changed")) $("changed").hidden = false;
  const standing = $("standing"), html = await fetched(standing ? standing.dataset.part : here);
  if (html && standing) renew(standing, html);
  else if (html) requote(new DOMParser().parseFromString(html, "text/html"));
}

// A form stays as somebody fills it in, but what it quotes of a post goes with the post.
function requote(fresh) {
  for (const part of document.querySelectorAll("[data-quotes]")) {
    const now = fresh.getElementById(part.id);
    if (now?.innerHTML !== part.innerHTML) part.replaceChildren(...(now?.childNodes ?? []));
  }
}

function alike(one, other) {
  const [plain, same] = [one, other].map((part) => {
    const copy = part.cloneNode(true);
    copy.querySelectorAll("time[data-due]").forEach((clock) => { clock.textContent = clock.className = ""; });
    copy.querySelectorAll("input[name=key]").forEach((key) => key.setAttribute("value", ""));
    return copy.outerHTML;
  });
  return plain === same;
}

let later = null;  // how a case stands, where its buttons wait until no hand is on them

// Only what differs takes the place of what was; buttons only while no hand is on them.
function renew(standing, html) {
  later = null;
  const fresh = document.createRange().createContextualFragment(html);
  if (fresh.querySelectorAll(".gone").length > standing.querySelectorAll(".gone").length)
    document.querySelector(".original")?.remove();  // words as they were written go with their post
  const kept = [...fresh.children].map((part) => {
    const before = [...standing.children].find((one) => one.classList[0] === part.classList[0]);
    if (before && alike(before, part)) return before;
    if (!before?.querySelector("[data-do]") || !before.matches(":hover, :focus-within")) return part;
    withdraw(before, part);
    later = html;
    return before;
  });
  for (const part of [...standing.children]) if (!kept.includes(part)) part.remove();
  kept.forEach((part, at) => { if (standing.children[at] !== part) standing.insertBefore(part, standing.children[at] ?? null); });
  tick();
}

function withdraw(old, fresh) {  // what cannot be done any more
  for (const offer of old.querySelectorAll("[data-do]"))
    if (!fresh.querySelector(`[data-do="${offer.dataset.do}"]`)) {
      offer.removeAttribute("href");
      offer.setAttribute("aria-disabled", "true");
      offer.disabled = true;
    }
}

function letGo() { if (later) setTimeout(() => { if (later) renew($("standing"), later); }); }

// ---------------------------------------------------------------- the inbox: nothing moves under a pointer or a chosen line

const waiting = new Map();  // lines that wait to be shown, by case

function parsed(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return holder.content.firstElementChild;
}

function listOf(line) {
  if (line.dataset.state === "open") return $("free");
  return line.dataset.owner === body.dataset.who ? $("mine") : $("others");
}

function arrived({ case: number, html }) {
  const line = parsed(html), old = $(`case-${number}`), before = old ?? waiting.get(number);
  if (before && Number(before.dataset.version) >= Number(line.dataset.version)) return;
  if (old) {  // in its place, so that nobody presses what is no more
    if (old.dataset.state !== line.dataset.state && line.dataset.owner && line.dataset.owner !== body.dataset.who)
      announce(said(words.owner, { name: line.querySelector(".owner")?.textContent ?? "" }));
    const isChosen = old.classList.contains("chosen"), hadFocus = old.contains(document.activeElement);
    old.replaceWith(line);
    line.classList.toggle("chosen", isChosen);
    if (hadFocus) line.querySelector("a").focus({ preventScroll: true });
  }
  waiting.set(number, line);
  if (line.dataset.urgency === "danger" && before?.dataset.urgency !== "danger") alarm(number);
  settle();
  tick();
}

function ended({ case: number }) {
  const line = $(`case-${number}`);
  waiting.delete(number);
  if (!line) return;
  line.classList.add("over");
  line.querySelector(".claim")?.remove();
  waiting.set(number, null);
  settle();
}

let movedAt = Date.now();  // when somebody last touched this page
const AWAY = 120000;

function isBusy() {
  const lists = document.querySelector(".lines:hover, .lines :focus-visible, .line.chosen");
  return Boolean(lists) && document.visibilityState === "visible" && Date.now() - movedAt < AWAY;
}

function settle(now = false) {
  const fresh = $("fresh");
  if (!fresh) return;
  const unseen = [...waiting].filter(([number, line]) => line && !$(`case-${number}`));
  if (!now && isBusy()) {
    const danger = unseen.filter(([, line]) => line.dataset.urgency === "danger").length;
    fresh.hidden = unseen.length === 0;
    fresh.textContent = said(words.new, { n: unseen.length }) + (danger ? ` (${danger} ${words.danger})` : "");
    fresh.classList.toggle("danger", danger > 0);
    return;
  }
  if (!waiting.size) { fresh.hidden = true; return; }
  const stays = document.querySelector(".line.chosen, .line:hover"), top = stays?.getBoundingClientRect().top;
  for (const [number, line] of waiting) {
    if (line === null) { $(`case-${number}`)?.remove(); continue; }
    const list = listOf(line), hadFocus = line.contains(document.activeElement);
    const next = [...list.children].find((other) => other !== line && other.dataset.order > line.dataset.order);
    list.insertBefore(line, next ?? null);
    if (hadFocus) line.querySelector("a").focus({ preventScroll: true });
  }
  waiting.clear();
  fresh.hidden = true;
  if (!now && stays?.isConnected) scrollBy(0, stays.getBoundingClientRect().top - top);
  tick();
  refill();
}

// Whoever works down a list that holds the first fifty only must not take its end for the end.
let free = -1, refilling = false;

async function refill() {
  if (refilling || free <= $("free").children.length || $("free").children.length >= 50) return;
  refilling = true;
  const html = await fetched(here);
  refilling = false;
  if (!html) return;
  for (const line of new DOMParser().parseFromString(html, "text/html").querySelectorAll(".line"))
    if (!$(line.id) && !waiting.has(Number(line.dataset.case))) waiting.set(Number(line.dataset.case), document.adoptNode(line));
  free = -1;
  settle();
}

function counted({ html, danger, free: waits }) {
  $("counts").innerHTML = html;
  free = waits;
  titled(danger);
  if (!isBusy()) refill();
}

const title = document.title;
function titled(danger) { document.title = danger ? `(${danger}!) ${title}` : title; }

function alarm(number) {
  const text = said(words.heard, { n: number });
  announce(text, true);
  if ("Notification" in window && Notification.permission === "granted" && document.visibilityState === "hidden")
    new Notification(text, { tag: `case-${number}` }).onclick = () => { window.focus(); location.href = `/cases/${number}`; };
}

// ---------------------------------------------------------------- the waterfall

const MOST_POSTS = 200;
let held = [];

function wanted(post) {
  return [...new FormData($("filters") ?? undefined)].every(([name, value]) =>
    !value || (post.dataset[name] ?? "").split(" ").includes(value.replaceAll(" ", "_")));
}

const isPaused = () => $("pause").getAttribute("aria-pressed") === "true" || $("falls").matches(":hover, :focus-within");

function fell(fallen) {
  const falls = $("falls"), { id, html, again } = fallen;
  if (!falls) return;
  if (isPaused()) {
    held.push(fallen);
    held = held.slice(-MOST_POSTS);
    if ($("held")) { $("held").hidden = false; $("held").textContent = said(words.new, { n: held.length }); }
    return;
  }
  const post = parsed(html), old = $(`post-${id}`);
  if (!wanted(post)) { old?.remove(); return; }
  if (old) { post.classList.remove("new"); old.replaceWith(post); return; }
  if (again) return;  // an older one, that this page does not show
  falls.prepend(post);
  while (falls.children.length > MOST_POSTS) falls.lastElementChild.remove();
}

function release() {
  const posts = held;
  held = [];
  if ($("held")) $("held").hidden = true;
  posts.forEach(fell);
}

// ---------------------------------------------------------------- drafts: checked while typed, kept on this device

const KEPT = 24 * 3600e3;
const WRITTEN = "textarea, input[type=text]";

// Each person's own, of each form. A browser that keeps nothing is no reason to write nothing.
const drafts = {
  name: (form) => `draft:${body.dataset.who}:${form.getAttribute("action")}`,
  read(name) {
    try { const kept = JSON.parse(localStorage.getItem(name)); return Date.now() - kept.at < KEPT ? kept.fields : null; } catch { return null; }
  },
  write(name, fields) { try { localStorage.setItem(name, JSON.stringify({ at: Date.now(), fields })); } catch { /* full, or forbidden */ } },
  forget(name) { try { localStorage.removeItem(name); } catch { /* forbidden */ } },
  clear(isOver) {
    try {
      for (const name of Object.keys(localStorage)) if (name.startsWith("draft:") && isOver(name)) localStorage.removeItem(name);
    } catch { /* forbidden */ }
  },
};

function typing() { return [...document.querySelectorAll(WRITTEN)].some((field) => field.form?.dataset.action && field.value.trim()); }

function notice(text, ...more) {
  if (!$("kept")) { tell(text); return; }
  $("kept").replaceChildren(text, " ", ...more);
  $("kept").hidden = false;
}

function keep(form) {
  const name = drafts.name(form), written = [...form.querySelectorAll(WRITTEN)].filter((field) => field.name);
  const proposed = JSON.stringify(written.map((field) => field.value)), before = written.map((field) => field.value);
  const kept = drafts.read(name);
  if (kept && !form.querySelector(".problem") && written.some((field) => (kept[field.name] ?? field.value) !== field.value)) {
    for (const field of written) field.value = kept[field.name] ?? field.value;
    const anew = document.createElement("button");
    anew.type = "button";
    anew.className = "quiet";
    anew.textContent = words.anew;
    anew.addEventListener("click", () => {
      written.forEach((field, at) => { field.value = before[at]; });
      drafts.forget(name);
      $("kept").hidden = true;
      form.dispatchEvent(new Event("input"));
      written[0].focus();
    });
    notice(words.draft, anew);
  }
  form.addEventListener("input", () => {
    if (JSON.stringify(written.map((field) => field.value)) === proposed) drafts.forget(name);
    else drafts.write(name, Object.fromEntries(written.map((field) => [field.name, field.value])));
  });
  const area = form.querySelector("textarea[data-check]");
  if (area) checked(form, area);
}

function checked(form, area) {
  let timer = 0, newest = 0;
  const check = async () => {
    const mine = ++newest, sent = new URLSearchParams({ csrf: form.elements.csrf.value, reply: area.value });
    try {
      const answer = await fetch(area.dataset.check, { method: "POST", body: sent });
      if (mine !== newest) return;
      if (answer.status === 401) signedOut();
      else if (answer.status === 429) timer = setTimeout(check, 5000);
      else if (answer.ok) {
        $("check").innerHTML = await answer.text();
        if ($("kept").textContent.startsWith(words.offline)) $("kept").hidden = true;
      }
    } catch { if (mine === newest) notice(words.offline); }
  };
  const soon = (wait) => {
    newest += 1;
    $("check").querySelector(".fine")?.remove();  // it was said of other words
    clearTimeout(timer);
    timer = setTimeout(check, wait);
  };
  form.addEventListener("input", () => soon(250));
  addEventListener("offline", () => { if (area.isConnected && area.value.trim()) notice(words.offline); });
  addEventListener("online", () => { if (area.isConnected) soon(0); });
  if (area.value.trim()) check();
}

// ---------------------------------------------------------------- what is pressed: sent once, and what was written leaves only when it has arrived

async function send(event) {
  const form = event.target, submitter = event.submitter;
  if (form.getAttribute("action") === "/sign-out") drafts.clear(() => true);
  if (!form.matches("#press, form[data-action]")) return;
  event.preventDefault();
  if (form.dataset.sending) return;
  form.dataset.sending = "yes";
  const address = submitter?.getAttribute("formaction") ?? form.getAttribute("action");
  const sent = new URLSearchParams(new FormData(form, submitter));
  try {
    const answer = await fetch(address, { method: "POST", body: sent, headers: { Accept: "text/plain" }, redirect: "manual" });
    await came(form, answer);
  } catch {
    notice(form.dataset.action ? words.offline : words.unsent);
  } finally { delete form.dataset.sending; }
}

async function came(form, answer) {
  if (answer.ok) drafts.forget(drafts.name(form));
  if (answer.status === 204) { go(answer.headers.get("Location")); return; }
  if (answer.status === 401 || answer.type === "opaqueredirect") { signedOut(); return; }
  const text = await answer.text();
  if (answer.status !== 422) {
    notice(text.trim());
    if (answer.ok && body.classList.contains("stale")) location.replace(here);  // nobody will tell this page
    return;
  }
  const fresh = new DOMParser().parseFromString(text, "text/html");
  $("main").replaceChildren(...fresh.getElementById("main").childNodes);
  $("main").querySelectorAll("form[data-action]").forEach(keep);
  ($("main").querySelector("[aria-invalid]") ?? $("main")).focus();
}

function go(to) {
  const there = new URL(to, location.href);
  if (there.pathname + there.search !== here) { location.assign(there); return; }
  history.replaceState(null, "", there);
  location.reload();
}

// ---------------------------------------------------------------- keys

function lines() { return [...document.querySelectorAll(".line")]; }

function choose(step) {
  const all = lines(), at = all.findIndex((line) => line.classList.contains("chosen"));
  const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
  all[at]?.classList.remove("chosen");
  if (next) point(next);
}

function point(line) {
  line.classList.add("chosen");
  line.querySelector("a").focus({ preventScroll: true });
  line.scrollIntoView({ block: "nearest" });
}

function chosen() { return document.querySelector(".line.chosen"); }

const KEYS = {
  j: () => choose(1),
  k: () => choose(-1),
  c: () => (chosen()?.querySelector(".claim") ?? document.querySelector("[data-do=claim]"))?.click(),
  r: () => {
    const line = chosen();
    if (line) location.assign(`/cases/${line.dataset.case}/do/draft`);
    else document.querySelector("[data-do=approve], [data-do=send], [data-do=draft]")?.click();
  },
  u: () => { if (page !== "inbox") location.assign(body.dataset.case ? `/inbox#case-${body.dataset.case}` : "/inbox"); },
  Enter: () => chosen()?.querySelector("a").click(),  // where the focus is on nothing
  "/": () => location.assign("/search"),
  "?": () => $("keys")?.showModal(),
  Escape: () => { chosen()?.classList.remove("chosen"); document.activeElement?.blur(); settle(); release(); },
};
const OFF = "keys:off";  // who speaks to their machine, or whose hand shakes, can switch them off

function areOff() { try { return localStorage.getItem(OFF) !== null; } catch { return false; } }

function pressed(event) {
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && event.target.form?.dataset.action) {
    event.preventDefault();
    event.target.form.requestSubmit();
    return;
  }
  const isTyping = event.target.matches?.("input:not([type=checkbox], [type=radio]), textarea, select");
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping || document.querySelector("dialog[open]")) return;
  const act = event.key === "Enter" && event.target !== body ? null : KEYS[event.key];
  if (act && (event.key === "Escape" || !areOff())) { event.preventDefault(); act(); }
}

// ---------------------------------------------------------------- begin

document.addEventListener("keydown", pressed);
for (const touch of ["keydown", "pointermove", "pointerdown", "wheel"])
  document.addEventListener(touch, () => { movedAt = Date.now(); }, { passive: true });
document.addEventListener("pointerover", (event) => {
  if (!event.target.closest?.(".lines")) settle();
  letGo();
});
document.addEventListener("focusout", letGo);
document.addEventListener("submit", send);
addEventListener("pageshow", (event) => { if (event.persisted) location.replace(here); });  // the back button shows what was
$("fresh")?.addEventListener("click", () => { chosen()?.classList.remove("chosen"); settle(true); });
$("falls")?.addEventListener("pointerleave", release);
$("falls")?.addEventListener("focusout", () => setTimeout(release));
function pause(isOn) {
  $("pause").setAttribute("aria-pressed", String(isOn));
  document.activeElement?.blur();
  release();
}
if ($("pause")) {
  $("pause").hidden = false;
  $("pause").addEventListener("click", () => pause($("pause").getAttribute("aria-pressed") !== "true"));
  $("held").addEventListener("click", () => pause(false));
}
$("filters")?.addEventListener("change", (event) => event.target.form.requestSubmit());
$("keys-button")?.addEventListener("click", KEYS["?"]);
if ($("keys-on")) {
  $("keys-on").checked = !areOff();
  $("keys-on").addEventListener("change", (event) => {
    try { if (event.target.checked) localStorage.removeItem(OFF); else localStorage.setItem(OFF, "yes"); } catch { /* forbidden */ }
  });
}
if ($("notify") && "Notification" in window && Notification.permission === "default") {
  $("notify").hidden = false;
  $("notify").addEventListener("click", async () => { await Notification.requestPermission(); $("notify").hidden = true; });
}
drafts.clear((name) => !drafts.read(name));
document.querySelectorAll("form[data-action]").forEach(keep);
addEventListener("load", () => setTimeout(() => {  // after the browser itself went there, and took the focus away
  const linked = $(location.hash.slice(1));
  if (linked?.matches(".line")) point(linked);
}));
if (page === "inbox") titled(document.querySelectorAll("#free .line.danger").length);
setInterval(tick, 1000);
setInterval(lost, 2000);
document.addEventListener("visibilitychange", rest);
setInterval(() => settle(), 5000);  // also for who has gone away with the pointer on a line
tick();
listen();
