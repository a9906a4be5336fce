// Messages: the last of each kind as a tree and as the bytes that were sent.
import { ask, aged, make, pane, sinceAnswer } from "/static/state.js";
import { say } from "/static/words.js";

const LATE_S = { SPAT: 1, SPATEM: 1, RSM: 2, MAP: 3, MAPEM: 3 }; // what is sent on events may well be older
let view = null;
let answer = null;
let parts = new Map();

export function build(container) {
  view = container;
  parts = new Map();
  view.replaceChildren(make("p", say("no_messages"), "dim"));
}

export async function refresh() {
  const told = await ask("messages");
  if (told.ok) answer = told;
}

export function show() {
  for (const [kind, message] of Object.entries(answer?.told ?? {})) {
    if (!parts.size) view.replaceChildren();
    if (!parts.has(kind)) parts.set(kind, arrange(kind));
    const part = parts.get(kind);
    aged(part.age, part.section, message.age_s + sinceAnswer(answer), LATE_S[kind] ?? Infinity);
    if (part.hex === message.hex) continue;
    part.hex = message.hex;
    part.size.textContent = say("bytes", message.hex.length / 2);
    part.bytes.textContent = dump(message.hex);
    part.tree.textContent = JSON.stringify(message.value ?? null, null, 1);
  }
}

function arrange(kind) {
  const { section, age } = pane(kind);
  const size = make("p", "", "dim");
  const tree = make("pre", "", "tree");
  const bytes = make("pre", "", "bytes");
  for (const [element, words] of [[tree, "decoded"], [bytes, "raw"]]) {
    element.tabIndex = 0;
    element.setAttribute("aria-label", `${kind}: ${say(words)}`);
  }
  const both = make("div", "", "both");
  both.append(tree, bytes);
  section.append(size, both);
  view.append(section);
  return { section, age, size, tree, bytes, hex: null };
}

function dump(hex) { // eight bytes a line, with their place and, where they are letters, those
  const lines = [];
  for (let at = 0; at < hex.length; at += 16) {
    const pairs = hex.slice(at, at + 16).match(/../g) ?? [];
    const letters = pairs.map((pair) => { const code = parseInt(pair, 16); return code > 32 && code < 127 ? String.fromCharCode(code) : "."; });
    lines.push(`${(at / 2).toString(16).padStart(4, "0")}  ${pairs.join(" ").padEnd(23)}  ${letters.join("")}`);
  }
  return lines.join("\n");
}
