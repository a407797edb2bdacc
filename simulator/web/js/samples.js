// Sample photos drawn on a canvas, for those who have no camera at hand.

import { el, openDialog } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";

const W = 1280;
const H = 960;

function noise(c, amount, seed = 7) {
  const image = c.getImageData(0, 0, W, H);
  let s = seed;
  for (let i = 0; i < image.data.length; i += 4) {
    s = (s * 1103515245 + 12345) & 0x7fffffff;
    const n = ((s >> 16) % 100) / 100 - 0.5;
    for (let k = 0; k < 3; k += 1) image.data[i + k] += n * amount;
  }
  c.putImageData(image, 0, 0);
}

function light(c, x, y, r, inner, outer) {
  const g = c.createRadialGradient(x, y, r * 0.1, x, y, r);
  g.addColorStop(0, inner);
  g.addColorStop(1, outer);
  c.fillStyle = g;
  c.fillRect(0, 0, W, H);
}

function box(c, x, y, w, h, r, color) {
  c.beginPath();
  c.roundRect(x, y, w, h, r);
  c.fillStyle = color;
  c.fill();
}

function words(c, text, x, y, font, color = "#111", align = "left", room = undefined) {
  c.font = font;
  c.fillStyle = color;
  c.textAlign = align;
  c.textBaseline = "alphabetic";
  c.fillText(text, x, y, room);
}

function tilt(c, degrees) {
  c.translate(W / 2, H / 2);
  c.rotate((degrees * Math.PI) / 180);
  c.translate(-W / 2, -H / 2);
}

const MONO = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace";
const SANS = "Arial, 'Liberation Sans', 'Roboto', sans-serif";

function bars(c, x, y, w, h, seed) {
  let s = seed;
  c.fillStyle = "#111";
  for (let at = 0; at < w;) {
    s = (s * 48271) % 2147483647;
    const bar = 2 + (s % 4) * 2;
    const gap = 2 + ((s >> 8) % 3) * 2;
    c.fillRect(x + at, y, Math.min(bar, w - at), h);
    at += bar + gap;
  }
}

// Fictitious numbers: the IMEI and the VIN carry right check digits, so that checks downstream have work to do.
const DRAWINGS = {
  plate(c) {
    light(c, 500, 300, 1100, "#7f8a90", "#353c40");
    box(c, -40, 120, W + 80, 120, 0, "rgba(20,24,26,.35)");
    box(c, 60, 640, W - 120, 180, 30, "#23292c");
    for (let i = 0; i < 11; i += 1) box(c, 100 + i * 100, 660, 70, 140, 10, "#15191b");
    tilt(c, -2.2);
    box(c, 232, 356, 830, 212, 22, "rgba(0,0,0,.4)");
    box(c, 225, 345, 830, 212, 20, "#101314");
    box(c, 233, 353, 814, 196, 14, "#f1f1ec");
    box(c, 247, 379, 92, 56, 4, "#00a3c4");
    c.beginPath();
    c.arc(293, 405, 15, 0, 7);
    c.fillStyle = "#ffd84a";
    c.fill();
    words(c, "KZ", 293, 520, `bold 56px ${SANS}`, "#111", "center");
    words(c, "123 ABC", 616, 510, `bold 146px ${SANS}`, "#111", "center", 510);
    c.fillStyle = "#111";
    c.fillRect(892, 361, 5, 180);
    words(c, "02", 971, 504, `bold 124px ${SANS}`, "#111", "center", 124);
    for (const x of [262, 1030]) box(c, x - 7, 442, 14, 14, 7, "#777");
  },
  label(c) {
    light(c, 640, 420, 1000, "#5c6063", "#26292b");
    tilt(c, 3);
    box(c, 180, 160, 920, 640, 36, "#1b1d1f");
    box(c, 172, 150, 920, 640, 36, "#2b2e31");
    box(c, 240, 215, 790, 510, 14, "#f4f3ee");
    words(c, "GPS/GLONASS TRACKER", 280, 290, `bold 46px ${SANS}`);
    words(c, "Model: FT-920", 280, 352, `40px ${SANS}`);
    words(c, "DC 10…30 V   Li-Ion 170 mAh", 280, 404, `34px ${SANS}`, "#333");
    words(c, "IMEI", 280, 478, `bold 40px ${SANS}`);
    words(c, "860000042173855", 400, 478, `bold 50px ${MONO}`);
    bars(c, 280, 500, 700, 96, 35630704);
    words(c, "S/N 1184020077", 280, 650, `36px ${MONO}`);
    words(c, "CE  EAC", 280, 702, `bold 36px ${SANS}`, "#333");
    let s = 99;
    for (let y = 0; y < 9; y += 1) for (let x = 0; x < 9; x += 1) {
      s = (s * 48271) % 2147483647;
      if (x === 0 || y === 8 || s % 2) { c.fillStyle = "#111"; c.fillRect(880 + x * 11, 612 + y * 11, 11, 11); }
    }
  },
  meter(c) {
    light(c, 640, 300, 1000, "#8c8577", "#3a362f");
    tilt(c, -3);
    box(c, 350, 70, 580, 860, 60, "#b9820a");
    box(c, 376, 96, 528, 808, 44, "#24272a");
    box(c, 426, 150, 428, 230, 16, "#a9b79a");
    words(c, "12.6", 742, 340, `bold 150px ${MONO}`, "#1b2316", "right", 290);
    words(c, "V", 764, 340, `bold 84px ${SANS}`, "#1b2316");
    words(c, "DC", 456, 204, `bold 38px ${SANS}`, "#1b2316");
    c.beginPath();
    c.arc(640, 590, 130, 0, 7);
    c.fillStyle = "#3b4044";
    c.fill();
    c.strokeStyle = "#e8e4d8";
    c.lineWidth = 14;
    c.beginPath();
    c.moveTo(640, 590);
    c.lineTo(566, 500);
    c.stroke();
    [["V=", 500, 486], ["V~", 640, 446], ["Ω", 780, 486], ["A", 800, 610], ["OFF", 470, 610]].forEach(([w, x, y]) => words(c, w, x, y, `bold 34px ${SANS}`, "#d9d5c8", "center"));
    [["#101214", 520], ["#b3261e", 640], ["#101214", 760]].forEach(([color, x]) => { c.beginPath(); c.arc(x, 812, 34, 0, 7); c.fillStyle = color; c.fill(); });
    for (const [color, x, dx] of [["#b3261e", 640, 240], ["#0c0e10", 760, 380]]) {
      c.strokeStyle = color; c.lineWidth = 18; c.beginPath(); c.moveTo(x, 812); c.bezierCurveTo(x + 30, 1000, x + dx, 820, x + dx + 200, 1010); c.stroke();
    }
  },
  wires(c) {
    light(c, 700, 350, 1000, "#4a4d50", "#17191a");
    box(c, 700, 240, 470, 380, 26, "#202326");
    box(c, 730, 270, 410, 320, 18, "#303438");
    words(c, "FT-920", 935, 440, `bold 64px ${SANS}`, "#cfd6d8", "center");
    box(c, 640, 330, 80, 220, 8, "#e7e2d3");
    const wires = [["#c62828", "+30", 350], ["#111", "GND", 405], ["#f9a825", "ACC", 460], ["#f5f5f5", "DIN1", 515]];
    wires.forEach(([color, name, y], i) => {
      const end = 200 + i * 170;
      c.lineCap = "round";
      c.strokeStyle = "rgba(0,0,0,.45)"; c.lineWidth = 24;
      c.beginPath(); c.moveTo(640, y + 8); c.bezierCurveTo(460, y + 8, 420, end + 8, 60, end + 8); c.stroke();
      c.strokeStyle = color; c.lineWidth = 20;
      c.beginPath(); c.moveTo(640, y); c.bezierCurveTo(460, y, 420, end, 60, end); c.stroke();
      box(c, 120, end - 30, 130, 60, 8, "#f2efdf");
      words(c, name, 185, end + 15, `bold 40px ${SANS}`, "#111", "center");
    });
    box(c, 300, 160, 150, 90, 10, "#b71c1c");
    words(c, "3A", 375, 222, `bold 54px ${SANS}`, "#fff", "center");
  },
  vin(c) {
    light(c, 560, 360, 1000, "#6d757a", "#24292c");
    tilt(c, 1.6);
    box(c, 170, 260, 940, 440, 20, "#c3c7c9");
    box(c, 186, 276, 908, 408, 14, "#d9dcdd");
    for (const [x, y] of [[220, 310], [1060, 310], [220, 650], [1060, 650]]) { c.beginPath(); c.arc(x, y, 16, 0, 7); c.fillStyle = "#8b9296"; c.fill(); }
    words(c, "VIN", 270, 380, `bold 46px ${SANS}`, "#33393c");
    words(c, "1M8GDM9AXKP042788", 640, 490, `bold 74px ${MONO}`, "#1a1e20", "center");
    words(c, "GVWR 18 000 kg   2 900 kg", 270, 570, `38px ${SANS}`, "#33393c");
    words(c, "TYPE 042   2024", 270, 630, `38px ${SANS}`, "#33393c");
  },
  odometer(c) {
    light(c, 640, 480, 900, "#1f2629", "#07090a");
    for (const x of [360, 920]) {
      c.strokeStyle = "#9aa5a8"; c.lineWidth = 8; c.beginPath(); c.arc(x, 430, 260, Math.PI * 0.8, Math.PI * 2.2); c.stroke();
      for (let i = 0; i <= 10; i += 1) {
        const a = Math.PI * (0.8 + 0.14 * i);
        c.lineWidth = i % 2 ? 4 : 9; c.beginPath(); c.moveTo(x + Math.cos(a) * 220, 430 + Math.sin(a) * 220); c.lineTo(x + Math.cos(a) * 252, 430 + Math.sin(a) * 252); c.stroke();
      }
      c.strokeStyle = "#e53935"; c.lineWidth = 12; c.beginPath(); c.moveTo(x, 430); c.lineTo(x - 160, 560); c.stroke();
      c.beginPath(); c.arc(x, 430, 34, 0, 7); c.fillStyle = "#2b3235"; c.fill();
    }
    words(c, "km/h", 360, 380, `34px ${SANS}`, "#9aa5a8", "center");
    words(c, "x1000/min", 920, 380, `34px ${SANS}`, "#9aa5a8", "center");
    box(c, 430, 700, 420, 130, 14, "#0f2b2a");
    words(c, "184 327 km", 640, 788, `bold 62px ${MONO}`, "#8ff0df", "center");
  },
};

const NAMES = { plate: "samplePlate", label: "sampleLabel", meter: "sampleMeter", wires: "sampleWires", vin: "sampleVin", odometer: "sampleOdometer" };
const drawn = new Map();

function draw(name) {
  if (drawn.has(name)) return drawn.get(name);
  const canvas = el("canvas", { width: W, height: H });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.save();
  DRAWINGS[name](context);
  context.restore();
  noise(context, 26, name.length * 77);
  drawn.set(name, canvas);
  return canvas;
}

const toFile = (name) => new Promise((resolve) => draw(name).toBlob((blob) => resolve(new File([blob], `${name}.jpg`, { type: "image/jpeg" })), "image/jpeg", 0.86));

/** Lets the person pick; returns files, possibly none. */
export async function askSamples() {
  const chosen = new Set();
  const tiles = Object.keys(DRAWINGS).map((name) => {
    const small = el("canvas", { width: 320, height: 240 });
    small.getContext("2d").drawImage(draw(name), 0, 0, 320, 240);
    return el("button.sample", { type: "button", "aria-pressed": "false", onclick: (event) => {
      const on = !chosen.delete(name);
      if (on) chosen.add(name);
      event.currentTarget.setAttribute("aria-pressed", String(on));
      submit.textContent = chosen.size ? t("addN", { n: chosen.size }) : t("add");
      submit.disabled = !chosen.size;
    } }, small, el("span.sample-name", {}, icon("check"), t(NAMES[name])));
  });
  const { dialog, result } = openDialog({
    title: t("samplesTitle"), className: "wide",
    body: [el("p.hint", {}, t("samplesHint")), el("div.samples", {}, tiles)],
    actions: [{ text: t("add"), value: "ok", primary: true }, { text: t("cancel"), value: "" }],
  });
  const submit = dialog.querySelector("button[type=submit]");
  submit.disabled = true;
  return (await result) === "ok" ? Promise.all([...chosen].map(toFile)) : [];
}
