// Pins on the still: the same picture that moves and zooms as for boxes, but a click places a point.
import { Stage } from "/static/calibrate_boxes.js";

const GRIP = { mouse: 10, pen: 14, touch: 24 }, FINE = 20; // px of the screen that are the pin; parts of a picture's px
const COLOURS = { set: "#6cb6ff", fits: "#3ce08a", bad: "#ff5050" };
const fine = (value) => Math.round(value * FINE) / FINE;

export class Pins extends Stage {
  // heads: the placed points, [{name, number, box: [u, v, 0, 0], how}]. changed("new", [u, v]): a place was clicked.
  hit(event) {
    const reach = GRIP[event.pointerType] ?? GRIP.mouse;
    let best = null, least = reach;
    for (const [index, { box: [u, v] }] of this.heads.entries()) {
      const away = Math.hypot(u * this.scale + this.x - event.offsetX, v * this.scale + this.y - event.offsetY);
      if (away <= least) { least = away; best = { kind: "shift", index }; }
    }
    return best;
  }

  stretch(act, [x, y]) {
    if (act.kind === "new") { act.at = [x, y]; return this.draw(); }
    const dx = x - act.at[0], dy = y - act.at[1];
    if (act.fresh && Math.hypot(dx, dy) * this.scale < 2) return; // a shaking finger moves nothing
    if (act.fresh) { act.fresh = false; this.changed("begin"); }
    this.heads[act.index].box = [...this.inside([act.box[0] + dx, act.box[1] + dy]), 0, 0];
    this.changed("during");
    this.draw();
  }

  up(event) {
    const { act } = this;
    if (act?.kind === "new" && this.pointers.size === 1) {
      const [x, y] = this.picture(event), { naturalWidth: w, naturalHeight: h } = this.image;
      if (x >= 0 && y >= 0 && x <= w && y <= h) { this.act = null; this.pointers.delete(event.pointerId); return this.changed("new", this.inside([x, y])); }
    }
    super.up(event);
  }

  inside([x, y]) {
    const { naturalWidth: w, naturalHeight: h } = this.image;
    return [fine(Math.max(0, Math.min(w, x))), fine(Math.max(0, Math.min(h, y)))];
  }

  middle() {
    const { clientWidth: wide, clientHeight: high } = this.canvas;
    return this.inside([(wide / 2 - this.x) / this.scale, (high / 2 - this.y) / this.scale]);
  }

  frame(pen, [u, v], _colour, index) {
    if (index < 0) return;
    const { number, how, expected } = this.heads[index], chosen = index === this.chosen;
    const x = u * this.scale + this.x, y = v * this.scale + this.y, arm = chosen ? 14 : 9;
    for (const [stroke, width] of [["#000c", chosen ? 4 : 3.4], [COLOURS[how] ?? COLOURS.set, chosen ? 2 : 1.4]]) {
      Object.assign(pen, { strokeStyle: stroke, lineWidth: width });
      pen.beginPath();
      for (const [ax, ay] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) { pen.moveTo(x + ax * 2.5, y + ay * 2.5); pen.lineTo(x + ax * arm, y + ay * arm); }
      pen.stroke();
      if (how !== "bad" || !expected) continue;
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(expected[0] * this.scale + this.x, expected[1] * this.scale + this.y);
      pen.stroke();
    }
    const text = String(number);
    pen.font = "600 12px system-ui, sans-serif";
    pen.fillStyle = chosen ? "#2f7fd6" : "#000b";
    pen.fillRect(x + 6, y - 21, pen.measureText(text).width + 6, 15);
    pen.fillStyle = "#fff";
    pen.fillText(text, x + 9, y - 9);
  }
}
