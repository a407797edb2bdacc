// The side panel: Bot API calls as they happen.

import { botName } from "./api.js";
import { copyText, el, fill, iconButton, isPhone } from "./dom.js";
import { clockSeconds, t } from "./i18n.js";
import { emit, on, same, store } from "./store.js";

const $ = (id) => document.getElementById(id);
const SHOWN = 200;
let paused = null; // calls at the moment of the pause
let cleared = 0; // seq up to which calls are hidden
const opened = new Set();

export function setupPanel() {
  const wanted = localStorage.getItem("panel") ?? (innerWidth >= 1180 ? "open" : "closed");
  toggle(wanted === "open" && !isPhone());
  on("panel", () => toggle(!document.body.classList.contains("panel-open"), true));
  // A busy bot makes many calls between two frames.
  let due = false;
  on("calls", () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      paint();
    });
  });
  on("bot person", paint);
  on("language", () => {
    $("calls").replaceChildren();
    paintHead();
    paint();
  });
  $("panel-filter").addEventListener("input", paint);
  $("panel").addEventListener("keydown", (event) => event.key === "Escape" && toggle(false, true));
  paintHead();
}

function toggle(open, byHand = false) {
  document.body.classList.toggle("panel-open", open);
  $("panel").hidden = !open;
  if (byHand) {
    if (!isPhone()) localStorage.setItem("panel", open ? "open" : "closed");
    if (open) $("panel").querySelector("button")?.focus({ preventScroll: true });
    else document.querySelector(".panel-toggle")?.focus({ preventScroll: true });
  }
  if (open) paint();
}

function paintHead() {
  const check = (id, word) => el("label.check", {}, el("input", { type: "checkbox", id, checked: $(id)?.checked ?? false, onchange: paint }), el("span", {}, t(word)));
  fill($("panel-tools"),
    el("h2", {}, t("calls")),
    iconButton(paused ? "play" : "pause", t(paused ? "resume" : "pause"), () => {
      paused = paused ? null : [...store.calls];
      paintHead();
      paint();
    }, { "aria-pressed": String(Boolean(paused)) }),
    iconButton("trash", t("clear"), () => {
      cleared = store.calls.at(-1)?.seq ?? 0;
      paint();
    }),
    iconButton("close", t("hideCalls"), () => toggle(false, true)));
  fill($("panel-checks"), check("only-errors", "errorsOnly"), check("only-bot", "thisBot"), el("a.link", { href: "/fidelity", target: "_blank", rel: "noopener" }, t("fidelity")));
}

const failed = (call) => call.response?.ok === false || call.response?.ok === undefined;

function paint() {
  if ($("panel").hidden) return;
  const text = $("panel-filter").value.trim().toLowerCase();
  const calls = (paused ?? store.calls)
    .filter((c) => c.seq > cleared && (!$("only-errors")?.checked || failed(c)) && (!$("only-bot")?.checked || same(c.bot, botName(store.bot))))
    .filter((c) => !text || c.method.toLowerCase().includes(text) || JSON.stringify([c.request, c.response]).toLowerCase().includes(text))
    .slice(-SHOWN).reverse();
  const list = $("calls");
  const kept = new Map([...list.children].map((node) => [node.dataset.seq, node]));
  const nodes = calls.map((call) => kept.get(`${call.seq}`) ?? row(call));
  if (!nodes.length) return fill(list, el("li.no-calls", {}, t("callsEmpty")));
  // Keep the focused row in the document: only insert what is new and drop what is gone.
  const wanted = new Set(nodes);
  for (const node of [...list.children]) if (!wanted.has(node)) node.remove();
  nodes.forEach((node, i) => list.children[i] !== node && list.insertBefore(node, list.children[i] ?? null));
}

function row(call) {
  const bad = failed(call);
  const body = el("div.call-body", { hidden: !opened.has(call.seq) });
  const head = el("button.call-head", { type: "button", "aria-expanded": String(opened.has(call.seq)), onclick: () => {
    const open = !opened.delete(call.seq);
    if (open) opened.add(call.seq);
    head.setAttribute("aria-expanded", String(open));
    body.hidden = !open;
    if (open && !body.firstChild) details(body, call);
  } },
  el("span.call-state", { class: bad ? "bad" : "good" }, bad ? String(call.response?.error_code ?? "—") : "ok"),
  el("span.call-method", {}, call.method),
  el("span.call-ms", {}, `${Math.round(call.ms ?? 0)} ${t("ms")}`),
  el("span.call-hint", {}, hint(call)),
  el("time", {}, clockSeconds(new Date(typeof call.at === "number" && call.at < 1e12 ? call.at * 1000 : call.at))));
  if (opened.has(call.seq)) details(body, call);
  return el("li.call", { dataset: { seq: call.seq } }, head, body);
}

function hint({ request, response }) {
  if (response?.ok === false) return response.description ?? "";
  const r = request ?? {};
  return String(r.text ?? r.caption ?? r.action ?? r.callback_query_id ?? r.file_id ?? r.message_id ?? r.chat_id ?? "");
}

function details(body, call) {
  const part = (word, value) => {
    const text = JSON.stringify(value, null, 2) ?? "null";
    return el("div.call-part", {},
      el("div.call-part-head", {}, el("span", {}, t(word)), iconButton("copy", t("copy"), async () => emit("toast", { text: t((await copyText(text)) ? "copied" : "copyFailed") }))),
      el("pre.json", { tabIndex: 0 }, paintJson(text)));
  };
  fill(body, el("div.call-bot", {}, `@${call.bot} · #${call.seq}`), part("request", call.request), part("response", call.response));
}

function paintJson(text) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(/("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g)) {
    nodes.push(text.slice(at, match.index));
    const kind = match[1] ? (match[2] ? "key" : "string") : "atom";
    nodes.push(el(`span.json-${kind}`, {}, match[1] ?? match[0]), match[2] ?? "");
    at = match.index + match[0].length;
  }
  return [...nodes, text.slice(at)];
}
