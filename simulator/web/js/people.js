// The left column: who the person is, the chats, the link field, the settings.

import { api } from "./api.js";
import { add, avatar, el, fill, iconButton, openDialog } from "./dom.js";
import { askPerson } from "./forms.js";
import { icon } from "./icons.js";
import { hasWord, language, setLanguage, shortWhen, t } from "./i18n.js";
import { errorText } from "./keyboard.js";
import { openBot, parseBotLink } from "./links.js";
import { summary } from "./media.js";
import { emit, fullName, isOwn, loadState, on, personOf, store } from "./store.js";

const $ = (id) => document.getElementById(id);
const THEMES = ["auto", "light", "dark"];
const theme = () => localStorage.getItem("theme") ?? "auto";

export function setupPeople() {
  applyTheme();
  $("link-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const target = parseBotLink($("link").value);
    if (!target) return emit("toast", { text: t("badLink") });
    $("link").value = "";
    openBot(target.bot, target.start);
  });
  on("person state language", paintPeople);
  on("person state chats bot typing language", paintChats);
  on("language", paintWords);
  on("people", () => choosePerson());
  paintWords();
}

function paintWords() {
  document.title = t("app");
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-t-label]")) {
    node.setAttribute("aria-label", t(node.dataset.tLabel));
    if (node.matches("button, .sim-mark")) node.title = t(node.dataset.tLabel);
  }
  for (const node of document.querySelectorAll("[data-t-placeholder]")) node.placeholder = t(node.dataset.tPlaceholder);
  const words = { auto: "themeAuto", light: "themeLight", dark: "themeDark" };
  fill($("settings"),
    iconButton({ auto: "auto", light: "sun", dark: "moon" }[theme()], t(words[theme()]), (event) => {
      localStorage.setItem("theme", THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length]);
      applyTheme();
      paintWords();
      $("settings").firstChild.focus();
      void event;
    }),
    el("button.icon-button.lang", { type: "button", "aria-label": `${language() === "ru" ? "EN" : "RU"}: ${t("language")}`, title: t("language"), onclick: () => {
      setLanguage(language() === "ru" ? "en" : "ru");
      emit("language");
      $("settings").lastChild.focus();
    } }, language() === "ru" ? "EN" : "RU"));
}

function applyTheme() {
  document.documentElement.dataset.theme = theme();
  const dark = theme() === "dark" || (theme() === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.querySelector("meta[name=theme-color]").content = dark ? "#141b1b" : "#f7f9f8";
}

function paintPeople() {
  const box = $("people");
  const held = box.contains(document.activeElement);
  const tiles = store.people.map((person) => {
    const on = person.id === store.person;
    return el("button.person", {
      type: "button", role: "radio", "aria-checked": String(on), tabIndex: on ? 0 : -1, dataset: { id: person.id },
      "aria-label": [fullName(person), person.about].filter(Boolean).join(", "),
      onclick: () => emit("navigate", { person: person.id }),
    }, avatar(fullName(person), person.id, "person-face"), el("span.person-name", {}, person.first_name));
  });
  fill(box, tiles);
  fill($("add-person"), el("button.person.add-person", { type: "button", "aria-label": t("addPerson"), title: t("addPerson"), onclick: addPerson },
    el("span.avatar.plain.person-face", {}, icon("plus"))));
  box.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const at = tiles.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    tiles[(at + step + tiles.length) % tiles.length].click();
  };
  const chosen = tiles.find((tile) => tile.getAttribute("aria-checked") === "true");
  if (held) chosen?.focus();
  chosen?.scrollIntoView?.({ block: "nearest", inline: "nearest" });
  const person = personOf();
  fill($("about"), person ? [el("strong", {}, fullName(person)), person.about && el("span", {}, person.about)] : t("loading"));
}

async function addPerson() {
  const values = await askPerson();
  if (!values) return;
  try {
    const person = await api.addPerson(values);
    await loadState();
    emit("navigate", { person: person.id });
  } catch (error) {
    emit("toast", { text: t("failed", { error: errorText(error) }) });
  }
}

function choosePerson() {
  const { dialog } = openDialog({
    title: t("switchPerson"), className: "narrow",
    body: [el("div.choices", {}, store.people.map((person) => el("button.choice", {
      type: "button", "aria-current": person.id === store.person ? "true" : null,
      onclick: () => {
        dialog.close("");
        emit("navigate", { person: person.id });
      },
    }, avatar(fullName(person), person.id, "person-face"), el("span.choice-text", {}, el("span", {}, fullName(person)), person.about && el("small", {}, person.about)),
    person.id === store.person && icon("check"))))],
    actions: [{ text: t("close"), value: "" }],
  });
}

function paintChats() {
  const box = $("chats");
  const held = box.contains(document.activeElement) ? document.activeElement.dataset.bot : null;
  const chats = [...store.chats.values()];
  for (const bot of store.bots) if (!store.chats.has(bot.username)) chats.push({ bot: bot.username, title: bot.first_name });
  chats.sort((a, b) => (b.last?.date ?? 0) - (a.last?.date ?? 0));
  if (!chats.length) return fill(box, el("li.no-chats", {}, t("noBots")));
  fill(box, chats.map((chat) => el("li", {}, chatRow(chat))));
  if (held) box.querySelector(`[data-bot="${held}"]`)?.focus();
}

function chatRow({ bot, title, last, unread, blocked }) {
  const typing = store.typing.get(bot);
  const current = bot === store.bot;
  const name = title || bot;
  const count = current && document.visibilityState === "visible" ? 0 : unread;
  const line = el("span.chat-last", { class: typing ? "typing" : "" });
  if (typing) line.append(`${t(hasWord(typing.action) ? typing.action : "typing")}…`);
  else if (blocked) line.append(t("blocked"));
  else if (last) add(line, [isOwn(last) && el("b", {}, `${t("you")}: `), summary(last)]);
  else line.append(t("noMessages"));
  return el("button.chat", {
    type: "button", "aria-current": current ? "true" : null, dataset: { bot },
    onclick: () => emit("navigate", { bot }),
  }, avatar(name, bot),
  el("span.chat-main", {},
    el("span.chat-row", {}, el("span.chat-name", {}, name), last && el("time", {}, shortWhen(last.date))),
    el("span.chat-row", {}, line, count > 0 && el("span.unread", { "aria-label": t("unread", { n: count }) }, count > 99 ? "99+" : count))));
}
