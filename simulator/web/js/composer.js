// Writing: text, attachments, replies, edits, commands, the reply keyboard.

import { api, isGroup } from "./api.js";
import { clearFiles, giveBack, hasFiles, openAttach, partsOf, setupAttach, takeFiles } from "./attach.js";
import { toggleBlock } from "./chat.js";
import { el, fill, iconButton, isPhone } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { errorText, forcedReply, replyKeyboard, replyKeyboardNode } from "./keyboard.js";
import { summary } from "./media.js";
import { chatOf, commandsOf, emit, fullName, isOwn, messagesOf, on, put, putNew, setBot, store } from "./store.js";
import { setupVoice } from "./voice.js";

const $ = (id) => document.getElementById(id);
let input, reply = null, editing = null;
let queue = Promise.resolve(), waiting = 0; // messages on their way
let keysShown = true, keysFor = null, forcedFor = null;
let choice = 0;

const draftKey = () => `draft/${store.person}/${store.bot}`;

export function setupComposer() {
  input = $("input");
  for (const [id, name] of [["attach", "attach"], ["mic", "mic"], ["keys-toggle", "keyboard"]]) $(id).append(icon(name));
  $("menu").prepend(icon("menu"));
  setupAttach(paintTools);
  setupVoice(send);
  input.addEventListener("input", () => {
    if (!editing) localStorage.setItem(draftKey(), input.value);
    if (!input.value) localStorage.removeItem(draftKey());
    grow();
    paintTools();
    paintCommands();
  });
  input.addEventListener("keydown", onKey);
  input.addEventListener("blur", () => setTimeout(() => $("commands").contains(document.activeElement) || hideCommands(), 150));
  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  $("attach").addEventListener("click", (event) => openAttach(event.currentTarget));
  $("menu").addEventListener("click", () => ($("commands").hidden ? showCommands(commandsOf()) : hideCommands()));
  // A tap on a tool must not close the on-screen keyboard, which would move the tool from under the finger.
  for (const id of ["send", "mic", "attach", "menu"]) $(id).addEventListener("mousedown", (event) => event.preventDefault());
  // On a phone the buttons give way to the on-screen keyboard; the toggle brings them back.
  let covered = false;
  $("keys-toggle").addEventListener("pointerdown", () => { covered = document.activeElement === input && isPhone(); });
  $("keys-toggle").addEventListener("click", () => {
    keysShown = covered || !keysShown;
    covered = false;
    paintKeys();
  });
  on("bot person", restore);
  on("messages", ({ bot }) => bot === store.bot && paint());
  on("chats state blocked language", paint);
  on("reply", ({ message }) => begin({ reply: message }));
  on("editing", ({ message }) => begin({ editing: message }));
  on("command", ({ text }) => sendText(text));
  on("compose", ({ text }) => {
    input.value = text;
    grow();
    paintTools();
    input.focus();
  });
}

function restore() {
  reply = editing = null;
  keysFor = forcedFor = null;
  keysShown = true;
  clearFiles();
  hideCommands();
  input.value = store.bot ? localStorage.getItem(draftKey()) ?? "" : "";
  grow();
  paint();
  if (store.bot && !isPhone()) input.focus({ preventScroll: true });
}

function begin(next) {
  editing = next.editing ?? null;
  reply = next.reply ?? null;
  if (editing) input.value = editing.text ?? editing.caption ?? "";
  grow();
  paint();
  input.focus();
}

function cancel() {
  if (editing) input.value = localStorage.getItem(draftKey()) ?? "";
  editing = reply = null;
  grow();
  paint();
  input.focus();
}

function grow() {
  input.style.blockSize = "auto";
  input.style.blockSize = `${Math.min(input.scrollHeight + 2, innerHeight * 0.34)}px`;
}

function onKey(event) {
  const commands = $("commands");
  const shown = !commands.hidden;
  if (shown && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    const count = commands.children.length;
    choice = (choice + (event.key === "ArrowDown" ? 1 : -1) + count) % count;
    markChoice();
  } else if (shown && event.key === "Tab" && !event.shiftKey) {
    event.preventDefault();
    input.value = `${commands.children[choice].dataset.command} `;
    hideCommands();
  } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    if (shown && commands.children[choice]) commands.children[choice].click();
    else send();
  } else if (event.key === "Escape") {
    if (shown) hideCommands();
    else if (editing || reply) cancel();
  } else if (event.key === "ArrowUp" && !input.value) {
    const last = messagesOf().findLast((m) => isOwn(m) && m.text);
    if (last) {
      event.preventDefault();
      begin({ editing: last });
    }
  }
}

async function sendText(text) {
  const { person, bot } = store;
  await deliver(bot, () => api.send({ person, bot, text }));
}

async function deliver(bot, work) {
  try {
    putNew(bot, await work());
    return true;
  } catch (error) {
    emit("toast", { text: t("sendFailed", { error: errorText(error) }) });
    return false;
  }
}

/** Sends what is written, one after another. What could not be sent comes back into the field. */
function send(voice) {
  const { person, bot } = store;
  const text = voice ? "" : input.value.trim();
  if (!bot) return;
  if (editing) return saveEdit(text);
  const taken = voice ? null : takeFiles();
  if (!text && !taken?.items.length && !voice) return giveBack(taken);
  const answered = reply;
  reply = null;
  if (!voice) input.value = "";
  grow();
  hideCommands();
  waiting += 1;
  paint();
  queue = queue.then(async () => {
    const ok = await sendParts({ person, bot, ...(answered ? { reply_to: answered.message_id } : {}) }, text, taken, voice);
    waiting -= 1;
    const here = store.bot === bot && store.person === person;
    if (ok && !(here && input.value)) localStorage.removeItem(`draft/${person}/${bot}`);
    if (!ok && here) {
      input.value ||= text;
      giveBack(taken);
      reply ??= answered;
      grow();
    }
    paint();
  });
  if (!isPhone() || document.activeElement === input) input.focus();
}

async function sendParts(message, text, taken, voice) {
  const { bot } = message;
  if (voice) return deliver(bot, () => api.send({ ...message, duration: voice.duration }, [voice]));
  if (!taken.items.length) return deliver(bot, () => api.send({ ...message, text }));
  const files = await partsOf(taken);
  // Pictures and films make one album, files another.
  const albums = [files.filter((f) => f.kind !== "document"), files.filter((f) => f.kind === "document")].filter((album) => album.length);
  for (const [i, album] of albums.entries()) {
    if (!(await deliver(bot, () => api.send({ ...message, ...(text && i === 0 ? { caption: text } : {}) }, album)))) return false;
  }
  return true;
}

async function saveEdit(text) {
  const { person, bot } = store;
  const message = editing;
  const field = message.text !== undefined ? "text" : "caption";
  if (!text && field === "text") return;
  if (text === (message[field] ?? "")) return cancel();
  try {
    put(bot, await api.edit(person, bot, message.message_id, { [field]: text }), true);
    cancel();
  } catch (error) {
    emit("toast", { text: t("failed", { error: errorText(error) }) });
  }
}

function paint() {
  const blocked = chatOf()?.blocked;
  const mustStart = store.bot && !isGroup(store.bot) && store.loaded.has(store.bot) && (store.start !== null || !messagesOf().length);
  const gate = $("gate");
  const gated = Boolean(store.bot) && (blocked || mustStart);
  gate.hidden = !gated;
  $("composer").hidden = !store.bot || gated;
  if (blocked) fill(gate, el("button.button.primary.big", { type: "button", onclick: () => toggleBlock(store.bot, false) }, t("unblock")));
  else if (mustStart) {
    if (!gate.querySelector(".start")) fill(gate, el("button.button.primary.big.start", { type: "button", onclick: pressStart }, t("start")));
    else gate.querySelector(".start").textContent = t("start");
  } else fill(gate);
  const asked = forcedReply();
  if (asked && forcedFor !== asked.message_id) {
    forcedFor = asked.message_id;
    reply = asked;
  }
  paintContext();
  paintKeys();
  paintTools();
}

async function pressStart(event) {
  const { person, bot, start } = store;
  const button = event.currentTarget;
  button.disabled = true;
  if (await deliver(bot, () => api.open(person, bot, start || undefined))) {
    await setBot(bot);
    emit("started");
  }
  button.disabled = false;
}

function paintContext() {
  const box = $("context");
  const target = editing ?? reply;
  box.hidden = !target;
  if (!target) return fill(box);
  const title = editing ? t("editing") : t("replyTo", { name: isOwn(target) ? t("you") : fullName(target.from) });
  fill(box, icon(editing ? "edit" : "reply"),
    el("span.context-text", {}, el("strong", {}, title), el("span", {}, summary(target))),
    iconButton("close", t("cancel"), cancel));
}

function paintKeys() {
  const keyboard = replyKeyboard();
  const box = $("keys");
  const toggle = $("keys-toggle");
  if (keyboard && keysFor !== `${keyboard.message_id}/${keyboard.used && keyboard.markup.one_time_keyboard}`) {
    keysFor = `${keyboard.message_id}/${keyboard.used && keyboard.markup.one_time_keyboard}`;
    keysShown = !(keyboard.used && keyboard.markup.one_time_keyboard);
  }
  const persistent = keyboard?.markup.is_persistent;
  toggle.hidden = !keyboard || persistent;
  toggle.setAttribute("aria-expanded", String(keysShown));
  toggle.setAttribute("aria-label", t(keysShown ? "keyboardHide" : "keyboardShow"));
  toggle.title = toggle.getAttribute("aria-label");
  const shown = Boolean(keyboard) && (keysShown || persistent) && !$("composer").hidden;
  box.hidden = !shown;
  const mark = shown ? `${store.person}/${store.bot}/${store.versions.get(messagesOf().find((m) => m.message_id === keyboard.message_id))}` : "";
  if (box.dataset.mark !== mark) {
    box.dataset.mark = mark;
    fill(box, shown ? replyKeyboardNode(keyboard, () => emit("stick")) : null);
  }
  const forced = forcedReply()?.reply_markup?.input_field_placeholder;
  input.placeholder = forced || (shown && keyboard.markup.input_field_placeholder) || t(hasFiles() ? "caption" : "placeholder");
}

function paintTools() {
  const filled = Boolean(input.value.trim()) || hasFiles();
  const sendButton = $("send");
  sendButton.disabled = !filled && !editing;
  sendButton.hidden = !filled && !editing;
  $("mic").hidden = filled || Boolean(editing);
  $("composer").classList.toggle("busy", waiting > 0);
  fill(sendButton, icon(editing ? "check" : "send"));
  sendButton.setAttribute("aria-label", t(editing ? "edit" : "send"));
  $("attach").hidden = Boolean(editing);
  $("menu").hidden = !commandsOf().length || Boolean(editing);
  input.placeholder = input.placeholder || t("placeholder");
}

function paintCommands() {
  const match = input.value.match(/^\/(\w*)$/);
  if (!match) return hideCommands();
  showCommands(commandsOf().filter((c) => c.command.startsWith(match[1].toLowerCase())));
}

function showCommands(commands) {
  const box = $("commands");
  if (!commands.length) return hideCommands();
  fill(box, commands.map((c, i) => el("div.command", {
    role: "option", id: `command-${i}`, dataset: { command: `/${c.command}` },
    onpointerdown: (event) => event.preventDefault(),
    onclick: async () => {
      hideCommands();
      if (input.value.startsWith("/")) {
        input.value = "";
        localStorage.removeItem(draftKey());
        grow();
        paintTools();
      }
      await sendText(`/${c.command}`);
    },
  }, el("span.mono", {}, `/${c.command}`), el("small", {}, c.description))));
  box.hidden = false;
  choice = 0;
  $("menu").setAttribute("aria-expanded", "true");
  markChoice();
  if (!isPhone()) input.focus({ preventScroll: true });
}

function markChoice() {
  [...$("commands").children].forEach((node, i) => {
    node.setAttribute("aria-selected", String(i === choice));
    if (i === choice) node.scrollIntoView({ block: "nearest" });
  });
  input.setAttribute("aria-activedescendant", `command-${choice}`);
}

function hideCommands() {
  $("commands").hidden = true;
  $("menu").setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}
