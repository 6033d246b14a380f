// The rasters of a report. Each takes the place of its drawing: layers can be
// switched, time and units zoomed and moved through, and the steps scrubbed.
(() => {
'use strict';

// decode turns a layer's code (see raster.go) into the list of firing units of
// each step.
const decode = layer => {
  const raw = Uint8Array.from(atob(layer.data), c => c.charCodeAt(0));
  const steps = Array.from({length: layer.steps}, () => []);
  const put = slot => steps[Math.floor(slot / layer.units)].push(slot % layer.units);
  if (layer.code === 'bits') {
    raw.forEach((byte, i) => { for (let k = 0; byte >> k; k++) if (byte >> k & 1) put(8 * i + k); });
    return steps;
  }
  let slot = 0, gap = 0, place = 1;
  for (const byte of raw) {
    gap += (byte & 127) * place;
    place *= 128;
    if (byte < 128) {
      put(slot += gap);
      slot++, gap = 0, place = 1;
    }
  }
  return steps;
};

const clamp = (x, lo, hi) => Math.min(Math.max(x, lo), hi);
const count = n => n.toLocaleString('en');

const make = (tag, attributes, ...children) => {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
  e.append(...children);
  return e;
};

// marks are about n round numbers of [lo, hi].
const marks = (lo, hi, n) => {
  const rough = Math.max(1, (hi - lo) / n), power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(f => f * power).find(s => s >= rough);
  const out = [];
  for (let v = Math.ceil(lo / step) * step; v <= hi; v += step) out.push(v);
  return out;
};

const least = {steps: 4, units: 8}; // the closest zoom
const left = 62, stripHeight = 42, gap = 12, foot = 36, top = 6; // of the canvas
const widest = 14; // mark of a spike

class Viewer {
  constructor(root) {
    this.layers = JSON.parse(root.querySelector('script').textContent);
    if (!this.layers.length) return;
    this.still = root.querySelector('.still');
    this.build(root);
    this.show(0);
    this.still.hidden = true;
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
    document.querySelectorAll('.theme input').forEach(i => i.addEventListener('change', () => this.draw()));
  }

  build(root) {
    const button = (text, label, act) => {
      const b = make('button', {type: 'button', 'aria-label': label, title: label}, text);
      b.addEventListener('click', act);
      return b;
    };
    this.select = make('select', {}, ...this.layers.map((l, i) => make('option', {value: i}, `${l.name} (${count(l.units)} units)`)));
    this.select.addEventListener('change', () => this.show(+this.select.value));
    this.canvas = make('canvas', {tabindex: 0, role: 'img'});
    this.slider = make('input', {type: 'range', min: 0, value: 0, 'aria-label': 'time step'});
    this.slider.addEventListener('input', () => this.scrub(+this.slider.value));
    this.readout = make('output', {'aria-live': 'polite'});
    this.player = button('▶', 'play', () => this.play(!this.timer));
    this.legend = make('p', {class: 'legend'});
    this.viewer = make('div', {class: 'viewer'},
      make('div', {class: 'tools'}, make('label', {}, 'layer ', this.select),
        make('span', {class: 'buttons'}, button('−', 'zoom out', () => this.zoom(2)), button('+', 'zoom in', () => this.zoom(0.5)), button('all', 'show all', () => this.reset()))),
      this.canvas, this.legend,
      make('div', {class: 'scrub'}, this.player, this.slider), this.readout,
      make('p', {class: 'hint'}, 'Click a step, drag to move. With the raster in focus: wheel or + − to zoom, 0 for all, ← → for steps, Shift and arrows to move, [ ] for layers.'));
    root.append(this.viewer);
    this.listen();
  }

  listen() {
    const c = this.canvas;
    c.addEventListener('keydown', e => {
      if (e.ctrlKey || e.metaKey || e.altKey || !this.key(e.key, e.shiftKey)) return;
      e.preventDefault();
    });
    c.addEventListener('wheel', e => {
      if (document.activeElement !== c) return; // the page scrolls
      e.preventDefault();
      const at = this.at(e);
      this.zoom(e.deltaY > 0 ? 1.25 : 0.8, at.step, at.unit);
    }, {passive: false});
    c.addEventListener('pointerdown', e => {
      this.drag = {x: e.offsetX, y: e.offsetY, view: {...this.view}, moved: false};
      c.setPointerCapture(e.pointerId);
    });
    c.addEventListener('pointermove', e => {
      if (!this.drag) return;
      const {x, y, view} = this.drag, area = this.area();
      const dx = e.offsetX - x, dy = e.offsetY - y;
      this.drag.moved ||= Math.hypot(dx, dy) > 4;
      if (!this.drag.moved) return;
      this.move(view.t0 - Math.round(dx * view.steps / area.width), view.u0 + Math.round(dy * view.units / area.height));
    });
    c.addEventListener('pointerup', e => {
      if (this.drag && !this.drag.moved) this.scrub(Math.floor(this.at(e).step));
      this.drag = null;
    });
    c.addEventListener('pointercancel', () => { this.drag = null; });
    c.addEventListener('dblclick', () => this.reset());
  }

  // key acts on a key and says whether it has a meaning.
  key(name, shift) {
    const {t0, u0, steps, units} = this.view;
    const dt = Math.max(1, steps >> 3), du = Math.max(1, units >> 3);
    const act = {
      '+': () => this.zoom(0.5), '=': () => this.zoom(0.5), '-': () => this.zoom(2), '0': () => this.reset(),
      '[': () => this.show(this.index - 1), ']': () => this.show(this.index + 1),
      ArrowLeft: () => shift ? this.move(t0 - dt, u0) : this.scrub(this.now - 1),
      ArrowRight: () => shift ? this.move(t0 + dt, u0) : this.scrub(this.now + 1),
      ArrowUp: () => this.move(t0, u0 + du), ArrowDown: () => this.move(t0, u0 - du),
      Home: () => this.scrub(0), End: () => this.scrub(this.layer.steps - 1),
    }[name];
    if (act) act();
    return !!act;
  }

  show(index) {
    this.index = clamp(index, 0, this.layers.length - 1);
    this.layer = this.layers[this.index];
    this.layer.spikes ||= decode(this.layer);
    this.select.value = this.index;
    this.slider.max = this.layer.steps - 1;
    this.now = clamp(this.now || 0, 0, this.layer.steps - 1);
    this.reset();
    this.scrub(this.now);
  }

  reset() {
    this.view = {t0: 0, steps: this.layer.steps, u0: 0, units: this.layer.units};
    this.draw();
  }

  // zoom scales the view about a point, the cursor's step and the middle unit if
  // none is given.
  zoom(factor, step, unit) {
    const v = this.view, l = this.layer;
    const inside = this.now >= v.t0 && this.now < v.t0 + v.steps;
    step ??= inside ? this.now + 0.5 : v.t0 + v.steps / 2;
    unit ??= v.u0 + v.units / 2;
    const steps = clamp(Math.round(v.steps * factor), Math.min(least.steps, l.steps), l.steps);
    const units = clamp(Math.round(v.units * factor), Math.min(least.units, l.units), l.units);
    const t0 = Math.round(step - (step - v.t0) * steps / v.steps), u0 = Math.round(unit - (unit - v.u0) * units / v.units);
    this.view = {...v, steps, units};
    this.move(t0, u0);
  }

  move(t0, u0) {
    const v = this.view, l = this.layer;
    v.t0 = clamp(t0, 0, l.steps - v.steps);
    v.u0 = clamp(u0, 0, l.units - v.units);
    this.draw();
  }

  scrub(step) {
    const v = this.view;
    this.now = clamp(step, 0, this.layer.steps - 1);
    this.slider.value = this.now;
    if (this.now < v.t0 || this.now >= v.t0 + v.steps) v.t0 = clamp(this.now - (v.steps >> 1), 0, this.layer.steps - v.steps);
    const on = this.layer.spikes[this.now], some = on.slice(0, 12).map(count).join(', ');
    this.readout.textContent = `Step ${this.now}: ${count(on.length)} of ${count(this.layer.units)} units fire` + (on.length ? `: ${some}${on.length > 12 ? ' …' : ''}` : '.');
    this.draw();
  }

  play(on) {
    clearInterval(this.timer);
    this.timer = on ? setInterval(() => this.scrub((this.now + 1) % this.layer.steps), 150) : 0;
    this.player.textContent = on ? '❚❚' : '▶';
    this.player.setAttribute('aria-label', on ? 'pause' : 'play');
    this.player.title = on ? 'pause' : 'play';
  }

  area() {
    const width = Math.max(10, this.canvas.clientWidth - left - 1);
    return {width, height: Math.max(10, this.canvas.clientHeight - top - gap - stripHeight - foot)};
  }

  // at is the step and the unit below a pointer.
  at(e) {
    const {t0, steps, u0, units} = this.view, area = this.area();
    return {step: t0 + steps * clamp((e.offsetX - left) / area.width, 0, 0.9999), unit: u0 + units * clamp(1 - (e.offsetY - top) / area.height, 0, 1)};
  }

  // cells counts spikes in a table of the view, and in each of its columns.
  cells(cols, rows) {
    const {t0, steps, u0, units} = this.view;
    const cells = new Uint32Array(cols * rows), sums = new Uint32Array(cols);
    for (let t = t0; t < t0 + steps; t++) {
      const col = Math.floor((t - t0) * cols / steps);
      for (const u of this.layer.spikes[t]) {
        if (u < u0 || u >= u0 + units) continue;
        cells[Math.floor((u - u0) * rows / units) * cols + col]++;
        sums[col]++;
      }
    }
    return {cells, sums};
  }

  draw() {
    const c = this.canvas, {t0, steps, u0, units} = this.view, area = this.area();
    const ratio = devicePixelRatio || 1, g = c.getContext('2d');
    c.width = Math.round(c.clientWidth * ratio), c.height = Math.round(c.clientHeight * ratio);
    g.scale(ratio, ratio);
    const style = getComputedStyle(c);
    this.colors = {spike: style.color, ground: style.borderTopColor, text: style.caretColor, cursor: style.outlineColor};
    const cols = Math.min(steps, Math.floor(area.width)), rows = Math.min(units, Math.floor(area.height));
    const {cells, sums} = this.cells(cols, rows);
    this.drawRaster(g, area, cells, cols, rows);
    this.drawStrip(g, area, sums);
    this.drawCursor(g, area);
    c.setAttribute('aria-label', `Raster of ${this.layer.name}: steps ${t0} to ${t0 + steps - 1}, units ${u0} to ${u0 + units - 1}`);
    Object.assign(this.viewer.dataset, {layer: this.layer.name, step: this.now, steps: `${t0}-${t0 + steps}`, units: `${u0}-${u0 + units}`, spikes: sums.reduce((a, b) => a + b, 0)});
  }

  drawRaster(g, area, cells, cols, rows) {
    g.globalAlpha = 0.45;
    g.fillStyle = this.colors.ground;
    g.fillRect(left, top, area.width, area.height);
    const w = area.width / cols, h = area.height / rows, width = w > 3 ? Math.min(w - 1, widest) : w;
    const holds = this.view.units / rows * this.view.steps / cols; // slots of a cell
    g.fillStyle = this.colors.spike;
    cells.forEach((n, i) => {
      if (!n) return;
      g.globalAlpha = holds > 1 ? 0.12 + 0.88 * Math.min(1, n / holds) : 1;
      const x = i % cols, y = rows - 1 - Math.floor(i / cols);
      g.fillRect(left + x * w + (w - width) / 2, top + y * h, width, h > 3 ? h - 1 : h);
    });
    g.globalAlpha = 1;
    const few = n => n < 10 ? +n.toFixed(1) : count(Math.round(n));
    this.legend.textContent = holds > 1 ? `A cell holds ${few(holds)} places for a spike, neighbouring units or steps: the darker, the more of them are taken. Zoom in to see each.` : 'Each mark is a spike of one unit.';
    this.name(g, 'unit', top + area.height / 2);
    this.label(g, 'right', 'middle');
    const {u0, units} = this.view;
    for (const u of marks(u0, u0 + units, 4)) g.fillText(count(u), left - 6, clamp(top + area.height * (1 - (u - u0) / units), top + 5, top + area.height - 4));
  }

  // drawStrip draws the spikes in each step of the view below the raster.
  drawStrip(g, area, sums) {
    const y = top + area.height + gap, w = area.width / sums.length, peak = sums.reduce((a, b) => Math.max(a, b), 1);
    g.fillStyle = this.colors.spike;
    sums.forEach((n, i) => g.fillRect(left + i * w, y + stripHeight * (1 - n / peak), w > 3 ? w - 1 : w, stripHeight * n / peak));
    this.name(g, 'spikes', y + stripHeight / 2);
    this.label(g, 'right', 'middle');
    g.fillText(count(peak), left - 6, y + 5);
    g.fillText('0', left - 6, y + stripHeight - 4);
    this.label(g, 'center', 'top');
    const {t0, steps} = this.view;
    for (const t of marks(t0, t0 + steps - 1, area.width < 400 ? 5 : 10)) g.fillText(count(t), left + area.width * (t - t0 + 0.5) / steps, y + stripHeight + 6);
    g.fillText('time step', left + area.width / 2, y + stripHeight + 21);
  }

  // name writes what an axis is, upright at the left edge.
  name(g, text, y) {
    g.save();
    g.translate(2, y);
    g.rotate(-Math.PI / 2);
    this.label(g, 'center', 'top');
    g.fillText(text, 0, 0);
    g.restore();
  }

  drawCursor(g, area) {
    const {t0, steps} = this.view;
    if (this.now < t0 || this.now >= t0 + steps) return;
    g.strokeStyle = this.colors.cursor;
    g.lineWidth = 1.5;
    const w = Math.max(3, area.width / steps);
    g.strokeRect(left + area.width * (this.now - t0) / steps - 0.5, top - 1, w, area.height + gap + stripHeight + 1);
  }

  label(g, align, baseline) {
    g.fillStyle = this.colors.text;
    g.font = '12px system-ui, "Liberation Sans", sans-serif';
    g.textAlign = align;
    g.textBaseline = baseline;
  }
}

document.querySelectorAll('.raster').forEach(root => new Viewer(root));
})();
