// One bubble: a message or an album.

import { isGroup } from "./api.js";
import { el, iconButton } from "./dom.js";
import { rich } from "./entities.js";
import { icon } from "./icons.js";
import { clock, t } from "./i18n.js";
import { inlineKeyboard } from "./keyboard.js";
import { mediaOf, summary } from "./media.js";
import { openMenu } from "./menu.js";
import { emit, fullName, isOwn } from "./store.js";

const SERVICE = ["pinned_message", "new_chat_members", "left_chat_member", "group_chat_created", "supergroup_chat_created", "migrate_to_chat_id", "migrate_from_chat_id", "users_shared", "chat_shared", "web_app_data", "write_access_allowed", "forum_topic_created", "new_chat_title", "successful_payment"];
const serviceOf = (message) => SERVICE.find((name) => name in message);

/** Consecutive parts of one album become one item. */
export function itemsOf(messages) {
  const items = [];
  for (const message of messages) {
    const last = items.at(-1);
    if (message.media_group_id && last?.group === message.media_group_id) last.messages.push(message);
    else items.push({ key: `m${message.message_id}`, group: message.media_group_id, messages: [message] });
  }
  return items;
}

export function bubble(bot, item, answered) {
  const [first] = item.messages;
  const service = serviceOf(first);
  if (service) return serviceNote(first, service);
  const own = isOwn(first);
  const name = own ? t("you") : fullName(first.from);
  const album = item.messages.length > 1;
  const spoken = item.messages.find((m) => m.text ?? m.caption) ?? first;
  const text = spoken.text ?? spoken.caption;
  const media = album ? albumGrid(item.messages) : mediaOf(first);
  const shell = el("div.bubble", {});
  const above = spoken.show_caption_above_media;

  if (isGroup(bot) && !own) shell.append(el("div.sender", {}, name));
  if (first.forward_origin) shell.append(el("div.forwarded", {}, t("forwarded", { name: originName(first.forward_origin) })));
  const quote = replyPreview(first);
  if (quote) shell.append(quote);
  const words = text ? el("div.text", { dir: "auto" }, rich(text, spoken.entities ?? spoken.caption_entities)) : null;
  if (words && above) shell.append(words);
  if (media) {
    const visual = album ? isVisual(first) : isVisual(first) || first.sticker;
    media.classList.add("media");
    if (visual) shell.classList.add("visual");
    if (first.sticker) shell.classList.add("bare");
    shell.append(media);
  }
  if (words && !above) shell.append(words);
  if (!media && !words) shell.append(el("div.text.unsupported", {}, t("unsupported")));
  if (words && !above) shell.classList.add("worded");
  if (media && !words) shell.classList.add("wordless");
  if (text && !media && isBigEmoji(text)) shell.classList.add("emoji");
  const time = stamp(item.messages.at(-1), own, answered);
  if (words && !above) {
    // Room for the time on the last line.
    const room = time.cloneNode(true);
    room.className = "stamp-room";
    room.setAttribute("aria-hidden", "true");
    words.append(room);
  }
  shell.append(time);

  const keys = inlineKeyboard(bot, item.messages.find((m) => m.reply_markup?.inline_keyboard) ?? first);
  const more = iconButton("more", t("actions"), (event) => openMenu(item, event.currentTarget), { class: "bubble-more" });
  const node = el("article.message", {
    class: `${own ? "own" : "theirs"} ${keys ? "with-keys" : ""}`,
    "aria-label": `${name}, ${clock(first.date)}`,
    dataset: { id: first.message_id },
  }, el("div.message-body", {}, shell, keys), more);
  pressLong(node, shell, item);
  const reactions = item.messages.flatMap((m) => m.sim_reactions ?? []);
  if (reactions.length) shell.after(el("div.reactions", {}, reactions.map((r) => el("span.reaction", {}, r.emoji ?? "★"))));
  return node;
}

const isVisual = (m) => Boolean(m.photo || m.video || m.animation);
const isBigEmoji = (text) => text.length <= 12 && /^(\p{Extended_Pictographic}|\p{Emoji_Modifier}|\u200d|\ufe0f|\s)+$/u.test(text);

function albumGrid(messages) {
  const visual = isVisual(messages[0]);
  return el(visual ? "div.album" : "div.album-list", { role: "group", "aria-label": t("album"), dataset: { count: messages.length } },
    messages.map((m) => mediaOf(m, visual)));
}

function stamp(message, own, answered) {
  return el("span.stamp", {},
    message.edit_date && !message.edit_hide ? el("span.edited", {}, t("edited")) : null,
    el("time", { datetime: new Date(message.date * 1000).toISOString() }, clock(message.date)),
    own ? icon(answered ? "checks" : "check", t(answered ? "answered" : "sent")) : null);
}

function originName(origin) {
  return origin.sender_user_name ?? fullName(origin.sender_user ?? {}) ?? origin.chat?.title ?? "?";
}

function replyPreview(message) {
  const to = message.reply_to_message;
  if (!to) return null;
  const text = message.quote?.text ?? summary(to);
  return el("button.reply-preview", { type: "button", onclick: () => emit("jump", { id: to.message_id }) },
    el("span.reply-name", {}, isOwn(to) ? t("you") : fullName(to.from)),
    el("span.reply-text", {}, text));
}

function serviceNote(message, service) {
  const text = service === "pinned_message" ? `${t("pinned")}: ${summary(message.pinned_message)}` : groupNote(message, service) ?? `${t("service")}: ${service}`;
  return el("div.service", { dataset: { id: message.message_id } }, el("span", {}, text));
}

function groupNote(message, service) {
  const by = fullName(message.from);
  const self = (user) => user.id === message.from?.id;
  if (service === "new_chat_members") {
    const names = message.new_chat_members.map(fullName).join(", ");
    return message.new_chat_members.every(self) ? t("joined", { name: by }) : t("added", { by, names });
  }
  if (service === "left_chat_member") {
    const user = message.left_chat_member;
    return self(user) ? t("left", { name: by }) : t("removed", { by, names: fullName(user) });
  }
  if (service.endsWith("chat_created")) return t("founded", { by });
  if (service.startsWith("migrate_")) return t("upgraded");
  return null;
}

// A long press or the right button opens the actions.
function pressLong(node, shell, item) {
  let timer, from;
  const stop = () => clearTimeout(timer);
  shell.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse") return;
    from = [event.clientX, event.clientY];
    timer = setTimeout(() => {
      navigator.vibrate?.(10);
      openMenu(item, node.querySelector(".bubble-more"), { x: from[0], y: from[1], touch: true });
    }, 480);
  });
  shell.addEventListener("pointermove", (event) => {
    if (from && Math.hypot(event.clientX - from[0], event.clientY - from[1]) > 10) stop();
  });
  for (const name of ["pointerup", "pointercancel", "pointerleave"]) shell.addEventListener(name, stop);
  shell.addEventListener("contextmenu", (event) => {
    if (event.target.closest("a[href]") || String(getSelection())) return;
    event.preventDefault();
    stop();
    if (!document.querySelector(".popup")) openMenu(item, node.querySelector(".bubble-more"), { x: event.clientX, y: event.clientY });
  });
}

/** A live draft: the text so far, or "thinking". */
export function draftBubble(name, draft) {
  const text = draft.text
    ? el("div.text", { dir: "auto" }, rich(draft.text, draft.entities))
    : el("div.text.thinking", {}, t("thinking"));
  return el("article.message.theirs.draft", { "aria-label": name },
    el("div.message-body", {}, el("div.bubble", {}, text)));
}
