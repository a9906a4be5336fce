// Draws the crossing in metres: lanes, crosswalks, connections in the colour of their group, users as oriented boxes.
export const CLASSES = {
  car: "#4b9bf0", truck: "#9a72f0", bus: "#ef8440", motorcycle: "#d6ac12", bicycle: "#68b93a",
  tricycle: "#22b5a0", cart: "#d052c0", pedestrian: "#e8556d", unknown: "#8b98a5",
};
export const LAMPS = { green: "#2fb36d", green_flash: "#2fb36d", yellow: "#e6b32e", yellow_flash: "#e6b32e", red: "#d64545",
  red_flash: "#d64545", red_yellow: "#ef8440" };
const HALF_M = 62;
const MOST_AHEAD_S = 1.0; // a track is moved on by its speed for at most this long
const GREY = "#8b98a5";

export function drawCrossing(canvas, crossing, live, { since, lampsOld, past }) {
  const size = Math.round(canvas.clientWidth * (window.devicePixelRatio || 1));
  if (canvas.width !== size) canvas.width = canvas.height = size;
  const pen = canvas.getContext("2d");
  const style = getComputedStyle(document.documentElement);
  const paint = (name) => style.getPropertyValue(`--${name}`);
  const scale = size / (2 * HALF_M);
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.fillStyle = paint("ground");
  pen.fillRect(0, 0, size, size);
  pen.setTransform(scale, 0, 0, -scale, size / 2, size / 2);
  pen.lineJoin = "round";
  const colours = new Map((lampsOld ? [] : live?.signal.groups ?? []).map((g) => [g.group, g.colour]));
  for (const lane of crossing.lanes) line(pen, lane.points, lane.width_m, paint(lane.use === "bicycle" ? "bicycle" : "road"));
  area(pen, crossing.conflict_area, paint("box"));
  for (const lane of crossing.lanes) line(pen, lane.points, .12, paint("mark"));
  for (const walk of crossing.crosswalks) drawCrosswalk(pen, walk, lamp(colours, walk.group), paint("walk"));
  for (const lane of crossing.lanes) for (const way of lane.connections) drawConnection(pen, way, colours);
  for (const lane of crossing.lanes) if (lane.role === "entry") drawStopLine(pen, lane, colours);
  drawScale(pen, scale, paint("label"));
  if (!live || past) return;
  for (const user of live.users) drawUser(pen, user, Math.min(since, MOST_AHEAD_S), scale, paint("label"), paint("ground"));
  for (const hazard of live.hazards) drawHazard(pen, hazard);
}

function trace(pen, points) {
  pen.beginPath();
  points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
}

function line(pen, points, width, colour) {
  trace(pen, points);
  pen.lineWidth = width;
  pen.strokeStyle = colour;
  pen.stroke();
}

function area(pen, points, colour) {
  trace(pen, points);
  pen.closePath();
  pen.fillStyle = colour;
  pen.fill();
}

function lamp(colours, group) {
  const colour = colours.get(group);
  if (colour?.endsWith("_flash") && Math.floor(performance.now() / 400) % 2) return null;
  return LAMPS[colour] ?? null;
}

function drawConnection(pen, way, colours) {
  const colour = way.uncontrolled ? GREY : lamp(colours, way.group);
  if (!colour || colour === LAMPS.red) return; // red is told by the stop line: the box stays readable
  pen.globalAlpha = way.uncontrolled ? .35 : .75;
  line(pen, way.path, way.uncontrolled ? .2 : .45, colour);
  pen.globalAlpha = 1;
}

function drawStopLine(pen, lane, colours) {
  const [[x0, y0], [x1, y1]] = lane.points.slice(-2);
  const length = Math.hypot(x1 - x0, y1 - y0) || 1;
  const [east, north] = [(x1 - x0) / length, (y1 - y0) / length];
  const groups = [...new Set(lane.connections.filter((way) => !way.uncontrolled && way.group !== null).map((way) => way.group))];
  const step = lane.width_m * .86 / Math.max(1, groups.length);
  groups.forEach((group, i) => {
    const from = lane.width_m * .43 - i * step; // from the left of the lane to its right, as its turns lie
    const ends = [from, from - step * .94].map((aside) => [x1 - north * aside, y1 + east * aside]);
    line(pen, ends, 1.2, lamp(colours, group) ?? GREY);
  });
}

function drawCrosswalk(pen, walk, colour, ground) {
  area(pen, walk.points, ground);
  pen.setLineDash([.6, .6]);
  line(pen, walk.axis, 1.4, colour ?? GREY);
  pen.setLineDash([]);
}

function write(pen, x, y, scale, colour, content, align = "left") {
  pen.save();
  pen.translate(x, y);
  pen.scale(1 / scale, -1 / scale);
  pen.fillStyle = colour;
  pen.textAlign = align;
  pen.font = `${Math.max(11 * (window.devicePixelRatio || 1), scale * 1.7)}px system-ui, sans-serif`;
  pen.fillText(content, 0, 0);
  pen.restore();
}

function drawScale(pen, scale, colour) {
  const [x, y] = [-HALF_M + 4, -HALF_M + 4];
  line(pen, [[x, y + .8], [x, y], [x + 20, y], [x + 20, y + .8]], .25, colour);
  write(pen, x + 10, y + 1.2, scale, colour, "20 m", "center");
  line(pen, [[HALF_M - 6, HALF_M - 12], [HALF_M - 6, HALF_M - 6]], .3, colour);
  line(pen, [[HALF_M - 7.2, HALF_M - 7.6], [HALF_M - 6, HALF_M - 6], [HALF_M - 4.8, HALF_M - 7.6]], .3, colour);
  write(pen, HALF_M - 6, HALF_M - 5, scale, colour, "N", "center");
}

function drawUser(pen, user, ahead, scale, label, edge) {
  const x = user.x + user.vx * ahead;
  const y = user.y + user.vy * ahead;
  const [width, length] = [Math.max(user.width, .9), Math.max(user.length, .9)];
  pen.save();
  pen.translate(x, y);
  pen.rotate(-(user.heading ?? 0) * Math.PI / 180);
  pen.fillStyle = CLASSES[user.kind] ?? CLASSES.unknown;
  pen.strokeStyle = edge;
  pen.lineWidth = .15;
  pen.fillRect(-width / 2, -length / 2, width, length);
  pen.strokeRect(-width / 2, -length / 2, width, length);
  if (user.heading !== null) area(pen, [[-width / 2, length / 2 - .2], [width / 2, length / 2 - .2], [0, length / 2 + .9]], pen.fillStyle);
  pen.restore();
  if (user.speed > .3) write(pen, x + width / 2 + .5, y + .8, scale, label, (user.speed * 3.6).toFixed(0));
}

function drawHazard(pen, hazard) {
  pen.beginPath();
  pen.arc(hazard.x, hazard.y, 3.2 + .5 * Math.sin(performance.now() / 160), 0, 7);
  pen.lineWidth = .6;
  pen.strokeStyle = "#e03131";
  pen.stroke();
}
