// The page: follows /api/live and shows it; what is old is greyed, never shown as fresh.
import { drawCrossing, CLASSES } from "/static/crossing.js";

const OLD_S = 1.0;
const $ = (id) => document.getElementById(id);
let crossing = null;
let live = null;
let heardAt = 0;

function text(tag, content, className) {
  const element = document.createElement(tag);
  element.textContent = content;
  if (className) element.className = className;
  return element;
}

function fill(parent, children) {
  parent.replaceChildren(...children);
}

function signalAge() {
  if (!live || live.signal.age_s === null) return Infinity;
  return live.signal.age_s + (performance.now() - heardAt) / 1000;
}

function countdown(group) {
  if (group.end_in_s === null) return "–";
  return Math.max(0, group.end_in_s - (performance.now() - heardAt) / 1000).toFixed(1);
}

function showSignals() {
  const age = signalAge();
  const old = age > OLD_S;
  $("signals").classList.toggle("old", old);
  $("crossing").classList.toggle("old", old);
  $("age").classList.toggle("old", old);
  $("age").textContent = Number.isFinite(age) ? `lamps ${age.toFixed(1)} s old` : "no lamps heard";
  if (!live) return;
  fill($("signals"), live.signal.groups.map((group) => {
    const cell = text("div", String(group.group), `lamp ${group.colour}`);
    cell.append(text("small", countdown(group)));
    cell.title = `${group.colour.replace("_", " ")}`;
    return cell;
  }));
}

function showState() {
  const spat = live.spat;
  $("air").className = `state ${spat.valid ? "valid" : "silent"}`;
  $("air").textContent = spat.valid ? "on air" : `unavailable: ${spat.reason}`;
  $("name").textContent = `${live.site} · plan ${live.signal.plan ?? "–"} stage ${live.signal.stage ?? "–"}`;
  fill($("hazards"), live.hazards.length
    ? live.hazards.map((h) => text("li", `${h.kind.replaceAll("_", " ")} for ${h.for_s.toFixed(0)} s`, "hazard"))
    : [text("li", "none")]);
  fill($("devices"), live.devices.map((d) => text("li", `${d.device}: ${d.reason}`, d.state)));
  const uplink = live.uplink ?? {};
  rows($("uplink"), {connected: uplink.connected ?? "–", waiting: uplink.backlog ?? "–", acknowledged: uplink.acked ?? "–"});
  rows($("radio"), {...live.radio.kinds, failed: live.radio.failed});
}

function rows(list, values) {
  fill(list, Object.entries(values).flatMap(([key, value]) => [text("dt", key), text("dd", String(value))]));
}

function draw() {
  showSignals();
  if (crossing) drawCrossing($("crossing"), crossing, live, (performance.now() - heardAt) / 1000);
  requestAnimationFrame(draw);
}

async function loadCrossing() {
  while (!crossing) {
    try {
      const answer = await fetch("/api/crossing");
      if (answer.ok) crossing = await answer.json();
    } catch { /* the agent is not up yet: try again below */ }
    if (!crossing) await new Promise((done) => setTimeout(done, 500));
  }
}

async function showMessages() {
  const answer = await fetch("/api/messages");
  if (answer.ok) $("messages").querySelector("pre").textContent = JSON.stringify(await answer.json(), null, 1);
}

const source = new EventSource("/api/live");
source.onmessage = (event) => {
  live = JSON.parse(event.data);
  heardAt = performance.now();
  showState();
};
source.addEventListener("silent", () => {
  $("air").className = "state silent";
  $("air").textContent = "the agent does not answer";
});
$("messages").addEventListener("toggle", (event) => { if (event.target.open) showMessages(); });
setInterval(() => { if ($("messages").open) showMessages(); }, 1000);
fill($("legend"), Object.entries(CLASSES).map(([name, colour]) => {
  const item = text("li", name);
  const swatch = document.createElement("i");
  swatch.style.background = colour;
  item.prepend(swatch);
  return item;
}));
loadCrossing();
requestAnimationFrame(draw);
