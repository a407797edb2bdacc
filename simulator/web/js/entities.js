// Message text with entities (offsets in UTF-16 units, as JavaScript counts) into DOM nodes.

import { copyText, el, iconButton } from "./dom.js";
import { language, t, tgTime } from "./i18n.js";
import { emit } from "./store.js";

const BLOCKS = new Set(["blockquote", "expandable_blockquote", "pre"]);

/** Nodes for `text`. Taps on commands and links go out as "command" and "link" events. */
export function rich(text, entities = []) {
  const root = document.createDocumentFragment();
  const sorted = [...(entities ?? [])]
    .filter((e) => e.length > 0 && e.offset >= 0 && e.offset < text.length)
    .sort((a, b) => a.offset - b.offset || b.length - a.length || (BLOCKS.has(b.type) ? 1 : 0) - (BLOCKS.has(a.type) ? 1 : 0));
  build(root, text, 0, text.length, sorted);
  return root;
}

function build(parent, text, start, end, entities) {
  let at = start;
  const queue = [...entities];
  let block = false;
  const plain = (from, to) => {
    let part = text.slice(from, to);
    if (block && part.startsWith("\n")) part = part.slice(1); // the block already broke the line
    if (part) parent.append(part);
    if (to > from) block = false;
  };
  while (queue.length) {
    const entity = queue.shift();
    const from = Math.max(entity.offset, at);
    const to = Math.min(entity.offset + entity.length, end);
    if (to <= from) continue;
    plain(at, from);
    const inside = [];
    for (let i = 0; i < queue.length && queue[i].offset < to;) {
      const child = queue[i];
      const childEnd = child.offset + child.length;
      inside.push(childEnd > to ? { ...child, length: to - child.offset } : child);
      if (childEnd > to) {
        queue[i] = { ...child, offset: to, length: childEnd - to };
        i += 1;
      } else queue.splice(i, 1);
    }
    const body = document.createDocumentFragment();
    const raw = text.slice(from, to);
    if (entity.type === "pre" || entity.type === "code") body.append(raw);
    else build(body, text, from, to, inside);
    parent.append(dress(entity, body, raw));
    block = BLOCKS.has(entity.type);
    at = to;
  }
  plain(at, end);
}

function dress(entity, body, raw) {
  switch (entity.type) {
    case "bold": return el("strong", {}, body);
    case "italic": return el("em", {}, body);
    case "underline": return el("u", {}, body);
    case "strikethrough": return el("s", {}, body);
    case "spoiler": return spoiler(body);
    case "code": return el("code", { role: "button", tabIndex: 0, title: t("copy"), onclick: () => copied(raw), onkeydown: press }, body);
    case "pre": return pre(entity.language, body, raw);
    case "blockquote": return el("blockquote", {}, body);
    case "expandable_blockquote": return expandable(body, raw);
    case "text_link": return link(entity.url, body);
    case "url": return link(/^[a-z][a-z0-9+.-]*:/i.test(raw) ? raw : `https://${raw}`, body);
    case "email": return link(`mailto:${raw}`, body);
    case "phone_number": return link(`tel:${raw.replace(/[^\d+]/g, "")}`, body);
    case "mention": return link(`https://t.me/${raw.slice(1)}`, body);
    case "text_mention": return el("span.mention", { title: entity.user?.username ?? entity.user?.first_name }, body);
    case "bot_command": return action(body, () => emit("command", { text: raw }));
    case "hashtag": case "cashtag": return el("span.tag", {}, body);
    case "date_time": return time(entity, body, raw);
    default: return el("span", {}, body);
  }
}

async function copied(text) {
  emit("toast", { text: t((await copyText(text)) ? "copied" : "copyFailed") });
}

/** Enter and Space act like a tap on things that are not buttons by birth. */
export function press(event) {
  if (event.key !== "Enter" && event.key !== " ") return;
  event.preventDefault();
  event.currentTarget.click();
}

const action = (body, onclick) => el("a.link", { role: "button", tabIndex: 0, onclick, onkeydown: press }, body);

function link(url, body) {
  const safe = /^(https?|mailto|tel|tg):/i.test(url ?? "") ? url : null;
  if (!safe) return el("span", {}, body);
  return el("a.link", {
    href: safe, target: "_blank", rel: "noopener noreferrer nofollow", title: safe,
    onclick: (event) => emit("link", { url: safe, event }),
  }, body);
}

function spoiler(body) {
  const inner = el("span.spoiler-text", { "aria-hidden": "true" }, body);
  const node = el("span.spoiler", { role: "button", tabIndex: 0, "aria-label": t("spoiler"), onkeydown: press }, inner);
  const reveal = (event) => {
    if (node.classList.contains("shown")) return;
    event.preventDefault();
    event.stopPropagation();
    node.classList.add("shown");
    inner.removeAttribute("aria-hidden");
    for (const name of ["role", "tabindex", "aria-label"]) node.removeAttribute(name);
  };
  node.addEventListener("click", reveal, true);
  return node;
}

function pre(lang, body, raw) {
  return el("div.code-block", {},
    el("div.code-head", {}, el("span", {}, lang || "code"), iconButton("copy", t("copy"), () => copied(raw))),
    el("pre", { tabIndex: 0 }, el("code.plain", {}, body)));
}

function expandable(body, raw) {
  const long = raw.length > 130 || raw.split("\n").length > 3;
  const content = el("div.quote-body", {}, body);
  const node = el("blockquote.expandable", {}, content);
  if (!long) return node;
  node.classList.add("folded");
  const toggle = el("button.quote-toggle", { type: "button", "aria-expanded": "false" }, t("showMore"));
  const flip = () => {
    const folded = node.classList.toggle("folded");
    toggle.textContent = t(folded ? "showMore" : "showLess");
    toggle.setAttribute("aria-expanded", String(!folded));
  };
  toggle.addEventListener("click", flip);
  content.addEventListener("click", (event) => node.classList.contains("folded") && !event.target.closest("a, .spoiler") && flip());
  node.append(toggle);
  return node;
}

function time(entity, body, raw) {
  const unix = entity.unix_time;
  if (!unix) return el("span", {}, body);
  const spec = entity.date_time_format ?? "";
  const full = new Intl.DateTimeFormat(language(), { dateStyle: "full", timeStyle: "short" }).format(unix * 1000);
  return el("time.tg-time", { datetime: new Date(unix * 1000).toISOString(), title: full, dataset: { raw } }, spec ? tgTime(unix, spec) : body);
}
