// Senses: of each camera the boxes without the picture, of each radar its returns; no pixel of the road is shown.
import { ask, aged, colourOf, make, mayI, OLD_S, pane, sharpCanvas, sinceAnswer } from "/static/state.js";
import { CLASSES } from "/static/crossing.js";
import { say, tell } from "/static/words.js";

const FAR_M = 120;
let view = null;
let answer = null;
let parts = new Map();

export function build(container) {
  view = container;
  parts = new Map();
  view.replaceChildren(make("p", say("no_senses"), "dim"));
}

export async function refresh() {
  const told = await ask("senses");
  if (told.ok) answer = told;
}

export function show() {
  const looks = Object.entries(answer?.told.looks ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  if (looks.map(([name]) => name).join() !== [...parts.keys()].join()) arrange(looks);
  const health = new Map((answer?.told.sensors ?? []).map((sensor) => [sensor.sensor, sensor]));
  for (const [name, look] of looks) {
    const part = parts.get(name);
    const old = aged(part.age, part.section, look.age_s + sinceAnswer(answer), OLD_S);
    const reason = health.get(name)?.reason ?? "unknown";
    const seen = look.kind === "camera" ? say("boxes", look.boxes.length) : say("returns", look.points.length, look.targets.length);
    part.words.textContent = `${tell(reason)} · ${seen}`;
    part.canvas.setAttribute("aria-label", `${name}: ${part.words.textContent}`);
    (look.kind === "camera" ? drawCamera : drawRadar)(part.canvas, look, old);
  }
}

function arrange(looks) {
  parts = new Map(looks.map(([name, look]) => {
    const { section, age } = pane(name);
    const canvas = make("canvas", "", "look");
    canvas.setAttribute("role", "img");
    const words = make("p", "", "dim");
    section.append(canvas, words);
    if (look.kind === "camera") section.append(stillOf(name));
    return [name, { section, age, canvas, words }];
  }));
  view.replaceChildren(...(parts.size ? [...parts.values()].map((part) => part.section) : [make("p", say("no_senses"), "dim")]));
}

function stillOf(camera) { // median of ten seconds, bodies painted over; who asked is written down
  const box = make("div", "", "still");
  const button = make("button", say("still"));
  button.type = "button";
  button.disabled = !mayI("technician");
  button.title = mayI("technician") ? "" : say("needs_technician");
  const told = make("p", button.title, "dim");
  button.addEventListener("click", async () => {
    button.disabled = true;
    told.textContent = say("still_coming");
    const made = await ask("still", { camera });
    button.disabled = false;
    told.textContent = made.ok ? made.told.file : say("refused", tell(made.told.refused ?? made.told.error));
    if (!made.ok) return;
    const picture = make("img");
    picture.src = `/api/still/${made.told.file}`;
    picture.alt = say("still_words", camera);
    box.querySelector("img")?.remove();
    box.append(picture);
  });
  box.append(button, told);
  return box;
}

function drawCamera(canvas, look, old) {
  const [width, height] = look.size;
  const scale = canvas.clientWidth / width;
  const pen = sharpCanvas(canvas, Math.round(height * scale));
  pen.fillStyle = colourOf("ground");
  pen.fillRect(0, 0, canvas.clientWidth, height * scale);
  if (old) return;
  for (const [kind, score, left, top, right, bottom] of look.boxes) {
    pen.strokeStyle = pen.fillStyle = CLASSES[kind] ?? CLASSES.unknown;
    pen.lineWidth = 2;
    pen.strokeRect(left * scale, top * scale, (right - left) * scale, (bottom - top) * scale);
    pen.fillText(`${tell(kind)} ${Math.round(score * 100)}`, left * scale, Math.max(11, top * scale - 3));
  }
}

function drawRadar(canvas, look, old) {
  const height = Math.round(canvas.clientWidth * .62);
  const pen = sharpCanvas(canvas, height);
  const scale = (height - 12) / FAR_M;
  const middle = canvas.clientWidth / 2;
  pen.fillStyle = colourOf("ground");
  pen.fillRect(0, 0, canvas.clientWidth, height);
  pen.strokeStyle = colourOf("line");
  pen.fillStyle = colourOf("dim");
  for (let far = 20; far <= FAR_M; far += 20) {
    pen.beginPath(); pen.arc(middle, height - 6, far * scale, Math.PI, 0); pen.stroke();
    pen.fillText(`${far} m`, middle + 3, height - 8 - far * scale + 12);
  }
  if (old) return;
  const at = ([forward, left]) => [middle - left * scale, height - 6 - forward * scale];
  for (const point of look.points) {
    pen.fillStyle = Math.abs(point[2]) < .3 ? colourOf("dim") : point[2] < 0 ? "#e8556d" : "#4b9bf0"; // towards, away
    pen.beginPath(); pen.arc(...at(point), 2.5, 0, 7); pen.fill();
  }
  pen.strokeStyle = colourOf("text");
  for (const target of look.targets) { const [x, y] = at(target); pen.strokeRect(x - 5, y - 5, 10, 10); }
}
