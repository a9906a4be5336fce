// Draws the crossing in metres: lanes, crosswalks, connections in the colour of their group, users as oriented boxes.
export const CLASSES = {
  car: "#6fb7ff", truck: "#b48cff", bus: "#ff9d5c", motorcycle: "#ffd84d", bicycle: "#9be564",
  tricycle: "#4de0c8", cart: "#e06bd0", pedestrian: "#ffffff", unknown: "#8b98a5",
};
const LAMPS = { green: "#35d07f", green_flash: "#35d07f", yellow: "#ffc93c", yellow_flash: "#ffc93c", red: "#c23b3b",
  red_flash: "#c23b3b", red_yellow: "#ff8a3c" };
const HALF_M = 62;

export function drawCrossing(canvas, crossing, live, since) {
  const pen = canvas.getContext("2d");
  const scale = canvas.width / (2 * HALF_M);
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.fillStyle = "#0d1013";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.setTransform(scale, 0, 0, -scale, canvas.width / 2, canvas.height / 2);
  pen.lineJoin = "round";
  const colours = new Map((live?.signal.groups ?? []).map((g) => [g.group, g]));
  for (const lane of crossing.lanes) line(pen, lane.points, lane.width_m, lane.use === "bicycle" ? "#24352b" : "#262d35");
  area(pen, crossing.conflict_area, "#20262d");
  for (const lane of crossing.lanes) line(pen, lane.points, .12, "#4a5561");
  for (const walk of crossing.crosswalks) drawCrosswalk(pen, walk, colours);
  for (const lane of crossing.lanes) for (const way of lane.connections) drawConnection(pen, way, colours);
  if (!live) return;
  for (const user of live.users) drawUser(pen, user, since, scale);
  for (const hazard of live.hazards) drawHazard(pen, hazard, since);
}

function line(pen, points, width, colour) {
  pen.beginPath();
  points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.lineWidth = width;
  pen.strokeStyle = colour;
  pen.stroke();
}

function area(pen, points, colour) {
  pen.beginPath();
  points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.closePath();
  pen.fillStyle = colour;
  pen.fill();
}

function lamp(colours, group) {
  const found = colours.get(group);
  if (!found) return null;
  const flashes = found.colour.endsWith("_flash");
  if (flashes && Math.floor(performance.now() / 400) % 2) return null;
  return LAMPS[found.colour] ?? null;
}

function drawConnection(pen, way, colours) {
  const colour = way.uncontrolled ? "#56616d" : lamp(colours, way.group);
  if (!colour) return;
  pen.globalAlpha = colour === LAMPS.red ? .25 : .8;
  line(pen, way.path, colour === LAMPS.red ? .18 : .4, colour);
  pen.globalAlpha = 1;
}

function drawCrosswalk(pen, walk, colours) {
  area(pen, walk.points, "#343d47");
  const colour = lamp(colours, walk.group);
  if (colour) line(pen, walk.axis, 1.1, colour);
}

function drawUser(pen, user, since, scale) {
  const x = user.x + user.vx * since;
  const y = user.y + user.vy * since;
  pen.save();
  pen.translate(x, y);
  pen.rotate(-(user.heading ?? 0) * Math.PI / 180);
  pen.fillStyle = CLASSES[user.kind] ?? CLASSES.unknown;
  pen.fillRect(-user.width / 2, -user.length / 2, user.width, user.length);
  if (user.heading !== null) {
    pen.fillStyle = "#0d1013";
    pen.fillRect(-user.width / 2, user.length / 2 - .5, user.width, .25);
  }
  pen.restore();
  pen.save();
  pen.translate(x + 1.4, y + 1.4);
  pen.scale(1 / scale, -1 / scale);
  pen.fillStyle = "#aeb9c4";
  pen.font = "11px system-ui";
  pen.fillText((user.speed * 3.6).toFixed(0), 0, 0);
  pen.restore();
}

function drawHazard(pen, hazard, since) {
  pen.beginPath();
  pen.arc(hazard.x, hazard.y, 3 + .6 * Math.sin((performance.now() / 1000 + since) * 6), 0, 7);
  pen.lineWidth = .5;
  pen.strokeStyle = "#ff5a5a";
  pen.stroke();
}
