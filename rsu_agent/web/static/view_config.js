// Configuration: what holds, what waits and would change, the countdown, and two words for a technician.
import { ask, aged, make, mayI, pane, sinceAnswer } from "/static/state.js";
import { duration, say } from "/static/words.js";

const OLD_ANSWER_S = 5;
let parts = null;
let answer = null;

export function build(view) {
  const waits = pane("config_waits");
  const countdown = make("p", "", "countdown");
  countdown.setAttribute("role", "timer");
  const confirm = order("confirm");
  const rollback = order("rollback");
  const told = make("p", "", "dim");
  told.setAttribute("role", "status");
  const diff = make("pre", "", "diff");
  diff.tabIndex = 0;
  diff.setAttribute("aria-label", say("difference"));
  const buttons = make("div", "", "orders");
  buttons.append(confirm, rollback);
  waits.section.append(countdown, buttons, told, diff);
  const text = pane("config_text");
  const file = make("pre", "", "file");
  file.tabIndex = 0;
  file.setAttribute("aria-label", say("config_text"));
  text.section.append(file);
  const past = pane("config_history");
  const list = make("ul");
  past.section.append(list);
  const links = pane("calibration");
  links.section.append(make("p", say("calibration_words")), ...["heads", "camera", "points", "radar"].map((verb) => make("pre", `rsu calibrate ${verb}`, "verb")));
  view.replaceChildren(waits.section, past.section, text.section, links.section);
  parts = { waits, countdown, confirm, rollback, told, diff, text, file, past, list };
}

function order(word) {
  const button = make("button", say(`config_${word}`));
  button.type = "button";
  button.dataset.order = word;
  button.addEventListener("click", async () => {
    const done = await ask(`config/${word}`, {});
    parts.told.textContent = done.ok ? say(`config_${word}_done`, done.told.generation) : say("refused", done.told.refused ?? done.told.error);
    await refresh();
  });
  return button;
}

export async function refresh() {
  const told = await ask("config");
  if (!told.ok) return;
  answer = told;
  const { diff, text, history } = told.told;
  parts.diff.replaceChildren(...diff.map((line) => make("span", `${line}\n`, /^(\+\+\+|---)/.test(line) ? "dim" : line.startsWith("+") ? "added" : line.startsWith("-") ? "gone" : "")));
  if (parts.file.textContent !== text) parts.file.textContent = text;
  parts.list.replaceChildren(...[...history].reverse().map((event) => make("li",
    `${new Date(event.utc_s * 1000).toISOString().slice(0, 19).replace("T", " ")} · ${event.generation} · ${say(`config_${event.what}`)}${event.why ? `: ${event.why}` : ""}`)));
  if (!history.length) parts.list.replaceChildren(make("li", say("none"), "dim"));
}

export function show() {
  for (const part of [parts.waits, parts.text, parts.past]) aged(part.age, part.section, sinceAnswer(answer), OLD_ANSWER_S);
  const pending = answer?.told.pending;
  const left = pending ? Math.max(0, pending.left_s - sinceAnswer(answer)) : null;
  parts.countdown.textContent = pending ? say("config_left", pending.new, pending.old, duration(left)) : say("config_nothing");
  parts.diff.hidden = !pending;
  for (const button of [parts.confirm, parts.rollback]) {
    button.hidden = !pending;
    button.disabled = !mayI("technician");
    button.title = mayI("technician") ? "" : say("needs_technician");
  }
  if (pending && !mayI("technician") && !parts.told.textContent) parts.told.textContent = say("needs_technician");
}
