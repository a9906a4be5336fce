// What the picked crossing says of this moment: lights with the time they are sure to last, road users, hazards.
// Each message says for how long it holds; afterwards nothing of it is shown.
import { say, tell } from "/static/district_words.js";

const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg", SIZE = 300, LEAST_M = 40, DRAW_MS = 200, M_PER_DEG = 111195;
const STREAMS = ["spat", "objs", "event"];
let source = null, site = null, heard = {};

export function follow(name) {
  if (name === site) return;
  source?.close();
  [site, heard, source] = [name, {}, null];
  if (name === null) return;
  source = new EventSource(`/api/sites/${encodeURIComponent(name)}/live`);
  for (const stream of STREAMS)
    source.addEventListener(stream, (event) => {
      const body = JSON.parse(event.data);
      heard[stream] = { body, until: performance.now() + body.left_ms, at: performance.now() };
    });
}

function present(stream) {
  const one = heard[stream];
  return one && performance.now() < one.until ? one : null;
}

// The light and the seconds that it surely lasts yet: its earliest end, where one was said.
function light(phase, told) {
  const item = document.createElement("li");
  item.className = `light ${phase.c}`;
  const now_us = told.body.t + (performance.now() - told.at) * 1000;
  const left = (us) => (typeof us === "number" ? Math.max(0, (us - now_us) / 1e6).toFixed(0) : null);
  const [least, most] = [left(phase.lo), left(phase.hi)];
  const range = least === null && most === null ? "–" : least === most ? `${least} s` : `${least ?? "?"}–${most ?? "?"} s`;
  item.textContent = `${phase.p} · ${tell(phase.c)} · ${range}`;
  return item;
}

function shape(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function drawPlan(objs, events) {
  const things = [...(objs?.body.ob ?? []), ...(events?.body.ev ?? [])].filter((one) => Number.isFinite(one.lat) && Number.isFinite(one.lon));
  $("live-plan").toggleAttribute("hidden", !things.length);
  if (!things.length) return;
  const middle = (key) => (Math.min(...things.map((one) => one[key])) + Math.max(...things.map((one) => one[key]))) / 2;
  const [lat, lon] = [middle("lat"), middle("lon")], squeeze = Math.cos(lat * Math.PI / 180);
  const east = (one) => (one.lon - lon) * squeeze * M_PER_DEG, north = (one) => (one.lat - lat) * M_PER_DEG;
  const reach = Math.max(LEAST_M, ...things.map((one) => Math.max(Math.abs(east(one)), Math.abs(north(one)))));
  const scale = (SIZE / 2 - 12) / reach;
  $("live-plan").replaceChildren(...things.map((one) => {
    const [x, y] = [SIZE / 2 + east(one) * scale, SIZE / 2 - north(one) * scale];
    if (one.y !== undefined) return shape("circle", { cx: x, cy: y, r: Math.max(6, (one.r ?? 3) * scale), class: "hazard" });
    const [long, wide] = [Math.max(4, (one.ln ?? 1) * scale), Math.max(3, (one.wd ?? 1) * scale)];
    return shape("rect", { x: x - wide / 2, y: y - long / 2, width: wide, height: long, class: one.c, transform: `rotate(${one.hd ?? 0} ${x} ${y})` });
  }));
}

export function drawLive() {
  const [spat, objs, events] = STREAMS.map(present);
  $("live-lights").replaceChildren(...(spat?.body.ph ?? []).map((phase) => light(phase, spat)));
  drawPlan(objs, events);
  $("live-now").textContent = spat || objs || events ? say("live_count", objs?.body.ob?.length ?? "–", events?.body.ev?.length ?? "–") : say("live_none");
}

setInterval(() => { if (site !== null) drawLive(); }, DRAW_MS);
