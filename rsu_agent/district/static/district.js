// The page: asks how the sites are, hears what is new; what is old is greyed, never shown as fresh.
import { drawLive, follow } from "/static/district_live.js";
import { dragged, drawMap, zoomBy } from "/static/district_map.js";
import { otherLanguage, say, sayEverywhere, span, tell } from "/static/district_words.js";

const ASK_MS = 2000, WORDS_MS = 500, OLD_S = 8, MOST_ROWS = 300, MOST_NEWS = 40, BEHIND_S = 300;
const WORST_FIRST = ["lost", "silent", "degraded", "unknown", "ok"];
const $ = (id) => document.getElementById(id);
let sites = null, heardAt = null, lookedAgo = 0, trouble = null, detail = null, drawn = "", next = 0;
let picked = decodeURIComponent(location.hash.slice(1)) || null;
const news = [];

const since = () => (heardAt === null ? Infinity : (performance.now() - heardAt) / 1000);
const isPast = () => since() + lookedAgo > OLD_S;

function text(tag, content, className) {
  const element = document.createElement(tag);
  element.textContent = content;
  if (className) element.className = className;
  return element;
}

function list(id, items) {
  $(id).replaceChildren(...(items.length ? items : [text("li", say("none"), "dim")]));
}

function ordered() {
  const words = $("search").value.trim().toLowerCase();
  return (sites ?? []).filter((site) => site.site.toLowerCase().includes(words) || site.district.toLowerCase().includes(words))
    .sort((a, b) => WORST_FIRST.indexOf(a.health) - WORST_FIRST.indexOf(b.health) || (a.site < b.site ? -1 : 1));
}

function pick(site) {
  picked = site;
  detail = null;
  follow(site);
  history.replaceState(null, "", `#${encodeURIComponent(site)}`);
  showSites();
  askDetail();
}

function row(site) {
  const line = text("tr", "", site.site === picked ? "picked" : "");
  const name = text("td", "", `health ${site.health}`);
  const button = text("button", site.site);
  name.append(button);
  const cell = (content, worry) => text("td", content, worry ? "worry" : "");
  line.append(name, cell(site.age_s === null ? say("never") : span(site.age_s), site.freshness !== "fresh"),
    cell(span(site.backlog_s), site.backlog_s > BEHIND_S), cell(site.missing || "–", site.missing > 0),
    cell(tell(site.clock), site.clock === "doubtful"),
    cell(site.version_skew ? say("skew", site.version, site.version_skew) : site.version ?? "–", site.version_skew));
  line.dataset.site = site.site;
  line.addEventListener("click", () => pick(site.site));
  return line;
}

function showSites() {
  const all = ordered();
  const state = JSON.stringify([all, picked, document.documentElement.lang]);
  if (state === drawn) return;
  drawn = state;
  const focused = document.activeElement?.closest?.("tr")?.dataset.site;
  $("sites").replaceChildren(...all.slice(0, MOST_ROWS).map(row));
  if (focused) [...$("sites").rows].find((line) => line.dataset.site === focused)?.querySelector("button").focus();
  $("more").hidden = all.length <= MOST_ROWS;
  $("more").textContent = say("more", all.length - MOST_ROWS);
  drawMap($("map"), sites, picked, pick);
  const counted = (word) => sites.filter((site) => site.health === word).length;
  $("counts").textContent = sites.length ? WORST_FIRST.filter(counted).map((word) => `${counted(word)} ${tell(word)}`).join(" · ") : say("no_sites");
}

function showAge() {
  const alarm = heardAt === null ? null : since() > OLD_S ? "gone" : trouble ? "database" : null;
  $("alarm").hidden = alarm === null;
  if (alarm) $("alarm").textContent = `${say(alarm, trouble)} ${say("past", (since() + lookedAgo).toFixed(0))}`;
  $("age").textContent = heardAt === null ? "" : say("as_of", (since() + lookedAgo).toFixed(0));
  for (const element of document.querySelectorAll("main section")) element.classList.toggle("past", isPast());
}

function facts(told) {
  const yes = (value) => (value === null ? "–" : say(value ? "yes" : "no"));
  const pairs = { heard: told.age_s === null ? say("never") : say("ago", span(told.age_s)), connected: yes(told.connected),
    backlog: span(told.backlog_s), missing: told.missing, duplicates: told.duplicates, refused: told.refused, outboxes: told.outboxes,
    clock: told.clock_s === null ? tell("unknown") : `± ${(told.clock_s * 1000).toFixed(1)} ms`, version: told.version ?? "–", software: told.software ?? "–" };
  return Object.entries(pairs).flatMap(([key, value]) => [text("dt", say(key)), text("dd", String(value))]);
}

function showDetail() {
  $("detail").hidden = detail === null;
  if (detail === null) return;
  $("name").textContent = detail.site;
  $("name").className = `health ${detail.health}`;
  $("live").hidden = detail.live === null;
  $("no-live").hidden = detail.live !== null;
  if (detail.live) $("live").href = detail.live;
  $("facts").replaceChildren(...facts(detail));
  list("devices", (detail.latest.health ?? []).map((one) =>
    text("li", one.s === "ok" ? `${one.d} · ${tell("ok")}` : `${one.d} · ${tell(one.s)} · ${tell(one.w)}`, `health ${one.s === "ok" ? "ok" : one.s === "lost" ? "lost" : "degraded"}`)));
  list("hazards", (detail.latest.event ?? []).map((one) => text("li", `${tell(one.h)} · ${one.ev ?? ""}`, "worry")));
  const queue = new Map((detail.latest.queue ?? []).map((one) => [one.ln, one.m]));
  $("flow").replaceChildren(...(detail.latest.flow ?? []).map((one) => {
    const line = document.createElement("tr");
    const passed = Object.values(one.n ?? {}).reduce((a, b) => a + b, 0);
    const speed = typeof one.v === "number" ? (one.v * 3.6).toFixed(0) : "–";
    line.append(...[one.ln, passed, speed, queue.has(one.ln) ? Number(queue.get(one.ln)).toFixed(0) : "–"].map((cell) => text("td", String(cell))));
    return line;
  }));
}

function showNews() {
  list("news", news.map(({ site, words, t_us: at }) => text("li", `${new Date(at / 1000).toLocaleTimeString(document.documentElement.lang)} · ${site} · ${words()}`)));
}

function add(item) {
  news.unshift(item);
  news.length = Math.min(news.length, MOST_NEWS);
  showNews();
}

const hazard = (told) => ({ site: told.site, t_us: told.t_us, words: () => `${tell(told.body.h)} · ${say(told.body.s === "on" ? "found" : "over")}` });

async function asked(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

async function askSites() {
  const began = performance.now();
  try {
    const told = await asked("/api/sites");
    ({ sites, looked_s_ago: lookedAgo, trouble } = told);
    heardAt = performance.now();
    showSites();
  } catch { /* the age tells it */ }
  showAge();
  clearTimeout(next);
  next = setTimeout(askSites, Math.max(ASK_MS, 10 * (performance.now() - began))); // thousands are asked for less often
}

async function askDetail() {
  if (picked === null) return;
  const wanted = picked;
  try {
    const told = await asked(`/api/sites/${encodeURIComponent(wanted)}`);
    if (wanted === picked) detail = told;
  } catch { /* the age tells it */ }
  showDetail();
}

async function askNews() {
  try {
    const from = new Date(Date.now() - 3600e3).toISOString();
    const told = await asked(`/api/events?limit=200&from=${encodeURIComponent(from)}`);
    for (const record of told.records.slice(-MOST_NEWS)) add(hazard(record));
  } catch { /* none from before */ }
  showNews();
}

const source = new EventSource("/api/stream");
source.addEventListener("hazard", (event) => { add(hazard(JSON.parse(event.data))); askDetail(); });
source.addEventListener("device", (event) => {
  const told = JSON.parse(event.data);
  add({ site: told.site, t_us: told.t_us, words: () => `${told.body.d} · ${tell(told.body.s)}` });
  askDetail();
});
source.addEventListener("site", (event) => {
  const told = JSON.parse(event.data);
  if (told.was !== null) add({ site: told.site, t_us: told.t_us, words: () => tell(told.health) });
  askSites();
});

function showWords() {
  $("language").textContent = say("other");
  $("legend").replaceChildren(...WORST_FIRST.map((word) => text("li", tell(word), `health ${word}`)));
  if (sites) showSites();
  showDetail();
  showNews();
  showAge();
  drawLive();
}

$("language").addEventListener("click", () => { otherLanguage(); showWords(); });
dragged($("map"));
for (const button of document.querySelectorAll("#zoom button"))
  button.addEventListener("click", () => zoomBy({ in: 2, out: 0.5, all: null }[button.dataset.zoom]));
$("search").addEventListener("input", () => { if (sites) showSites(); });
setInterval(askDetail, 2 * ASK_MS);
setInterval(showAge, WORDS_MS);
sayEverywhere();
showWords();
askSites();
askDetail();
askNews();
follow(picked);
