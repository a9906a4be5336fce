// Health: how everything is, since when, and the figures of the last hour.
import { ask, aged, make, OLD_S, pane, since, sinceAnswer, state } from "/static/state.js";
import { Chart } from "/static/charts.js";
import { duration, say, tell } from "/static/words.js";

const FIGURES = ["valid", "age_s", "users", "sent", "bound_ms"];
const OLD_CHART_S = 15;
let parts = null;
let history = null;

export function build(view) {
  const devices = pane("devices");
  const table = make("table", "", "states");
  devices.section.append(table);
  const events = pane("events");
  const list = make("ul", "", "scroll");
  list.tabIndex = 0;
  list.setAttribute("aria-label", say("events"));
  events.section.append(list);
  const charts = FIGURES.map((name) => {
    const part = pane(`figure_${name}`);
    const holder = make("div", "", "chart");
    part.section.append(holder);
    return { ...part, name, chart: new Chart(holder, say(`figure_${name}`)) };
  });
  view.replaceChildren(devices.section, events.section, ...charts.map((part) => part.section));
  parts = { devices, table, events, list, charts };
}

export async function refresh() {
  const answer = await ask("history");
  if (!answer.ok) return;
  history = answer;
  const { figures, events } = answer.told;
  parts.list.replaceChildren(...events.reverse().map((event) => make("li",
    `${say("ago", duration(event.ago_s))} · ${event.what === "agent" ? say("agent") : event.what} · ${tell(event.reason)}`, event.state)));
  await Promise.all(parts.charts.map((part) => part.chart.show(figures.ago_s, figures[part.name])));
}

export function show() {
  aged(parts.devices.age, parts.devices.section, since(), OLD_S);
  for (const part of [parts.events, ...parts.charts]) aged(part.age, part.section, sinceAnswer(history), OLD_CHART_S);
  parts.table.replaceChildren(...(state.live?.devices ?? []).map((device) => {
    const row = make("tr");
    const words = [tell(device.reason), device.detail].filter(Boolean).join(" · ");
    row.append(make("th", device.device), make("td", words, device.state), make("td", say("since", duration(device.for_s)), "dim"));
    return row;
  }));
}
