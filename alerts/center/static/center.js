// What an open page does by itself: it hears what is new, counts down, keeps drafts, and takes keys. Without it every page
// still works by links and forms.
"use strict";

const body = document.body;
const page = body.dataset.page;
const words = JSON.parse(body.dataset.words);
const $ = (id) => document.getElementById(id);
const said = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const announce = (text) => { if ($("say")) $("say").textContent = text; };

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

let source = null, heardAt = Date.now(), position = body.dataset.position, retry = 0;

function listen() {
  if (!position) return;
  source = new EventSource(`/live/${page === "ask" ? "case" : page}?from=${position}`);
  const on = (name, act) => source.addEventListener(name, (event) => { heard(event); act(JSON.parse(event.data)); });
  on("now", (time) => { ahead = Date.parse(time) - Date.now(); tick(); refresh(); });
  on("reload", () => location.reload());
  on("line", arrived);
  on("over", ended);
  on("counts", counted);
  on("changed", (cases) => { if (cases.includes(Number(body.dataset.case))) changed(); });
  on("stale", () => refresh(true));
  on("post", fell);
  on("gone", (posts) => posts.forEach((post) => $(`post-${post}`)?.remove()));
  source.onerror = () => {
    if (source.readyState !== EventSource.CLOSED) return;  // the browser connects again by itself
    source.close();
    clearTimeout(retry);
    retry = setTimeout(again, 3000);
  };
}

async function again() {  // refused: perhaps the sign-in is over
  try {
    const answer = await fetch(location.href, { method: "HEAD", redirect: "manual" });
    if (answer.type === "opaqueredirect" && !typing()) { location.reload(); return; }
  } catch { /* no network */ }
  listen();
}

function heard(event) {
  heardAt = Date.now();
  if (event.lastEventId) position = event.lastEventId;
  if ($("lost") && !$("lost").hidden) { $("lost").hidden = true; body.classList.remove("stale"); }
}

function lost() {
  if (!source || Date.now() - heardAt < 40000) return;
  $("lost").textContent = said(words.lost, { time: new Date(heardAt).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }) });
  $("lost").hidden = false;
  body.classList.add("stale");
  source.close();
  listen();
  heardAt = Math.max(heardAt, Date.now() - 30000);  // try again in ten seconds
}

let refreshedAt = 0, refreshing = 0;

function refresh(isStale = false) {
  const part = document.querySelector("[data-refresh]");
  if (!part) return;
  const wait = Math.max(0, refreshedAt + (isStale ? 2000 : 14000) - Date.now());
  clearTimeout(refreshing);
  refreshing = setTimeout(async () => {
    refreshedAt = Date.now();
    await replace(part, part.dataset.refresh);
  }, isStale ? wait : wait && wait + 1);
}

async function replace(part, address) {
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    if (answer.ok) { part.innerHTML = await answer.text(); tick(); }
  } catch { /* lost() says so */ }
}

function changed() {
  if ($("standing")) { replace($("standing"), $("standing").dataset.part); }
  if ($("changed")) $("changed").hidden = false;
}

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
  const line = parsed(html), old = $(`case-${number}`);
  if (old && Number(old.dataset.version) >= Number(line.dataset.version)) return;
  if (old) {  // in its place, so that nobody presses what is no more
    if (old.dataset.state !== line.dataset.state && line.dataset.owner && line.dataset.owner !== body.dataset.who)
      announce(said(words.owner, { name: line.querySelector(".owner")?.textContent ?? "" }));
    const isChosen = old.classList.contains("chosen"), hadFocus = old.contains(document.activeElement);
    old.replaceWith(line);
    line.classList.toggle("chosen", isChosen);
    if (hadFocus) line.querySelector("a").focus();
  }
  waiting.set(number, line);
  if (!old && line.dataset.urgency === "danger") alarm(number);
  settle();
}

function ended({ case: number }) {
  waiting.delete(number);
  const line = $(`case-${number}`);
  if (!line) return;
  line.classList.add("over");
  line.querySelector(".claim")?.remove();
  waiting.set(number, null);
  settle();
}

function isBusy() {
  const lists = document.querySelector(".lines:hover, .lines :focus-visible, .line.chosen");
  return Boolean(lists) && document.visibilityState === "visible";
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
  for (const [number, line] of waiting) {
    if (line === null) { $(`case-${number}`)?.remove(); continue; }
    const list = listOf(line);
    const next = [...list.children].find((other) => other !== line && other.dataset.order > line.dataset.order);
    list.insertBefore(line, next ?? null);
  }
  waiting.clear();
  fresh.hidden = true;
  tick();
}

function counted({ html, danger }) {
  $("counts").innerHTML = html;
  titled(danger);
}

const title = document.title;
function titled(danger) { document.title = danger ? `(${danger}!) ${title}` : title; }

function alarm(number) {
  const text = said(words.heard, { n: number });
  announce(text);
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

function fell({ id, html, left_out }) {
  const falls = $("falls");
  if (!falls) return;
  if (falls.matches(":hover, :focus-within")) {
    held.push({ id, html, left_out });
    held = held.slice(-MOST_POSTS);
    if ($("held")) { $("held").hidden = false; $("held").textContent = said(words.new, { n: held.length }); }
    return;
  }
  const post = parsed(html), old = $(`post-${id}`);
  if (!wanted(post)) { old?.remove(); return; }
  if (old) { old.replaceWith(post); return; }
  post.classList.add("new");
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

function typing() { return Boolean(document.querySelector("textarea")?.value); }

function draft(area) {
  const form = area.form, name = `draft:${body.dataset.case}:${area.name}`, proposed = area.defaultValue;
  let checking = 0, number = 0;
  const kept = JSON.parse(localStorage.getItem(name) ?? "null");
  if (kept && kept.text !== area.value && Date.now() - kept.at < 24 * 3600e3 && !document.querySelector(".problem")) {
    area.value = kept.text;
    $("kept").textContent = words.draft;
    $("kept").hidden = false;
  }
  const check = async () => {
    const mine = ++number, sent = new URLSearchParams({ csrf: form.elements.csrf.value, reply: area.value });
    try {
      const answer = await fetch(area.dataset.check, { method: "POST", body: sent });
      if (answer.ok && mine === number) { $("check").innerHTML = await answer.text(); online(); }
    } catch { offline(); }
  };
  area.addEventListener("input", () => {
    if (area.value === proposed) localStorage.removeItem(name);
    else localStorage.setItem(name, JSON.stringify({ text: area.value, at: Date.now() }));
    clearTimeout(checking);
    checking = setTimeout(check, 250);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();  // the words leave this device only when they have arrived
    const pressed = form.querySelector("button.first");
    pressed.disabled = true;
    try {
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      if (answer.redirected) { localStorage.removeItem(name); location.href = answer.url; return; }
      document.open();
      document.write(await answer.text());
      document.close();
    } catch { offline(); pressed.disabled = false; }
  });
  const offline = () => { $("kept").textContent = words.offline; $("kept").hidden = false; };
  const online = () => { if ($("kept").textContent === words.offline) $("kept").hidden = true; };
  if (area.value.trim()) check();
}

// ---------------------------------------------------------------- keys

function lines() { return [...document.querySelectorAll(".line")]; }

function choose(step) {
  const all = lines(), at = all.findIndex((line) => line.classList.contains("chosen"));
  const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
  all[at]?.classList.remove("chosen");
  if (!next) return;
  next.classList.add("chosen");
  next.querySelector("a").focus();
  next.scrollIntoView({ block: "nearest" });
}

function chosen() { return document.querySelector(".line.chosen"); }

const KEYS = {
  j: () => choose(1),
  k: () => choose(-1),
  c: () => (chosen()?.querySelector(".claim") ?? document.querySelector("[data-do=claim]"))?.click(),
  r: () => {
    const line = chosen();
    if (line) location.href = `/cases/${line.dataset.case}/do/draft`;
    else document.querySelector("[data-do=send], [data-do=draft]")?.click();
  },
  u: () => { if (body.dataset.case) location.href = `/inbox#case-${body.dataset.case}`; },
  "/": () => { location.href = "/search"; },
  "?": () => $("keys")?.showModal(),
  Escape: () => { chosen()?.classList.remove("chosen"); document.activeElement?.blur(); settle(); release(); },
};

function pressed(event) {
  const isTyping = event.target.matches?.("input, textarea, select, [contenteditable]");
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping || document.querySelector("dialog[open]")) return;
  const act = KEYS[event.key];
  if (act) { event.preventDefault(); act(); }
}

// ---------------------------------------------------------------- begin

document.addEventListener("keydown", pressed);
document.addEventListener("pointerover", (event) => { if (!event.target.closest?.(".lines")) settle(); });
$("fresh")?.addEventListener("click", () => { chosen()?.classList.remove("chosen"); settle(true); });
$("falls")?.addEventListener("pointerleave", release);
$("falls")?.addEventListener("focusout", () => setTimeout(release));
$("held")?.addEventListener("click", () => { document.activeElement?.blur(); release(); });
$("filters")?.addEventListener("change", (event) => event.target.form.requestSubmit());
$("keys-button")?.addEventListener("click", KEYS["?"]);
document.querySelectorAll("textarea[data-check]").forEach(draft);
if ($("notify") && "Notification" in window && Notification.permission === "default") {
  $("notify").hidden = false;
  $("notify").addEventListener("click", async () => { await Notification.requestPermission(); $("notify").hidden = true; });
}
for (const form of document.querySelectorAll("form[method=post]"))
  form.addEventListener("submit", () => setTimeout(() => form.querySelectorAll("button").forEach((button) => { button.disabled = true; })));
if (location.hash.startsWith("#case-")) document.querySelector(location.hash)?.classList.add("chosen");
if (page === "inbox") titled(document.querySelectorAll("#free .danger").length);
setInterval(tick, 1000);
setInterval(lost, 5000);
tick();
listen();
