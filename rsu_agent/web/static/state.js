// What is known of the agent, how old it is, and the one place that greys what is old.
import { say } from "/static/words.js";

export const OLD_S = 1.0; // field practice: a frozen green is worse than a blank one
const SILENT_S = 2.0; // twenty missed updates
export const state = { live: null, crossing: null, places: new Map(), heardAt: null, trouble: "connecting", session: null };

export const since = () => (state.heardAt === null ? Infinity : (performance.now() - state.heardAt) / 1000);
export const isPast = () => state.trouble !== null || since() > OLD_S;

export function notice() {
  if (state.trouble === null && since() > SILENT_S) state.trouble = "agent_silent";
  return state.trouble;
}

export function signalAge() {
  const { live } = state;
  return !live || live.signal.age_s === null ? Infinity : live.signal.age_s + since();
}

// The age beside what it belongs to. oldS: from then on it is greyed; everything is while the agent is silent.
export function aged(label, pane, seconds, oldS) {
  const known = Number.isFinite(seconds);
  const old = !known || seconds > oldS || isPast();
  pane.classList.toggle("past", old);
  label.classList.toggle("old", old);
  label.classList.add("age");
  setText(label, known ? say("old", seconds.toFixed(seconds < 10 ? 1 : 0)) : say("never_heard"));
  return old;
}

export function setText(element, content) { // an unchanged text is not read out again by a screen reader
  if (element.textContent !== content) element.textContent = content;
}

export function make(tag, content = "", className = "") {
  const element = document.createElement(tag);
  if (content !== "") element.textContent = content;
  if (className) element.className = className;
  return element;
}

export function rows(list, values) { // what is said of each key
  list.replaceChildren(...Object.entries(values).flatMap(([key, value]) => [make("dt", say(key)), make("dd", String(value ?? "–"))]));
}

export function pane(title) { // a section with a heading that holds an age
  const section = make("section", "", "pane");
  const head = make("h2");
  const name = make("span", say(title));
  const age = make("span", "", "age");
  head.append(name, " ", age);
  section.append(head);
  return { section, age };
}

// A question to the page's server. answer: its JSON, or null; at: when it came.
export async function ask(what, order) {
  const options = order === undefined ? {} : { method: "POST", headers: { "X-RSU-Page": "1", "Content-Type": "application/json" },
    body: JSON.stringify(order) };
  try {
    const answer = await fetch(`/api/${what}`, options);
    const told = await answer.json();
    return { ok: answer.ok, status: answer.status, told, at: performance.now() };
  } catch {
    return { ok: false, status: 0, told: { error: say("page_gone") }, at: performance.now() };
  }
}

export const sinceAnswer = (answer) => (answer ? (performance.now() - answer.at) / 1000 : Infinity);

export function mayI(role) {
  const roles = ["viewer", "technician", "admin"];
  return roles.indexOf(state.session?.role ?? "") >= roles.indexOf(role);
}

export function sharpCanvas(canvas, height) { // its pen, in CSS pixels
  const ratio = window.devicePixelRatio || 1;
  const [width, tall] = [Math.round(canvas.clientWidth * ratio), Math.round(height * ratio)];
  if (canvas.width !== width || canvas.height !== tall) { canvas.width = width; canvas.height = tall; }
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, canvas.clientWidth, height);
  pen.font = "12px system-ui, sans-serif";
  return pen;
}

export const colourOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);
