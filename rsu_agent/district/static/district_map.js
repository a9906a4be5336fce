// A plain map: sites where they say they are; those that do not say it stand in rows below.
import { say, span, tell } from "/static/district_words.js";

const WIDTH = 900, EDGE = 26, ROW = 34, MOST_HEIGHT = 560, LEAST_HEIGHT = 120, NAMES_UP_TO = 40;
export const MARKS = { ok: "", degraded: "!", lost: "✕", silent: "–", unknown: "?" };
const MOST_ZOOM = 64, DRAG_PX = 4;
const SVG = "http://www.w3.org/2000/svg";

function shape(tag, attributes, content) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (content !== undefined) element.textContent = content;
  return element;
}

// [{site, x, y}] and the height: degrees become a plane that is true at the middle.
export function placed(sites) {
  const known = sites.filter((site) => site.lat !== null && site.lon !== null);
  const rest = sites.filter((site) => site.lat === null || site.lon === null);
  const points = [];
  let bottom = 0;
  if (known.length) {
    const lats = known.map((site) => site.lat), lons = known.map((site) => site.lon);
    const [south, north, west, east] = [Math.min(...lats), Math.max(...lats), Math.min(...lons), Math.max(...lons)];
    const squeeze = Math.max(0.05, Math.cos(((south + north) / 2) * Math.PI / 180));
    const wide = Math.max((east - west) * squeeze, 1e-6), high = Math.max(north - south, 1e-6);
    const scale = Math.min((WIDTH - 2 * EDGE) / wide, (MOST_HEIGHT - 2 * EDGE) / high);
    bottom = Math.max(LEAST_HEIGHT, 2 * EDGE + high * scale);
    const left = (WIDTH - wide * scale) / 2, top = (bottom - high * scale) / 2;
    for (const site of known)
      points.push({ site, x: left + (site.lon - west) * squeeze * scale, y: top + (north - site.lat) * scale });
  }
  const columns = Math.max(1, Math.min(rest.length <= NAMES_UP_TO ? 9 : 24, rest.length));
  const step = (WIDTH - 2 * EDGE) / columns;
  const row = rest.length <= NAMES_UP_TO ? 2 * ROW : ROW;
  const begins = bottom + (known.length && rest.length ? 24 : 0);
  rest.forEach((site, i) => points.push({ site, x: EDGE + step * (i % columns + 0.5), y: begins + EDGE + row * Math.floor(i / columns) }));
  const rows = Math.ceil(rest.length / columns);
  return { points, height: begins + (rows ? rows * row + EDGE : 0) || LEAST_HEIGHT, line: known.length && rest.length ? bottom : null };
}

// zoom: 1 is the whole district; the point of the plane that stands in the middle.
const view = { zoom: 1, x: WIDTH / 2, y: null };
let last = null;

function redraw() { if (last) drawMap(...last); }

export function zoomBy(factor) {
  view.zoom = factor === null ? 1 : Math.min(MOST_ZOOM, Math.max(1, view.zoom * factor));
  if (view.zoom === 1) [view.x, view.y] = [WIDTH / 2, null];
  redraw();
}

// Dragging moves the plane; a press that stays where it is remains a click.
export function dragged(svg) {
  let from = null;
  svg.addEventListener("pointerdown", (event) => { from = view.zoom > 1 ? { x: event.clientX, y: event.clientY, moved: false } : null; });
  svg.addEventListener("pointermove", (event) => {
    if (!from || (!from.moved && Math.hypot(event.clientX - from.x, event.clientY - from.y) < DRAG_PX)) return;
    const perPixel = WIDTH / svg.clientWidth / view.zoom;
    [view.x, view.y] = [view.x - (event.clientX - from.x) * perPixel, view.y - (event.clientY - from.y) * perPixel];
    from = { x: event.clientX, y: event.clientY, moved: true };
    redraw();
  });
  for (const end of ["pointerup", "pointercancel", "pointerleave"]) svg.addEventListener(end, () => { from = null; });
}

export function drawMap(svg, sites, picked, pick) {
  last = [svg, sites, picked, pick];
  const { points: plane, height, line } = placed(sites);
  view.y ??= height / 2;
  const at = (x, y) => [(x - view.x) * view.zoom + WIDTH / 2, (y - view.y) * view.zoom + height / 2];
  const points = plane.map(({ site, x, y }) => { const [left, top] = at(x, y); return { site, x: left, y: top }; })
    .filter(({ site, x, y }) => site.site === picked || (x > -EDGE && x < WIDTH + EDGE && y > -EDGE && y < height + EDGE));
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${Math.round(height)}`);
  const named = points.length <= NAMES_UP_TO;
  const drawn = points.map(({ site, x, y }) => {
    const group = shape("g", { class: `site ${site.health}${site.site === picked ? " picked" : ""}`, tabindex: 0, role: "button" });
    group.dataset.site = site.site;
    const told = `${site.site} · ${tell(site.health)} · ${span(site.age_s)}`;
    group.setAttribute("aria-label", told);
    group.append(shape("title", {}, told), shape("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: 9 }),
      shape("text", { x: x.toFixed(1), y: (y + 4).toFixed(1), class: "mark" }, MARKS[site.health] ?? ""));
    if (named) group.append(shape("text", { x: x.toFixed(1), y: (y + 22).toFixed(1), stroke: "none" }, site.site.slice(0, 16)));
    group.addEventListener("click", () => pick(site.site));
    group.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); pick(site.site); } });
    return group;
  });
  if (line !== null) drawn.push(shape("text", { x: at(WIDTH / 2, 0)[0], y: at(0, line + 16)[1] }, say("no_place")));
  const focused = document.activeElement?.dataset?.site;
  svg.replaceChildren(...drawn);
  if (focused !== undefined) svg.querySelector(`[data-site="${CSS.escape(focused)}"]`)?.focus();
}
