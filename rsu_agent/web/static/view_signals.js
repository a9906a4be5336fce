// Signals: the stage ring, and for each group what shone and what is expected, on one line of time.
import { ask, aged, colourOf, isPast, make, OLD_S, pane, sharpCanvas, signalAge, since, sinceAnswer, state } from "/static/state.js";
import { LAMPS } from "/static/crossing.js";
import { say, tell } from "/static/words.js";

const PAST_S = 120;
const AHEAD_S = 60;
const ROW = 22;
const LEFT = 86;
const UNHEARD = "#8b98a5";
let parts = null;
let history = null;

export function build(view) {
  const ring = pane("ring");
  const ringCanvas = make("canvas", "", "ring");
  ringCanvas.setAttribute("role", "img");
  const time = pane("time_diagram");
  const canvas = make("canvas", "", "diagram");
  canvas.setAttribute("role", "img");
  const table = make("table", "", "times");
  ring.section.append(ringCanvas);
  time.section.append(canvas, make("p", say("diagram_words"), "dim"));
  const list = pane("ends");
  list.section.append(table);
  view.replaceChildren(ring.section, time.section, list.section);
  parts = { ring, ringCanvas, time, canvas, list, table };
}

export async function refresh() {
  const answer = await ask("history");
  if (answer.ok) history = answer;
}

export function show() {
  const age = signalAge();
  const old = aged(parts.time.age, parts.time.section, age, OLD_S);
  aged(parts.ring.age, parts.ring.section, age, OLD_S);
  aged(parts.list.age, parts.list.section, age, OLD_S);
  const groups = state.live?.signal.groups ?? [];
  drawDiagram(groups, old);
  drawRing(groups, old);
  parts.table.replaceChildren(...groups.map((group) => row(group, old)));
  parts.canvas.setAttribute("aria-label", groups.map((g) => `${g.group} ${old ? "?" : tell(g.colour)}`).join(", "));
  parts.ringCanvas.setAttribute("aria-label", say("plan", state.live?.signal.plan ?? "–", state.live?.signal.stage ?? "–"));
}

function row(group, old) {
  const line = make("tr", "", `lamp-row ${group.colour}`);
  const left = old || group.end_in_s === null ? "–" : `${Math.max(0, group.end_in_s - since()).toFixed(1)} s`;
  const sure = old || group.confidence === null ? "" : `${Math.round(group.confidence * 100)} %`;
  line.append(make("th", String(group.group)), make("td", state.places.get(group.group) ?? ""), make("td", old ? "?" : tell(group.colour)),
    make("td", left), make("td", sure, "dim"));
  return line;
}

function drawDiagram(groups, old) {
  const height = Math.max(1, groups.length) * ROW + 24;
  const pen = sharpCanvas(parts.canvas, height);
  const width = parts.canvas.clientWidth - LEFT;
  const x = (ago) => LEFT + width * Math.min(1, Math.max(0, (PAST_S - ago) / (PAST_S + AHEAD_S)));
  const later = sinceAnswer(history);
  groups.forEach((group, i) => {
    const y = i * ROW + 2;
    pen.fillStyle = colourOf("text");
    pen.fillText(`${group.group} ${state.places.get(group.group) ?? ""}`.slice(0, 12), 0, y + 13);
    const told = history?.told.lamps[group.group] ?? [];
    told.forEach(([ago, colour], k) => {
      const until = k + 1 < told.length ? told[k + 1][0] + later : 0;
      bar(pen, x(ago + later), x(until), y, colour, 1);
    });
    if (old) return;
    if (group.end_in_s !== null) bar(pen, x(0), x(-Math.max(0, group.end_in_s - since())), y, group.colour, .45);
  });
  scale(pen, x, height);
}

function bar(pen, from, to, y, colour, strength) {
  pen.globalAlpha = colour === "unheard" ? .25 : strength;
  pen.fillStyle = LAMPS[colour] ?? UNHEARD;
  pen.fillRect(from, y, Math.max(0, to - from), ROW - 6);
  pen.globalAlpha = 1;
}

function scale(pen, x, height) {
  pen.strokeStyle = pen.fillStyle = colourOf("dim");
  const step = parts.canvas.clientWidth < 500 ? 60 : 30;
  for (let ago = PAST_S; ago >= -AHEAD_S; ago -= step) {
    pen.textAlign = ago === PAST_S ? "left" : ago === -AHEAD_S ? "right" : "center";
    pen.fillText(ago === 0 ? say("now") : `${ago > 0 ? "−" : "+"}${Math.abs(ago)} s`, x(ago), height - 6);
    pen.globalAlpha = ago === 0 ? 1 : .25;
    pen.beginPath(); pen.moveTo(x(ago), 0); pen.lineTo(x(ago), height - 20); pen.stroke();
    pen.globalAlpha = 1;
  }
  pen.textAlign = "left";
}

function drawRing(groups, old) { // one arc a group: what shines, and of it the part of a minute that is left
  const size = Math.min(parts.ringCanvas.clientWidth, 260);
  const pen = sharpCanvas(parts.ringCanvas, size);
  const [middle, across] = [parts.ringCanvas.clientWidth / 2, size / 2 - 4];
  const step = 2 * Math.PI / Math.max(1, groups.length);
  groups.forEach((group, i) => {
    const from = i * step - Math.PI / 2;
    pen.lineWidth = across * .2;
    arc(pen, middle, size / 2, across * .88, from, from + step * .92, old ? UNHEARD : LAMPS[group.colour] ?? UNHEARD, old ? .3 : 1);
    const left = old || group.end_in_s === null ? 0 : Math.max(0, Math.min(1, (group.end_in_s - since()) / AHEAD_S));
    pen.lineWidth = across * .06;
    arc(pen, middle, size / 2, across * .7, from, from + step * .92 * left, colourOf("text"), .8);
    pen.fillStyle = colourOf("text");
    pen.textAlign = "center";
    const at = from + step * .46;
    if (groups.length <= 40) pen.fillText(group.group, middle + Math.cos(at) * across * .56, size / 2 + Math.sin(at) * across * .56 + 4);
  });
  pen.textAlign = "center";
  pen.fillStyle = colourOf("text");
  const { live } = state;
  pen.font = "600 15px system-ui, sans-serif";
  pen.fillText(live && !isPast() ? say("plan_short", live.signal.plan ?? "–") : "–", middle, size / 2 - 2);
  pen.font = "12px system-ui, sans-serif";
  pen.fillText(live && !isPast() ? say("stage_short", live.signal.stage ?? "–") : "", middle, size / 2 + 16);
  pen.textAlign = "left";
}

function arc(pen, x, y, radius, from, to, colour, strength) {
  pen.globalAlpha = strength;
  pen.strokeStyle = colour;
  pen.beginPath();
  pen.arc(x, y, radius, from, to);
  pen.stroke();
  pen.globalAlpha = 1;
}
