// The page: follows /api/live, shows the view that the address names; what is old is greyed, never shown as fresh.
import { ask, isPast, OLD_S, notice, setText, signalAge, since, state } from "/static/state.js";
import { placesOf } from "/static/places.js";
import { otherLanguage, say, sayEverywhere, tell } from "/static/words.js";
import { buildLogin, showSession } from "/static/login.js";
import * as now from "/static/view_now.js";

const WORDS_MS = 200;
const FRAME_MS = 40;
const REFRESH_MS = { signals: 2000, senses: 250, messages: 1000, uplink: 5000, health: 5000, config: 1000, log: 1000 };
const VIEWS = ["now", ...Object.keys(REFRESH_MS)];
const THEMES = ["auto", "light", "dark"];
const $ = (id) => document.getElementById(id);
const modules = { now };
let name = "now";
let view = now;
let drawnAt = 0;
let refreshedAt = 0;
let refreshing = false;

function showHeader() {
  const trouble = notice();
  const { live } = state;
  const age = signalAge();
  const said = trouble !== null ? say(trouble) : live.spat.valid ? say("on_air") : say("unavailable", tell(live.spat.reason));
  $("air").className = `state ${trouble === null && live.spat.valid ? "valid" : trouble === "connecting" ? "" : "silent"}`;
  setText($("air"), said);
  $("age").classList.toggle("old", age > OLD_S || isPast());
  setText($("age"), Number.isFinite(age) ? say("age", age.toFixed(1)) : say("no_lamps"));
  const alarmed = trouble === "agent_silent" || trouble === "page_gone";
  $("alarm").hidden = !alarmed;
  if (alarmed) setText($("alarm"), `${say(trouble)} · ${live ? say("past", since().toFixed(0)) : say("never")}`);
  if (!live) return;
  setText($("name"), live.site);
  document.title = `${live.site} · rsu-agent`;
  setText($("plan"), say("plan", live.signal.plan ?? "–", live.signal.stage ?? "–"));
}

function showAll() {
  showHeader();
  view.show();
}

async function route() {
  const asked = location.hash.slice(1);
  name = VIEWS.includes(asked) ? asked : "now";
  const wanted = name;
  modules[wanted] ??= await import(`/static/view_${wanted}.js`);
  if (wanted !== name) return; // somebody was quicker
  view = modules[name];
  for (const each of document.querySelectorAll("[data-view]")) each.hidden = each.dataset.view !== name;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  }
  view.build(document.querySelector(`[data-view="${name}"]`));
  document.body.dataset.shown = name;
  window.scrollTo(0, 0); // the browser looks for an element of that name
  refreshedAt = 0;
  await refresh();
  showAll();
}

async function refresh() {
  if (!view.refresh || refreshing || document.hidden || performance.now() - refreshedAt < (REFRESH_MS[name] ?? Infinity) * (refreshedAt > 0)) return;
  refreshing = true;
  refreshedAt = performance.now();
  try { await view.refresh(); } finally { refreshing = false; }
}

function drawFrame(at) {
  if (at - drawnAt >= FRAME_MS) {
    drawnAt = at;
    view.draw?.();
  }
  requestAnimationFrame(drawFrame);
}

function speak() { // every word again
  sayEverywhere();
  setText($("language"), say("other"));
  setText($("theme"), say(`theme_${theme()}`));
  if (state.crossing) state.places = placesOf(state.crossing);
  view.build(document.querySelector(`[data-view="${name}"]`));
  showSession();
  refreshedAt = 0;
  refresh();
  showAll();
}

function theme() {
  try { const kept = localStorage.getItem("theme"); return THEMES.includes(kept) ? kept : "auto"; } catch { return "auto"; }
}

function wear(wanted) {
  try { localStorage.setItem("theme", wanted); } catch { /* only not remembered */ }
  if (wanted === "auto") delete document.documentElement.dataset.theme; else document.documentElement.dataset.theme = wanted;
  setText($("theme"), say(`theme_${wanted}`));
}

async function loadCrossing() { // again after each silence: the agent may have come back with another site
  for (;;) {
    const answer = await ask("crossing");
    if (answer.ok) { state.crossing = answer.told; state.places = placesOf(answer.told); return; }
    if (answer.status === 401) return;
    await new Promise((done) => setTimeout(done, 500));
  }
}

function follow() {
  const source = new EventSource("/api/live");
  source.onmessage = (event) => {
    state.live = JSON.parse(event.data);
    state.heardAt = performance.now();
    if (state.trouble !== null) loadCrossing();
    state.trouble = null;
  };
  source.addEventListener("silent", () => { state.trouble = "agent_silent"; });
  source.onerror = () => {
    state.trouble = "page_gone";
    if (source.readyState === EventSource.CLOSED) setTimeout(begin, 1000); // refused: perhaps nobody is in any more
  };
}

async function begin() {
  if (await showSession()) follow();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || /INPUT|SELECT|TEXTAREA/.test(event.target.tagName)) return;
  const wanted = VIEWS[Number(event.key) - 1];
  if (wanted) location.hash = wanted;
});
window.addEventListener("hashchange", route);
$("language").addEventListener("click", () => { otherLanguage(); speak(); });
$("theme").addEventListener("click", () => { wear(THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length]); });
buildLogin(begin);
wear(theme());
speak();
route();
begin();
setInterval(refresh, 100);
setInterval(showAll, WORDS_MS);
requestAnimationFrame(drawFrame);
