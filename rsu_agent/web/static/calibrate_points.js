// The page of the surveyed points: a still, a click for each numbered point, how they fit together, saving.
import { Pins } from "/static/calibrate_pins.js";
import { CALIBRATE } from "/static/calibrate_words.js";
import { POINTS } from "/static/calibrate_points_words.js";
import { learn, otherLanguage, say, sayEverywhere } from "/static/words.js";

const FIT_MS = 200, MOST_UNDO = 200, FEWEST = 6;
const $ = (id) => document.getElementById(id);
learn(CALIBRATE);
learn(POINTS);

let state = null, saved = "{}", current = 0, fitting = null, found = null;
const past = [], clicks = new Map(); // name -> [u, v]
const stage = new Pins($("still"), changed);
stage.hover = ([x, y]) => { $("at").textContent = stage.image ? `${x.toFixed(1)}, ${y.toFixed(1)}` : ""; };

const told = () => Object.fromEntries(state.points.map(({ name }) => [name, clicks.get(name) ?? null]));
const now = () => JSON.stringify(told());

async function ask(path, options = {}) {
  const answer = await fetch(path, { cache: "no-store", ...options });
  return { ok: answer.ok, ...(await answer.json()) };
}

const sent = (method, value) => ({ method, headers: { "content-type": "application/json" }, body: JSON.stringify(value) });

function alarm(text) { $("alarm").hidden = !text; $("alarm").textContent = text ?? ""; }

function remember() {
  past.push(JSON.stringify([[...clicks], current]));
  if (past.length > MOST_UNDO) past.shift();
}

function changed(kind, at) {
  if (kind === "begin") return remember();
  if (kind === "new") return place(at);
  if (kind === "choose" && stage.chosen >= 0) current = stage.heads[stage.chosen].index;
  if (kind === "during" || kind === "end") {
    const { name, box } = stage.heads[stage.chosen];
    clicks.set(name, [box[0], box[1]]);
  }
  if (kind === "during") return facts();
  list();
  if (kind === "end") fitSoon();
}

function place(at) {
  remember();
  const { name } = state.points[current], fresh = !clicks.has(name);
  clicks.set(name, at);
  if (fresh) next();
  pins();
  list();
  fitSoon();
}

function next() {
  const order = state.points.map((_, step) => (current + 1 + step) % state.points.length);
  current = order.find((index) => !clicks.has(state.points[index].name)) ?? current;
}

function choose(index) {
  current = (index + state.points.length) % state.points.length;
  pins();
  list();
}

function remove(index) {
  if (!clicks.has(state.points[index].name)) return;
  remember();
  clicks.delete(state.points[index].name);
  current = index;
  pins();
  list();
  fitSoon();
}

function undo() {
  const before = past.pop();
  if (!before) return;
  const [kept, chosen] = JSON.parse(before);
  clicks.clear();
  for (const [name, at] of kept) clicks.set(name, at);
  current = chosen;
  pins();
  list();
  fitSoon();
}

const how = (name) => !clicks.has(name) ? "" : !found?.points?.[name] ? "set" : found.points[name].used ? "fits" : "bad";

function pins() {
  stage.heads = state.points.flatMap(({ name }, index) => {
    const at = clicks.get(name);
    return at ? [{ name, index, number: index + 1, box: [...at, 0, 0], how: how(name), expected: found?.points?.[name]?.expected_px }] : [];
  });
  stage.chosen = stage.heads.findIndex(({ index }) => index === current);
  stage.draw();
}

function row(point, index) {
  const item = document.createElement("li"), number = document.createElement("b"), name = document.createElement("span");
  const where = document.createElement("small"), button = document.createElement("button");
  number.textContent = index + 1;
  name.textContent = point.name;
  Object.assign(button, { type: "button", textContent: "✕", className: "remove" });
  button.setAttribute("aria-label", `${say("remove")} ${point.name}`);
  button.addEventListener("click", (event) => { event.stopPropagation(); remove(index); });
  item.tabIndex = 0;
  item.addEventListener("click", () => choose(index));
  item.addEventListener("keydown", ({ key }) => { if (key === "Enter") { choose(index); $("still").focus(); } });
  item.append(number, name, where, ...(clicks.has(point.name) ? [button] : []));
  return item;
}

function list() {
  $("points").replaceChildren(...state.points.map(row));
  facts();
  const item = $("points").children[current], view = $("points");
  view.scrollTop = Math.max(Math.min(view.scrollTop, item.offsetTop), item.offsetTop + item.offsetHeight - view.clientHeight);
}

function facts() {
  [...$("points").children].forEach((item, index) => {
    const { name, east_m: east, north_m: north } = state.points[index], at = clicks.get(name), fit = found?.points?.[name];
    const where = item.querySelector("small"), tone = how(name);
    item.className = `${tone} ${index === current ? "chosen" : ""}`.trim();
    const parts = [say("place_of", east.toFixed(1), north.toFixed(1)), at ? say("click_of", at[0].toFixed(1), at[1].toFixed(1)) : say("not_clicked")];
    if (at && fit) parts.push(say("fit_of", fit.residual_px.toFixed(1), fit.left_out_m.toFixed(2)));
    where.textContent = parts.join(" · ");
    if (tone !== "bad") return;
    const word = document.createElement("span");
    Object.assign(word, { className: "wrong", textContent: ` ${say("does_not_fit")}` });
    where.append(word);
  });
  $("count").textContent = `${clicks.size} / ${state.points.length}`;
  $("undo").disabled = !past.length;
  $("save").disabled = now() === saved;
  stage.draw();
}

function verdict() {
  const view = $("verdict");
  view.className = "";
  if (clicks.size < FEWEST) { view.textContent = say("too_few", clicks.size, FEWEST); return; }
  if (!found) { view.textContent = "…"; return; }
  const lines = [];
  if (found.refused) lines.push(say(`refused_${found.refused.reason}`, ...found.refused.values), say(`do_${found.refused.reason}`));
  else lines.push(say("fits_well", found.left_out_m.toFixed(2), found.rms_px.toFixed(1)));
  for (const [a, b] of found.exchanged ?? []) lines.push(say("exchange", a, b));
  view.textContent = lines.join("\n");
  view.className = found.refused ? "bad" : "good";
}

function fitSoon() {
  if (now() !== saved && $("told").className !== "bad") tellSaving("unsaved", "");
  found = null;
  verdict();
  clearTimeout(fitting);
  fitting = setTimeout(fit, FIT_MS);
}

async function fit() {
  if (clicks.size < FEWEST) { pins(); facts(); return; }
  const asked = now();
  try {
    const answer = await ask("/api/fit", sent("POST", { clicks: told() }));
    if (asked !== now()) return;
    if (!answer.ok) return alarm(answer.reason);
    alarm(null);
    found = answer;
  } catch { return alarm(say("server_gone")); }
  verdict();
  pins();
  facts();
}

function tellSaving(key, tone, ...values) {
  $("told").className = tone;
  $("told").textContent = key ? say(key, ...values) : "";
}

async function save() {
  const kept = now();
  try {
    const answer = await ask("/api/points", sent("PUT", { clicks: JSON.parse(kept) }));
    if (answer.ok) { saved = kept; tellSaving("saved_points", "good", answer.saved, state.file); }
    else { tellSaving("not_saved", "bad"); $("told").textContent += `\n${answer.reason}`; }
  } catch { alarm(say("server_gone")); }
  facts();
}

function nudge(step, event) {
  const { name } = state.points[current], at = clicks.get(name), size = event.shiftKey ? 0.1 : 1;
  if (!at) return;
  remember();
  clicks.set(name, stage.inside([at[0] + step[0] * size, at[1] + step[1] * size]));
  pins();
  facts();
  fitSoon();
}

function keys(event) {
  if (!state) return;
  if (event.key === "z" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); return undo(); }
  if (document.activeElement !== $("still")) return;
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  const act = { Delete: () => remove(current), Backspace: () => remove(current), n: () => choose(current + 1), p: () => choose(current - 1),
    "+": () => stage.closer(1.6), "=": () => stage.closer(1.6), "-": () => stage.closer(1 / 1.6), Enter: () => stage.image && place(stage.middle()) }[event.key];
  if (!step && !act) return;
  event.preventDefault();
  if (step) nudge(step, event); else act();
}

async function begin() {
  sayEverywhere();
  const answer = await ask("/api/state").catch(() => null);
  if (!answer) { alarm(say("server_gone")); return setTimeout(begin, 2000); }
  if (!answer.ok) return alarm(answer.reason);
  state = answer;
  $("name").textContent = document.title = answer.camera;
  for (const { name, click } of answer.points) if (click) clicks.set(name, click);
  saved = now();
  current = Math.max(0, answer.points.findIndex(({ click }) => !click));
  const image = new Image();
  image.src = "/api/still";
  try { await image.decode(); stage.show(image); } catch { alarm(say("server_gone")); }
  pins();
  list();
  verdict();
  await fit();
}

$("language").addEventListener("click", () => {
  otherLanguage();
  $("language").textContent = say("other");
  tellSaving("", "");
  if (state) { list(); verdict(); }
});
$("closer").addEventListener("click", () => stage.closer(1.6));
$("farther").addEventListener("click", () => stage.closer(1 / 1.6));
$("whole").addEventListener("click", () => stage.whole());
$("undo").addEventListener("click", undo);
$("next").addEventListener("click", () => state && choose(current + 1));
$("save").addEventListener("click", save);
$("move").addEventListener("click", () => {
  stage.moving = !stage.moving;
  $("move").setAttribute("aria-pressed", stage.moving);
  $("still").classList.toggle("moving", stage.moving);
});
document.addEventListener("keydown", keys);
addEventListener("beforeunload", (event) => { if (state && now() !== saved) event.preventDefault(); });
sayEverywhere();
$("language").textContent = say("other");
begin();
