// Where each signal group leads, in a few signs: from the crossing's geometry.
import { tell } from "/static/words.js";

const TURNS = { left: "↰", through: "↑", right: "↱", u_turn: "⤵" };

export function placesOf(found) {
  const seen = new Map();
  const add = (group, arm, sign) => group !== null && seen.set(group, (seen.get(group) ?? new Set()).add(`${tell(arm)} ${sign}`));
  for (const lane of found.lanes) for (const way of lane.connections)
    add(way.group, lane.arm, lane.use === "bicycle" ? `⚲${TURNS[way.turn] ?? ""}` : TURNS[way.turn] ?? "");
  for (const walk of found.crosswalks) add(walk.group, walk.arm, "⇿");
  for (const area of found.waiting_areas) add(area.group, found.lanes.find((lane) => lane.lane === area.lane)?.arm ?? "", "▭");
  // A head that repeats others leads nowhere of its own: it stands for the arm that it faces.
  const off = (arm, head) => Math.abs((arm.bearing_deg - head.facing_deg + 540) % 360 - 180);
  for (const head of found.heads) if (!seen.has(head.group))
    add(head.group, [...found.arms].sort((a, b) => off(a, head) - off(b, head))[0]?.arm ?? "", "○");
  return new Map([...seen].map(([group, names]) => [group, [...names].slice(0, 2).join(", ")]));
}
