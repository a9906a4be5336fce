// Uplink: what waits for the district, what it has acknowledged, and how that went in the last hour.
import { ask, aged, make, OLD_S, pane, rows, since, sinceAnswer, state } from "/static/state.js";
import { Chart } from "/static/charts.js";
import { say, tell } from "/static/words.js";

const OLD_CHART_S = 15;
let parts = null;
let history = null;

export function build(view) {
  const now = pane("uplink");
  const list = make("dl");
  list.id = "uplink-now";
  now.section.append(list);
  const past = pane("backlog_hour");
  const holder = make("div", "", "chart");
  past.section.append(holder);
  view.replaceChildren(now.section, past.section);
  parts = { now, list, past, holder, chart: new Chart(holder, say("waiting")) };
}

export async function refresh() {
  const answer = await ask("history");
  if (!answer.ok) return;
  history = answer;
  await parts.chart.show(answer.told.figures.ago_s, answer.told.figures.backlog);
}

export function show() {
  const uplink = state.live?.uplink;
  aged(parts.now.age, parts.now.section, uplink ? since() : Infinity, OLD_S);
  aged(parts.past.age, parts.past.section, sinceAnswer(history), OLD_CHART_S);
  rows(parts.list, uplink ? {
    connected: say(uplink.connected ? "yes" : "no"), reason: tell(uplink.reason ?? "unknown"), waiting: uplink.backlog,
    acknowledged: uplink.acked, produced: uplink.produced, dropped: uplink.dropped, resent: uplink.resent,
    rtt: uplink.rtt_s == null ? "–" : `${(uplink.rtt_s * 1000).toFixed(0)} ms`,
  } : { no_uplink: "–" });
}
