// The page of the signal heads: a still, a box around each head, what is read in each, saving.
import { Stage } from "/static/calibrate_boxes.js";
import { CALIBRATE } from "/static/calibrate_words.js";
import { learn, otherLanguage, say, sayEverywhere, tell } from "/static/words.js";

const LAYOUTS = ["vertical", "horizontal", "pair", "single"], READ_MS = 150, LIVE_MS = 1000, MOST_UNDO = 200;
const $ = (id) => document.getElementById(id);
learn(CALIBRATE);

let state = null, saved = "[]", shown = 0, reading = null;
const past = [];
const stage = new Stage($("still"), changed);
stage.hover = ([x, y]) => { $("at").textContent = stage.image ? `${Math.floor(x)}, ${Math.floor(y)}` : ""; };

const plain = () => stage.heads.map(({ group, box, layout }) => ({ group, box, layout }));
const now = () => JSON.stringify(plain());

async function ask(path, options = {}) {
  const answer = await fetch(path, { cache: "no-store", ...options });
  const body = await answer.json();
  return { ok: answer.ok, ...body };
}

const sent = (method, value) => ({ method, headers: { "content-type": "application/json" }, body: JSON.stringify(value) });

function alarm(text) { $("alarm").hidden = !text; $("alarm").textContent = text ?? ""; }

function remember() {
  past.push(now());
  if (past.length > MOST_UNDO) past.shift();
}

function changed(kind, box) {
  if (kind === "begin") remember();
  if (kind === "new") {
    remember();
    const [, , wide, high] = box, slender = high / wide;
    const layout = slender < 0.6 ? "horizontal" : slender > 2.1 ? "vertical" : slender > 1.5 ? "pair" : "single";
    stage.heads.push({ group: nextGroup(), box, layout, seen: null });
    stage.chosen = stage.heads.length - 1;
  }
  if (kind !== "during") list(); else facts();
  if (kind !== "choose") readSoon();
}

function nextGroup() {
  const used = new Set(stage.heads.map((head) => head.group)), groups = state.groups.map((each) => each.group);
  return groups.find((group) => !used.has(group)) ?? groups[0];
}

function undo() {
  const before = past.pop();
  if (!before) return;
  stage.heads = JSON.parse(before);
  stage.chosen = Math.min(stage.chosen, stage.heads.length - 1);
  list();
  readSoon();
}

function remove(index) {
  remember();
  stage.heads.splice(index, 1);
  stage.chosen = -1;
  list();
  readSoon();
}

function choice(label, options, value, chosen) {
  const select = document.createElement("select");
  select.setAttribute("aria-label", label);
  for (const [key, text] of options) select.add(new Option(text, key, false, String(key) === String(value)));
  select.addEventListener("change", () => { remember(); chosen(select.value); list(); readSoon(); });
  return select;
}

function row(head, index) {
  const item = document.createElement("li"), button = document.createElement("button"), seen = document.createElement("div");
  const groups = state.groups.map(({ group, phase }) => [group, say("group_of", group, phase)]);
  if (!state.groups.some(({ group }) => group === head.group)) groups.unshift([head.group, say("group_alone", head.group)]);
  const layouts = LAYOUTS.map((layout) => [layout, say(layout)]);
  Object.assign(button, { type: "button", textContent: "✕", className: "remove" });
  button.setAttribute("aria-label", `${say("remove")} ${head.group}`);
  button.addEventListener("click", () => remove(index));
  seen.className = "seen";
  item.append(
    choice(say("group"), groups, head.group, (value) => { head.group = Number(value); }),
    choice(say("layout"), layouts, head.layout, (value) => { head.layout = value; }), button, seen);
  item.addEventListener("pointerdown", () => { stage.chosen = index; mark(); stage.draw(); });
  return item;
}

function mark() {
  [...$("heads").children].forEach((item, index) => item.classList.toggle("chosen", index === stage.chosen));
}

function list() {
  $("heads").replaceChildren(...stage.heads.map(row));
  $("empty").hidden = stage.heads.length > 0;
  $("count").textContent = stage.heads.length || "";
  mark();
  facts();
  const item = $("heads").children[stage.chosen], view = $("heads");
  if (!item) return; // only the list scrolls: a phone's page stays where the picture is
  view.scrollTop = Math.max(Math.min(view.scrollTop, item.offsetTop), item.offsetTop + item.offsetHeight - view.clientHeight);
}

function facts() {
  [...$("heads").children].forEach((item, index) => {
    const { box: [left, top, wide, high], seen } = stage.heads[index], colour = seen?.colour ?? "unknown";
    const word = document.createElement("b"), where = item.querySelector(".seen");
    word.textContent = seen?.fault ? seen.fault : colour === "unknown" ? say("unread") : tell(colour);
    word.className = seen?.fault ? "fault" : "";
    where.replaceChildren(...(seen?.fault ? [] : [`${say("reads")} `]), word, ` · ${say("box_of", wide, high, left, top)}`);
    for (const name of ["red", "yellow", "green", "red_yellow", "dark"]) item.classList.toggle(name, name === colour);
  });
  $("undo").disabled = !past.length;
  $("save").disabled = !state || now() === saved;
  stage.draw();
}

function readSoon() {
  if (now() !== saved && $("told").className !== "bad") tellSaving("unsaved", "");
  clearTimeout(reading);
  reading = setTimeout(read, READ_MS);
}

async function read() {
  const asked = plain();
  try {
    const answer = await ask("/api/read", sent("POST", { heads: asked }));
    told(answer);
    if (!answer.seen || JSON.stringify(asked) !== now()) return;
    answer.seen.forEach((seen, index) => { stage.heads[index].seen = seen; });
    facts();
    if (answer.live && answer.number !== shown && !stage.act) await renew(answer.number);
  } catch { alarm(say("server_gone")); }
}

function told({ picture, trouble, live }) {
  const wrong = picture && state && String(picture) !== String(state.lens);
  $("renew").hidden = !live;
  if (wrong) alarm(say("wrong_size", picture.join("×"), state.lens.join("×")));
  else if (trouble && trouble.startsWith("making: ")) alarm(say("making", trouble.slice(8)));
  else if (trouble) alarm(say("camera_lost", [tell(trouble.split(": ")[0]), ...trouble.split(": ").slice(1)].join(": ")));
  else alarm(picture ? null : say("no_picture"));
}

async function renew(number) {
  const image = new Image();
  image.src = `/api/still?${number}`;
  await image.decode();
  shown = number;
  stage.show(image);
}

function tellSaving(key, tone, ...values) {
  $("told").className = tone;
  $("told").textContent = key ? say(key, ...values) : "";
}

async function save() {
  const heads = plain();
  try {
    const answer = await ask("/api/heads", sent("PUT", { heads }));
    if (answer.ok) {
      saved = JSON.stringify(heads);
      tellSaving("saved", "good", answer.saved);
    } else {
      tellSaving("not_saved", "bad");
      $("told").textContent += answer.faults.map(({ path, reason }) => `\n${path}: ${reason}`).join("");
    }
  } catch { alarm(say("server_gone")); }
  facts();
}

function keys(event) {
  if (event.key === "z" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); return undo(); }
  const head = stage.heads[stage.chosen], step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (document.activeElement !== $("still") || !head) return;
  if (event.key === "Delete" || event.key === "Backspace") { event.preventDefault(); return remove(stage.chosen); }
  if (!step) return;
  event.preventDefault();
  remember();
  const at = event.shiftKey ? 2 : 0, [wide, high] = state.lens;
  head.box[at] += step[0];
  head.box[at + 1] += step[1];
  head.box[2] = Math.max(3, head.box[2]);
  head.box[3] = Math.max(3, head.box[3]);
  head.box[0] = Math.max(0, Math.min(wide - head.box[2], head.box[0]));
  head.box[1] = Math.max(0, Math.min(high - head.box[3], head.box[1]));
  changed("end");
}

async function begin() {
  sayEverywhere();
  const answer = await ask("/api/state").catch(() => null);
  if (!answer) { alarm(say("server_gone")); return setTimeout(begin, 2000); }
  if (!answer.ok) return alarm([say("site_wrong"), ...answer.faults.map(({ path, reason }) => `${path}: ${reason}`)].join(" "));
  state = answer;
  $("name").textContent = document.title = answer.camera;
  stage.heads = answer.heads.map((head) => ({ ...head, seen: null }));
  saved = now();
  told(answer);
  list();
  if (answer.picture) await renew(answer.number).catch(() => alarm(say("server_gone")));
  await read();
  if (answer.live) setInterval(() => stage.act || read(), LIVE_MS);
}

$("language").addEventListener("click", () => { otherLanguage(); $("language").textContent = say("other"); list(); tellSaving("", ""); });
$("closer").addEventListener("click", () => stage.closer(1.6));
$("farther").addEventListener("click", () => stage.closer(1 / 1.6));
$("whole").addEventListener("click", () => stage.whole());
$("undo").addEventListener("click", undo);
$("renew").addEventListener("click", read);
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
