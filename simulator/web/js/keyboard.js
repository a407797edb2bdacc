// Buttons under messages and the reply keyboard.

import { api, botName } from "./api.js";
import { copyText, el, openDialog } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { askContact, askLocation } from "./forms.js";
import { emit, isOwn, messagesOf, on, putNew, store } from "./store.js";
import { openLink } from "./links.js";

const WAIT_MS = 20000;
const waiting = new Map(); // "bot/message/row/col" -> {data, callback, timer}
const answers = new Map(); // callback_query_id -> answer that came before the reply to the tap

const keyOf = (bot, id, row, col) => `${bot}/${id}/${row}/${col}`;

function settle(key) {
  clearTimeout(waiting.get(key)?.timer);
  waiting.delete(key);
  for (const button of document.querySelectorAll(".inline-keyboard .busy")) {
    if (button.dataset.key === key) setBusy(button, false);
  }
}

function setBusy(button, busy) {
  button.classList.toggle("busy", busy);
  button.setAttribute("aria-busy", String(busy));
}

function show(answer) {
  if (answer.url) openLink(answer.url);
  if (!answer.text) return;
  if (answer.show_alert) {
    openDialog({
      label: t("message"), className: "alert", body: [el("p.alert-text", {}, answer.text)],
      actions: [{ text: t("ok"), value: "ok", primary: true }],
    });
  } else emit("toast", { text: answer.text });
}

on("answer", (answer) => {
  const mine = [...waiting].find(([, wait]) => wait.callback === answer.callback_query_id);
  if (mine) settle(mine[0]);
  else {
    answers.set(answer.callback_query_id, answer);
    setTimeout(() => answers.delete(answer.callback_query_id), WAIT_MS);
  }
  show(answer);
});

async function tap(bot, message, row, col, button) {
  const key = keyOf(bot, message.message_id, row, col);
  if (waiting.has(key)) return;
  const wait = { data: button.dataset.data };
  wait.timer = setTimeout(() => {
    settle(key);
    emit("toast", { text: t("noAnswer") });
  }, WAIT_MS);
  waiting.set(key, wait);
  setBusy(button, true);
  try {
    const { callback_query_id, url } = await api.tap(store.person, bot, message.message_id, row, col);
    if (url) {
      settle(key);
      openLink(url);
    } else if (answers.delete(callback_query_id)) settle(key);
    else wait.callback = callback_query_id;
  } catch (error) {
    settle(key);
    emit("toast", { text: t("failed", { error: errorText(error) }) });
  }
}

export const errorText = (error) => (error.status === 0 ? t("noNetwork") : error.message);

const known = ["primary", "success", "danger"];
const styleClass = (button) => (known.includes(button.style) ? button.style : "");

export function inlineKeyboard(bot, message) {
  const rows = message.reply_markup?.inline_keyboard;
  if (!rows?.length) return null;
  return el("div.inline-keyboard", { role: "group", "aria-label": t("keyboard") }, rows.map((row, r) =>
    el("div.key-row", {}, row.map((button, c) => inlineButton(bot, message, button, r, c)))));
}

function inlineButton(bot, message, button, r, c) {
  const key = keyOf(bot, message.message_id, r, c);
  const data = button.callback_data;
  const wait = waiting.get(key);
  // The bot may have replaced the keyboard: the waiting button is then another one.
  const busy = Boolean(wait) && wait.data === (data ?? "");
  const corner = button.url || button.login_url ? "external" : button.copy_text ? "copy" : button.web_app ? "window" : null;
  const hint = corner === "external" ? t("buttonOpens") : corner === "copy" ? t("buttonCopies") : "";
  const node = el("button.key", {
    type: "button", class: styleClass(button), disabled: Boolean(button.disabled), title: button.url,
    "aria-label": hint ? `${button.text}, ${hint}` : null, "aria-busy": String(busy),
    dataset: { key, data: data ?? "", spot: `${r}/${c}` },
  }, el("span.key-text", {}, button.text), corner && icon(corner), el("span.key-wait", { "aria-hidden": "true" }));
  if (busy) node.classList.add("busy");
  node.addEventListener("click", async () => {
    if (button.url) openLink(button.url);
    else if (button.copy_text) emit("toast", { text: t((await copyText(button.copy_text.text)) ? "copied" : "copyFailed") });
    else if (data !== undefined) tap(bot, message, r, c, node);
    else if (button.switch_inline_query_current_chat !== undefined) {
      emit("compose", { text: `@${botName(bot)} ${button.switch_inline_query_current_chat}` });
    } else {
      const kind = ["web_app", "login_url", "switch_inline_query", "pay", "callback_game"].find((k) => k in button);
      emit("toast", { text: t("notSimulated", { name: kind ?? "?" }) });
    }
  });
  return node;
}

/** The reply keyboard in force: {markup, message_id, used} or null. */
export function replyKeyboard(bot = store.bot) {
  const list = messagesOf(bot);
  for (let i = list.length - 1; i >= 0; i -= 1) {
    const markup = list[i].reply_markup;
    if (isOwn(list[i]) || !markup) continue;
    if (markup.remove_keyboard) return null;
    if (!markup.keyboard) continue;
    const labels = new Set(markup.keyboard.flat().map((b) => b.text ?? b));
    const used = list.slice(i + 1).some((m) => isOwn(m) && (labels.has(m.text) || m.contact || m.location));
    return { markup, message_id: list[i].message_id, used };
  }
  return null;
}

/** The last message of the bot, when it asks for a reply. */
export function forcedReply(bot = store.bot) {
  const last = messagesOf(bot).at(-1);
  return last && !isOwn(last) && last.reply_markup?.force_reply ? last : null;
}

export function replyKeyboardNode(keyboard, done) {
  const { markup } = keyboard;
  return el("div.reply-keys", { role: "group", "aria-label": t("keyboard"), class: markup.resize_keyboard ? "fit" : "" },
    markup.keyboard.map((row) => el("div.key-row", {}, row.map((item) => {
      const button = typeof item === "string" ? { text: item } : item;
      const sign = button.request_contact ? "person" : button.request_location ? "pin" : button.web_app ? "window" : null;
      return el("button.key", { type: "button", class: styleClass(button), onclick: () => pressKey(button, done) },
        sign && icon(sign), el("span.key-text", {}, button.text));
    }))));
}

// A one-time keyboard is gone for the simulator after its first press; the person may still have it open.
async function pressOrSay(person, bot, text) {
  try {
    return await api.press(person, bot, text);
  } catch (error) {
    if (error.status !== 400) throw error;
    return api.send({ person, bot, text });
  }
}

async function pressKey(button, done) {
  const bot = store.bot;
  const person = store.person;
  try {
    if (button.request_contact) {
      const contact = await askContact(t("shareContactAsk"));
      if (contact) putNew(bot, await api.send({ person, bot, contact }));
    } else if (button.request_location) {
      const location = await askLocation(t("shareLocationAsk"));
      if (location) putNew(bot, await api.send({ person, bot, location }));
    } else if (button.web_app || button.request_users || button.request_chat || button.request_poll) {
      emit("toast", { text: t("notSimulated", { name: Object.keys(button).find((k) => k !== "text" && k !== "style") }) });
      return;
    } else putNew(bot, await pressOrSay(person, bot, button.text));
    done?.();
  } catch (error) {
    emit("toast", { text: t("sendFailed", { error: errorText(error) }) });
  }
}
