// The page: follows /api/live and shows it; what is old is greyed, never shown as fresh.
import { drawCrossing, CLASSES } from "/static/crossing.js";
import { otherLanguage, say, sayEverywhere, tell } from "/static/words.js";

const OLD_S = 1.0; // field practice: a frozen green is worse than a blank one
const SILENT_S = 2.0; // twenty missed updates
const WORDS_MS = 200;
const FRAME_MS = 40;
const MOST_ROWS = 200;
const TURNS = { left: "↰", through: "↑", right: "↱", u_turn: "⤵" };
const $ = (id) => document.getElementById(id);
let crossing = null;
let places = new Map();
let live = null;
let heardAt = null;
let trouble = "connecting";
let drawnAt = 0;

const since = () => (heardAt === null ? Infinity : (performance.now() - heardAt) / 1000);
const isPast = () => trouble !== null || since() > OLD_S;

function text(tag, content, className) {
  const element = document.createElement(tag);
  element.textContent = content;
  if (className) element.className = className;
  return element;
}

function signalAge() {
  return !live || live.signal.age_s === null ? Infinity : live.signal.age_s + since();
}

function countdown(group, old) {
  return old || group.end_in_s === null ? "–" : Math.max(0, group.end_in_s - since()).toFixed(1);
}

function showSignals() {
  const age = signalAge();
  const old = age > OLD_S || isPast();
  $("signals").classList.toggle("old", old);
  $("age").classList.toggle("old", old);
  $("age").textContent = Number.isFinite(age) ? say("age", age.toFixed(1)) : say("no_lamps");
  $("signals").replaceChildren(...(live?.signal.groups ?? []).map((group) => {
    const cell = text("div", "", `lamp ${group.colour}`);
    cell.append(text("b", String(group.group)), text("span", countdown(group, old), "left"),
      text("small", [old ? "?" : tell(group.colour), places.get(group.group) ?? ""].join(" ")));
    return cell;
  }));
}

function showState() {
  if (trouble === null && since() > SILENT_S) trouble = "agent_silent";
  const said = trouble !== null ? say(trouble) : live.spat.valid ? say("on_air") : say("unavailable", tell(live.spat.reason));
  $("air").className = `state ${trouble === null && live.spat.valid ? "valid" : trouble === "connecting" ? "" : "silent"}`;
  setText($("air"), said);
  const alarmed = trouble === "agent_silent" || trouble === "page_gone";
  $("alarm").hidden = !alarmed;
  if (alarmed) setText($("alarm"), `${say(trouble)} · ${live ? say("past", since().toFixed(0)) : say("never")}`);
  for (const id of ["hazards", "devices", "tracks", "uplink", "radio"]) $(id).classList.toggle("past", isPast());
  if (live) showLive();
}

function setText(element, content) { // an unchanged text is not read out again by a screen reader
  if (element.textContent !== content) element.textContent = content;
}

function showLive() {
  $("name").textContent = live.site;
  document.title = `${live.site} · rsu-agent`;
  $("plan").textContent = say("plan", live.signal.plan ?? "–", live.signal.stage ?? "–");
  $("hazards").replaceChildren(...(live.hazards.length
    ? live.hazards.map((h) => text("li", `${tell(h.kind)} · ${say("since", h.for_s.toFixed(0))}`, "hazard"))
    : [text("li", say("none"), "dim")]));
  $("devices").replaceChildren(...live.devices.map((d) => text("li",
    [d.device, tell(d.reason), d.detail].filter(Boolean).join(" · "), d.state)));
  $("count").textContent = live.users.length;
  $("tracks").replaceChildren(...[...live.users].sort((a, b) => a.track - b.track).slice(0, MOST_ROWS).map((user) => {
    const row = document.createElement("tr");
    row.append(text("td", user.track), text("td", tell(user.kind)), text("td", (user.speed * 3.6).toFixed(0)));
    return row;
  }));
  const uplink = live.uplink;
  rows($("uplink"), uplink
    ? { connected: say(uplink.connected ? "yes" : "no"), waiting: uplink.backlog, acknowledged: uplink.acked } : { no_uplink: "–" });
  rows($("radio"), { ...live.radio.kinds, failed: live.radio.failed });
}

function rows(list, values) {
  list.replaceChildren(...Object.entries(values).flatMap(([key, value]) => [text("dt", say(key)), text("dd", String(value ?? "–"))]));
}

function placesOf(found) {
  const seen = new Map();
  const add = (group, arm, sign) => group !== null && seen.set(group, (seen.get(group) ?? new Set()).add(`${tell(arm)} ${sign}`));
  for (const lane of found.lanes) for (const way of lane.connections)
    add(way.group, lane.arm, lane.use === "bicycle" ? `⚲${TURNS[way.turn] ?? ""}` : TURNS[way.turn] ?? "");
  for (const walk of found.crosswalks) add(walk.group, walk.arm, "⇿");
  for (const area of found.waiting_areas) add(area.group, found.lanes.find((lane) => lane.lane === area.lane)?.arm ?? "", "▭");
  // A head that repeats others leads nowhere of its own: it stands for the arm that it faces.
  const off = (arm, head) => Math.abs((arm.bearing_deg - head.facing_deg + 540) % 360 - 180);
  for (const head of found.heads) if (!seen.has(head.group))
    add(head.group, [...found.arms].sort((a, b) => off(a, head) - off(b, head))[0]?.arm ?? "", "○");
  return new Map([...seen].map(([group, names]) => [group, [...names].slice(0, 2).join(", ")]));
}

function draw(now) {
  if (crossing && now - drawnAt >= FRAME_MS) {
    drawnAt = now;
    drawCrossing($("crossing"), crossing, live, { since: since(), lampsOld: signalAge() > OLD_S || isPast(), past: isPast() });
  }
  requestAnimationFrame(draw);
}

function showWords() {
  showState();
  showSignals();
}

function showLegend() {
  $("language").textContent = say("other");
  $("legend").replaceChildren(...Object.entries(CLASSES).map(([name, colour]) => {
    const item = text("li", tell(name));
    const swatch = document.createElement("i");
    swatch.style.background = colour;
    item.prepend(swatch);
    return item;
  }));
  if (crossing) places = placesOf(crossing);
}

async function loadCrossing() { // again after each silence: the agent may have come back with another site
  for (;;) {
    try {
      const answer = await fetch("/api/crossing");
      if (answer.ok) { crossing = await answer.json(); places = placesOf(crossing); return; }
    } catch { /* the agent is not up yet: try again below */ }
    await new Promise((done) => setTimeout(done, 500));
  }
}

async function showMessages() {
  try {
    const answer = await fetch("/api/messages");
    if (answer.ok) $("messages").querySelector("pre").textContent = JSON.stringify(await answer.json(), null, 1);
  } catch { /* the header tells that nobody answers */ }
}

const source = new EventSource("/api/live");
source.onmessage = (event) => {
  live = JSON.parse(event.data);
  heardAt = performance.now();
  if (trouble !== null) loadCrossing();
  trouble = null;
};
source.addEventListener("silent", () => { trouble = "agent_silent"; });
source.onerror = () => { trouble = "page_gone"; };
$("messages").addEventListener("toggle", (event) => { if (event.target.open) showMessages(); });
$("language").addEventListener("click", () => { otherLanguage(); showLegend(); showWords(); });
setInterval(() => { if ($("messages").open) showMessages(); }, 1000);
setInterval(showWords, WORDS_MS);
sayEverywhere();
showLegend();
showWords();
requestAnimationFrame(draw);
