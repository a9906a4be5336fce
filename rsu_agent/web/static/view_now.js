// Now: the crossing with its lamps and road users, and beside it what is told in words.
import { isPast, make as text, OLD_S, rows, setText, signalAge, since, state } from "/static/state.js";
import { drawCrossing, CLASSES } from "/static/crossing.js";
import { duration, say, tell } from "/static/words.js";

const MOST_ROWS = 200;
const $ = (id) => document.getElementById(id);

function countdown(group, old) {
  return old || group.end_in_s === null ? "–" : Math.max(0, group.end_in_s - since()).toFixed(1);
}

export function build() {
  $("legend").replaceChildren(...Object.entries(CLASSES).map(([name, colour]) => {
    const item = text("li", tell(name));
    const swatch = document.createElement("i");
    swatch.style.background = colour;
    item.prepend(swatch);
    return item;
  }));
}

export const refresh = null;

export function show() {
  const old = signalAge() > OLD_S || isPast();
  $("signals").classList.toggle("old", old);
  $("signals").replaceChildren(...(state.live?.signal.groups ?? []).map((group) => {
    const cell = text("div", "", `lamp ${group.colour}`);
    cell.append(text("b", String(group.group)), text("span", countdown(group, old), "left"),
      text("small", [old ? "?" : tell(group.colour), state.places.get(group.group) ?? ""].join(" ")));
    return cell;
  }));
  for (const id of ["hazards", "devices", "tracks", "uplink", "radio"]) $(id).classList.toggle("past", isPast());
  if (state.live) showLive(state.live);
}

function showLive(live) {
  $("hazards").replaceChildren(...(live.hazards.length
    ? live.hazards.map((h) => text("li", `${tell(h.kind)} · ${say("since", duration(h.for_s))}`, "hazard"))
    : [text("li", say("none"), "dim")]));
  $("devices").replaceChildren(...live.devices.map((d) => text("li",
    [d.device, tell(d.reason), d.detail].filter(Boolean).join(" · "), d.state)));
  setText($("count"), String(live.users.length));
  $("tracks").replaceChildren(...[...live.users].sort((a, b) => a.track - b.track).slice(0, MOST_ROWS).map((user) => {
    const row = document.createElement("tr");
    row.append(text("td", String(user.track)), text("td", tell(user.kind)), text("td", (user.speed * 3.6).toFixed(0)));
    return row;
  }));
  const uplink = live.uplink;
  rows($("uplink"), uplink
    ? { connected: say(uplink.connected ? "yes" : "no"), waiting: uplink.backlog, acknowledged: uplink.acked } : { no_uplink: "–" });
  rows($("radio"), { ...live.radio.kinds, failed: live.radio.failed });
}

export function draw() {
  if (state.crossing) drawCrossing($("crossing"), state.crossing, state.live,
    { since: since(), lampsOld: signalAge() > OLD_S || isPast(), past: isPast() });
}
