// The conversation: header, messages, scrolling.

import { api, botName, isGroup, transcriptUrl } from "./api.js";
import { bubble, draftBubble, itemsOf } from "./bubble.js";
import { avatar, calm, copyText, el, fill, iconButton, openDialog } from "./dom.js";
import { icon } from "./icons.js";
import { dayKey, dayName, hasWord, t } from "./i18n.js";
import { summary } from "./media.js";
import { botOf, chatOf, commandsOf, emit, fullName, isOwn, loadChats, messagesOf, on, personOf, store, titleOf } from "./store.js";

const $ = (id) => document.getElementById(id);
let log, list, jump, live;
let stuck = true; // the person looks at the newest message
let fresh = 0; // new messages below the view
let rows = new Map(); // key -> {node, version}

export function setupChat() {
  log = $("log");
  list = $("list");
  jump = $("jump");
  live = $("live");
  // Growing content and a shrinking view do not move scrollTop up; only a person does.
  let top = 0;
  log.addEventListener("scroll", () => {
    if (log.scrollHeight - log.scrollTop - log.clientHeight < 60) stuck = true;
    else if (log.scrollTop < top - 1) stuck = false;
    top = log.scrollTop;
    if (stuck) fresh = 0;
    paintJump();
  }, { passive: true });
  new ResizeObserver(() => stuck && toBottom(false)).observe(list);
  new ResizeObserver(() => stuck && toBottom(false)).observe(log);
  jump.addEventListener("click", () => {
    toBottom(true);
    $("input").focus({ preventScroll: true });
  });
  on("person bot", () => {
    rows = new Map();
    list.replaceChildren();
    stuck = true;
    fresh = 0;
    paint();
  });
  on("messages", onMessages);
  on("drafts", ({ bot }) => bot === store.bot && paintLive());
  on("typing", ({ bot }) => bot === store.bot && (paintHeader(), paintLive()));
  on("chats state online", paintHeader);
  on("state", paintEmpty);
  on("language", () => {
    rows = new Map();
    paint();
  });
  on("jump", ({ id }) => jumpTo(id));
  on("stick", () => toBottom(false));
}

function onMessages({ bot, message, added, edited }) {
  if (bot !== store.bot) return;
  if (added && message) {
    if (isOwn(message)) stuck = true;
    else {
      if (!stuck) fresh += 1;
      announce(t("from", { name: fullName(message.from), text: summary(message) }));
    }
  }
  paintMessages(edited);
}

export function announce(text) {
  const line = el("div", {}, text);
  $("announce").append(line);
  setTimeout(() => line.remove(), 4000);
}

function paint() {
  paintHeader();
  paintMessages();
  paintLive();
  toBottom(false);
}

function paintHeader() {
  const person = personOf();
  document.body.classList.toggle("in-chat", Boolean(store.bot));
  const header = $("chat-header");
  if (!store.bot) return fill(header);
  const typing = store.typing.get(store.bot);
  const chat = chatOf();
  const status = typing ? `${t(hasWord(typing.action) ? typing.action : "typing")}…` : chat?.blocked ? t("blocked") : isGroup(store.bot) ? t("members", { n: chat?.members ?? "" }) : `@${store.bot}`;
  const name = titleOf();
  const focused = header.contains(document.activeElement) ? document.activeElement.dataset.role : null;
  fill(header,
    iconButton("back", t("back"), () => emit("navigate", { bot: null }), { class: "only-phone", dataset: { role: "back" } }),
    el("button.chat-title", { type: "button", title: t("profile"), onclick: showProfile, dataset: { role: "title" } },
      avatar(name, store.bot, "small"),
      el("span.chat-names", {}, el("span.chat-name", {}, name), el("span.chat-status", { class: typing ? "typing" : "" }, status))),
    el("button.me", { type: "button", title: t("switchPerson"), onclick: (e) => emit("people", { anchor: e.currentTarget }), dataset: { role: "me" } },
      el("span.me-words", {}, el("small", {}, t("whoAreYou")), el("span", {}, person?.first_name ?? "?")), avatar(fullName(person), store.person, "small person-face")),
    iconButton("code", t("showCalls"), () => emit("panel"), { dataset: { role: "panel" }, class: "panel-toggle" }));
  if (focused) header.querySelector(`[data-role="${focused}"]`)?.focus();
}

/** Rows that did not change keep their node: open quotes, playing sound and focus stay. */
function paintMessages(edited = false) {
  const messages = messagesOf();
  const lastTheirs = messages.findLast?.((m) => !isOwn(m))?.message_id ?? 0;
  const wanted = [];
  let day = null, before = null;
  for (const item of itemsOf(messages)) {
    const [first] = item.messages;
    if (dayKey(first.date) !== day) {
      day = dayKey(first.date);
      wanted.push({ key: `d${day}`, version: dayName(first.date), make: () => el("div.day", {}, el("span", {}, dayName(first.date))) });
      before = null;
    }
    const own = isOwn(first);
    const answered = own && lastTheirs > first.message_id;
    const version = `${item.messages.map((m) => store.versions.get(m)).join()}/${answered}`;
    wanted.push({ key: item.key, version, make: () => bubble(store.bot, item, answered), follows: before !== null && before === own });
    before = own;
  }
  const next = new Map();
  let cursor = list.firstChild;
  for (const { key, version, make, follows } of wanted) {
    const old = rows.get(key);
    let node = old?.node;
    if (!old || old.version !== version) {
      node = make();
      if (old) replace(old.node, node, edited);
      else if (rows.size) enter(node);
    }
    if (cursor === old?.node && old.node !== node) cursor = node;
    if (node !== cursor) list.insertBefore(node, cursor);
    else cursor = cursor.nextSibling;
    node.classList.toggle("follows", Boolean(follows));
    next.set(key, { node, version });
  }
  while (cursor) {
    const after = cursor.nextSibling;
    cursor.remove();
    cursor = after;
  }
  rows = next;
  paintEmpty();
  if (stuck) toBottom(false);
  paintJump();
}

function replace(old, node, edited) {
  const height = old.querySelector(".message-body")?.offsetHeight;
  const active = document.activeElement;
  const spot = old.contains(active) ? active.dataset.spot ?? null : null;
  const held = old.contains(active);
  const unfolded = [...old.querySelectorAll("blockquote.expandable")].map((q) => !q.classList.contains("folded"));
  old.replaceWith(node);
  node.querySelectorAll("blockquote.expandable.folded").forEach((q, i) => unfolded[i] && q.querySelector(".quote-toggle").click());
  if (held) (node.querySelector(`[data-spot="${spot}"]`) ?? node.querySelector(".key") ?? $("input")).focus({ preventScroll: true });
  const body = node.querySelector(".message-body");
  if (!edited || calm() || !body || !height) return;
  const target = body.offsetHeight;
  if (Math.abs(target - height) > 2) body.animate([{ height: `${height}px`, overflow: "clip" }, { height: `${target}px`, overflow: "clip" }], { duration: 170, easing: "ease-out" });
  node.querySelector(".text")?.animate([{ opacity: 0.35 }, { opacity: 1 }], { duration: 220 });
}

function enter(node) {
  if (calm()) return;
  node.animate([{ opacity: 0, transform: "translateY(10px)" }, { opacity: 1, transform: "none" }], { duration: 160, easing: "ease-out" });
}

// Drafts and "typing" live below the messages.
function paintLive() {
  const bot = store.bot;
  const drafts = [...(store.drafts.get(bot) ?? [])];
  const nodes = drafts.map(([, draft]) => draftBubble(fullName(botOf()), draft));
  if (!drafts.length && store.typing.has(bot)) nodes.push(el("div.dots", { "aria-hidden": "true" }, el("i"), el("i"), el("i")));
  fill(live, nodes);
  if (stuck) toBottom(false);
}

function paintEmpty() {
  const box = $("empty");
  const shown = store.bot && store.loaded.has(store.bot) && !messagesOf().length;
  box.hidden = !shown && Boolean(store.bot);
  document.body.classList.toggle("chat-empty", Boolean(shown));
  if (!store.bot) return fill(box, el("div.nothing", {}, icon("samples"), el("p", {}, t("pickChat"))));
  if (!shown) return fill(box);
  const bot = isGroup(store.bot) ? null : botOf();
  const about = bot?.description || bot?.short_description;
  fill(box, el("div.hello", {}, avatar(titleOf(), store.bot, "large"),
    el("h2", {}, titleOf()),
    about && [el("h3", {}, t("whatCan")), el("p", {}, about)],
    store.start ? el("p.payload", {}, t("startPayload", { payload: store.start })) : el("p.hint", {}, t("startHint"))));
}

function paintJump() {
  jump.hidden = stuck || !store.bot;
  fill(jump, fresh ? el("span", {}, `${t("newMessages")} ${fresh}`) : null, icon("down"));
  jump.setAttribute("aria-label", t("toBottom"));
}

function toBottom(smooth) {
  log.scrollTo({ top: log.scrollHeight, behavior: smooth && !calm() ? "smooth" : "instant" });
  if (!smooth) stuck = true;
}

function jumpTo(id) {
  const target = [...list.querySelectorAll("[data-id]")].findLast((node) => Number(node.dataset.id) <= id);
  if (!target) return;
  stuck = false;
  target.scrollIntoView({ block: "center", behavior: calm() ? "instant" : "smooth" });
  target.classList.remove("flash");
  void target.offsetWidth;
  target.classList.add("flash");
}

function showProfile() {
  const chat = chatOf();
  const name = store.bot;
  if (isGroup(name)) return showGroup(name, chat);
  const bot = botOf();
  const commands = commandsOf(bot);
  const link = `https://t.me/${name}`;
  const { dialog } = openDialog({
    label: t("profile"), className: "profile",
    body: [
      el("div.profile-head", {}, avatar(bot?.first_name ?? name, name, "large"), el("h2", {}, bot?.first_name ?? name), el("p", {}, `@${name} · ${t("bot")}`)),
      (bot?.description || bot?.short_description) && el("p.profile-about", {}, bot.short_description || bot.description),
      commands.length > 0 && el("div.profile-commands", {}, el("h3", {}, t("commands")), commands.map((c) =>
        el("button.choice", { type: "button", onclick: () => { dialog.close(""); emit("command", { text: `/${c.command}` }); } },
          el("span.choice-text", {}, el("span.mono", {}, `/${c.command}`), el("small", {}, c.description))))),
      el("div.choices", {},
        el("button.choice", { type: "button", onclick: async () => emit("toast", { text: t((await copyText(link)) ? "copied" : "copyFailed") }) }, icon("link"), el("span", {}, t("copyLink"))),
        el("a.choice", { href: transcriptUrl(store.person, name), download: `${name}.txt` }, icon("download"), el("span", {}, t("transcript"))),
        el("button.choice.danger", { type: "button", onclick: () => { dialog.close(""); toggleBlock(name, !chat?.blocked); } }, icon("block"), el("span", {}, t(chat?.blocked ? "unblock" : "block")))),
    ],
    actions: [{ text: t("close"), value: "ok", primary: true }],
  });
}

function showGroup(name, chat) {
  openDialog({
    label: t("group"), className: "profile",
    body: [
      el("div.profile-head", {}, avatar(titleOf(name), name, "large"), el("h2", {}, titleOf(name)), el("p", {}, `${t("members", { n: chat?.members ?? "" })} · @${botName(name)}`)),
      el("div.choices", {},
        el("a.choice", { href: transcriptUrl(store.person, name), download: `${titleOf(name)}.txt` }, icon("download"), el("span", {}, t("transcript")))),
    ],
    actions: [{ text: t("close"), value: "ok", primary: true }],
  });
}

export async function toggleBlock(name, block) {
  if (block) {
    const { result } = openDialog({
      title: t("block"), body: [el("p", {}, t("blockAsk", { name }))],
      actions: [{ text: t("block"), value: "ok", primary: true, danger: true }, { text: t("cancel"), value: "" }],
    });
    if ((await result) !== "ok") return;
  }
  try {
    await (block ? api.block : api.unblock)(store.person, name);
    await loadChats();
    emit("blocked");
  } catch (error) {
    emit("toast", { text: t("failed", { error: error.message }) });
  }
}

