// Charts of the last hour by uPlot, which is loaded when the first one is wanted.
import { colourOf, make } from "/static/state.js";

let loading = null;
export function charting() {
  loading ??= new Promise((done, failed) => {
    const style = make("link");
    style.rel = "stylesheet";
    style.href = "/static/vendor/uPlot.min.css";
    const script = make("script");
    script.src = "/static/vendor/uPlot.iife.min.js";
    script.onload = done;
    script.onerror = failed;
    document.head.append(style, script);
  });
  return loading;
}

export class Chart {
  constructor(holder, label) {
    this.holder = holder;
    this.label = label;
    this.plot = null;
  }

  async show(agoS, values) { // seconds before now, and what was then; null: not known
    await charting();
    const data = [agoS.map((ago) => -ago / 60), values];
    const width = Math.max(200, this.holder.clientWidth);
    const [ink, faint] = [colourOf("text"), colourOf("line")];
    if (this.plot === null || this.ink !== ink) {
      this.plot?.destroy();
      this.ink = ink;
      const axis = { stroke: ink, grid: { stroke: faint, width: 1 }, ticks: { stroke: faint, width: 1 } };
      const low = (_plot, least, most) => [Math.min(0, least ?? 0), Math.max(1, (most ?? 1) * 1.1)];
      this.plot = new window.uPlot({ width, height: 150, cursor: { show: false }, legend: { show: false },
        scales: { x: { time: false }, y: { range: low } },
        series: [{}, { label: this.label, stroke: "#4b9bf0", width: 1.5, spanGaps: false }],
        axes: [{ ...axis, values: (_plot, ticks) => ticks.map((tick) => `${tick} min`) }, { ...axis, size: 48 }] }, data, this.holder);
    } else {
      if (this.plot.width !== width) this.plot.setSize({ width, height: 150 });
      this.plot.setData(data);
    }
  }
}
