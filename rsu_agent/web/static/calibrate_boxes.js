// Boxes on the still: how a finger or a mouse draws, moves and stretches them, and how they are drawn.
const GRIP = { mouse: 8, pen: 12, touch: 18 }; // px of the screen around an edge that are the edge
const LEAST = 3; // px of the picture
const COLOURS = { red: "#ff5050", yellow: "#ffcf3a", green: "#3ce08a", red_yellow: "#ff9440", dark: "#9fb4ff", unknown: "#ffffff" };

const within = (value, low, high) => Math.max(low, Math.min(high, value));

export class Stage {
  // changed(kind): "begin" before a box changes, "during" and "end"; heads: [{group, box, layout, seen}].
  constructor(canvas, changed) {
    Object.assign(this, { canvas, changed, heads: [], chosen: -1, image: null, moving: false, scale: 1, x: 0, y: 0 });
    this.pointers = new Map();
    this.act = null;
    for (const kind of ["down", "move", "up", "cancel"]) canvas.addEventListener(`pointer${kind}`, (event) => this[kind](event));
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  show(image) {
    const first = !this.image || this.image.naturalWidth !== image.naturalWidth;
    this.image = image;
    if (first) this.whole(); else this.draw();
  }

  resize() {
    const ratio = devicePixelRatio || 1, { clientWidth, clientHeight } = this.canvas;
    Object.assign(this.canvas, { width: Math.round(clientWidth * ratio), height: Math.round(clientHeight * ratio) });
    if (this.fits) this.whole(); else this.draw();
  }

  whole() {
    if (!this.image) return;
    const { clientWidth: wide, clientHeight: high } = this.canvas, { naturalWidth: w, naturalHeight: h } = this.image;
    this.scale = Math.min(wide / w, high / h);
    this.x = (wide - w * this.scale) / 2;
    this.y = (high - h * this.scale) / 2;
    this.fits = true;
    this.draw();
  }

  // A chosen head comes to the middle as it comes closer.
  closer(factor) {
    const box = this.heads[this.chosen]?.box, { clientWidth: wide, clientHeight: high } = this.canvas;
    if (box && factor > 1) {
      this.x = wide / 2 - (box[0] + box[2] / 2) * this.scale;
      this.y = high / 2 - (box[1] + box[3] / 2) * this.scale;
    }
    this.zoom(factor);
  }

  zoom(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    const scale = within(this.scale * factor, 0.1, 60);
    this.x = x - (x - this.x) * (scale / this.scale);
    this.y = y - (y - this.y) * (scale / this.scale);
    this.scale = scale;
    this.fits = false;
    this.draw();
  }

  wheel(event) {
    event.preventDefault();
    this.zoom(Math.exp(-within(event.deltaY, -240, 240) / 240), event.offsetX, event.offsetY);
  }

  picture(event) { return [(event.offsetX - this.x) / this.scale, (event.offsetY - this.y) / this.scale]; }

  down(event) {
    if (!this.image) return;
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, event);
    if (this.pointers.size === 2) return this.pinch();
    if (this.pointers.size > 2) return;
    const at = this.picture(event);
    if (this.moving || event.button === 1) { this.act = { kind: "pan", from: event, x: this.x, y: this.y }; return; }
    if (event.button > 0) return;
    const hit = this.hit(event);
    if (hit) this.chosen = hit.index;
    this.act = hit ? { ...hit, at, box: [...this.heads[hit.index].box], fresh: true } : { kind: "new", at };
    this.changed("choose");
    this.draw();
  }

  move(event) {
    if (!this.pointers.has(event.pointerId)) return this.hover?.(this.picture(event));
    this.pointers.set(event.pointerId, event);
    const { act } = this;
    if (!act) return;
    if (act.kind === "pinch") return this.pinched(act);
    if (act.kind === "pan") {
      this.x = act.x + event.offsetX - act.from.offsetX;
      this.y = act.y + event.offsetY - act.from.offsetY;
      this.fits = false;
      return this.draw();
    }
    this.stretch(act, this.picture(event));
  }

  stretch(act, [x, y]) {
    const { naturalWidth: w, naturalHeight: h } = this.image;
    if (act.kind === "new") {
      const sides = (a, b, most) => [within(Math.round(Math.min(a, b)), 0, most), within(Math.round(Math.max(a, b)), 0, most)];
      const [left, right] = sides(act.at[0], x, w), [top, bottom] = sides(act.at[1], y, h);
      act.box = [left, top, right - left, bottom - top];
      return this.draw();
    }
    const [dx, dy] = [Math.round(x - act.at[0]), Math.round(y - act.at[1])];
    if (!dx && !dy && act.fresh) return;
    if (act.fresh) { act.fresh = false; this.changed("begin"); }
    let [left, top, wide, high] = act.box, right = left + wide, bottom = top + high;
    if (act.kind === "shift") {
      left = within(left + dx, 0, w - wide);
      top = within(top + dy, 0, h - high);
      this.heads[act.index].box = [left, top, wide, high];
    } else {
      if (act.edges.includes("l")) left = within(left + dx, 0, right - LEAST);
      if (act.edges.includes("r")) right = within(right + dx, left + LEAST, w);
      if (act.edges.includes("t")) top = within(top + dy, 0, bottom - LEAST);
      if (act.edges.includes("b")) bottom = within(bottom + dy, top + LEAST, h);
      this.heads[act.index].box = [left, top, right - left, bottom - top];
    }
    this.changed("during");
    this.draw();
  }

  up(event) {
    this.pointers.delete(event.pointerId);
    const { act } = this;
    if (act?.kind === "pinch" && this.pointers.size) return; // the finger that stays draws nothing
    this.act = null;
    if (act?.kind === "new") {
      if (act.box && act.box[2] >= LEAST && act.box[3] >= LEAST) this.changed("new", act.box);
      else { this.chosen = -1; this.changed("choose"); }
    } else if (act && !act.fresh && act.index !== undefined) this.changed("end");
    this.draw();
  }

  cancel(event) { this.pointers.delete(event.pointerId); this.act = null; this.draw(); }

  pinch() {
    if (this.act?.index !== undefined && !this.act.fresh) this.changed("end");
    const [a, b] = [...this.pointers.values()];
    const [x, y] = [(a.offsetX + b.offsetX) / 2, (a.offsetY + b.offsetY) / 2];
    const apart = Math.hypot(a.offsetX - b.offsetX, a.offsetY - b.offsetY);
    this.act = { kind: "pinch", apart, scale: this.scale, spot: [(x - this.x) / this.scale, (y - this.y) / this.scale] };
    this.draw();
  }

  pinched(act) {
    const [a, b] = [...this.pointers.values()];
    if (!b) return;
    this.scale = within((act.scale * Math.hypot(a.offsetX - b.offsetX, a.offsetY - b.offsetY)) / Math.max(1, act.apart), 0.1, 60);
    this.x = (a.offsetX + b.offsetX) / 2 - act.spot[0] * this.scale;
    this.y = (a.offsetY + b.offsetY) / 2 - act.spot[1] * this.scale;
    this.fits = false;
    this.draw();
  }

  // The box, and its edges, under a pointer. Edges only of the chosen one: small boxes stand close together.
  hit(event) {
    const grip = GRIP[event.pointerType] ?? GRIP.mouse, { offsetX: px, offsetY: py } = event;
    const order = [...this.heads.keys()].sort((a, b) => (b === this.chosen) - (a === this.chosen));
    for (const index of order) {
      const [left, top, wide, high] = this.heads[index].box;
      const [l, t, r, b] = [left * this.scale + this.x, top * this.scale + this.y, (left + wide) * this.scale + this.x, (top + high) * this.scale + this.y];
      const reach = index === this.chosen ? grip : 0;
      if (px < l - reach || px > r + reach || py < t - reach || py > b + reach) continue;
      const near = (edge, at, size) => Math.abs(at - edge) <= Math.min(reach, Math.max(2, size / 4)) || (reach && (at - edge) * (edge === l || edge === t ? 1 : -1) < 0);
      const edges = reach ? [near(l, px, r - l) && "l", near(r, px, r - l) && "r", near(t, py, b - t) && "t", near(b, py, b - t) && "b"].filter(Boolean) : [];
      return { kind: edges.length ? "edges" : "shift", edges, index };
    }
    return null;
  }

  draw() {
    const pen = this.canvas.getContext("2d"), ratio = devicePixelRatio || 1;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (!this.image) return;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.imageSmoothingEnabled = this.scale < 2;
    pen.drawImage(this.image, this.x, this.y, this.image.naturalWidth * this.scale, this.image.naturalHeight * this.scale);
    this.heads.forEach((head, index) => this.frame(pen, head.box, head.seen?.colour ?? "unknown", index));
    if (this.act?.kind === "new" && this.act.box) this.frame(pen, this.act.box, "unknown", -1);
  }

  frame(pen, [left, top, wide, high], colour, index) {
    const at = [left * this.scale + this.x, top * this.scale + this.y, wide * this.scale, high * this.scale];
    const chosen = index === this.chosen || index < 0;
    for (const [stroke, width] of [["#000c", chosen ? 4 : 3], [COLOURS[colour] ?? COLOURS.unknown, chosen ? 2.5 : 1.25]]) {
      Object.assign(pen, { strokeStyle: stroke, lineWidth: width });
      pen.strokeRect(at[0], at[1], at[2], at[3]);
    }
    if (index < 0) return;
    const text = String(this.heads[index].group);
    pen.font = "600 12px system-ui, sans-serif";
    const room = pen.measureText(text).width + 6;
    pen.fillStyle = chosen ? "#2f7fd6" : "#000b";
    pen.fillRect(at[0] - 1, at[1] - 17, room, 15);
    pen.fillStyle = "#fff";
    pen.fillText(text, at[0] + 2, at[1] - 5);
  }
}
