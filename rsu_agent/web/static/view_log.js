// Log: the newest lines of the agent's core, and for the admin who did what on this page.
import { ask, aged, make, mayI, pane, sinceAnswer } from "/static/state.js";
import { say } from "/static/words.js";

const OLD_ANSWER_S = 5;
const LEVELS = ["debug", "info", "warning", "error", "critical"];
let parts = null;
let answer = null;
let audit = null;

export function build(view) {
  const log = pane("log");
  const choice = make("select");
  choice.setAttribute("aria-label", say("least_level"));
  choice.append(...LEVELS.slice(1, 4).map((level) => { const option = make("option", say(level)); option.value = level; return option; }));
  choice.addEventListener("change", show);
  const lines = make("ol", "", "lines");
  lines.tabIndex = 0;
  lines.setAttribute("aria-label", say("log"));
  log.section.append(choice, lines);
  const who = pane("audit");
  const list = make("ul");
  who.section.append(list);
  view.replaceChildren(log.section, who.section);
  parts = { log, choice, lines, who, list, shown: "" };
}

export async function refresh() {
  const told = await ask("log");
  if (told.ok) answer = told;
  const written = mayI("admin") ? await ask("audit") : null;
  audit = written?.ok ? written : null;
}

const clock = (ms) => new Date(ms).toISOString().slice(5, 19).replace("T", " ");

export function show() {
  aged(parts.log.age, parts.log.section, sinceAnswer(answer), OLD_ANSWER_S);
  parts.who.section.hidden = audit === null;
  const least = LEVELS.indexOf(parts.choice.value);
  const lines = (answer?.told.lines ?? []).filter((line) => LEVELS.indexOf(line.level) >= least).reverse();
  const newest = `${parts.choice.value} ${lines.length} ${lines[0]?.n}`;
  if (newest !== parts.shown) {
    parts.shown = newest;
    parts.lines.replaceChildren(...lines.map((line) => {
      const item = make("li", "", line.level);
      item.append(make("time", clock(line.utc_ms)), make("b", line.of), make("span", line.text));
      return item;
    }));
  }
  if (audit === null) return;
  aged(parts.who.age, parts.who.section, sinceAnswer(audit), OLD_ANSWER_S);
  parts.list.replaceChildren(...[...audit.told.lines].reverse().map((line) => make("li", `${clock(line.utc_s * 1000)} · ${line.who} · ${line.what} · ${line.host ?? ""}`)));
}
