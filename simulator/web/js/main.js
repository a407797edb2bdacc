// Puts the page together.

import { setupChat } from "./chat.js";
import { setupComposer } from "./composer.js";
import { el, isPhone } from "./dom.js";
import { t } from "./i18n.js";
import { readUrl, writeUrl } from "./links.js";
import { setupPanel } from "./panel.js";
import { setupPeople } from "./people.js";
import { emit, knownChat, loadCalls, loadState, on, personOf, setBot, setPerson, store } from "./store.js";

const $ = (id) => document.getElementById(id);

function toast({ text }) {
  const box = $("toasts");
  const node = el("div.toast", {}, text);
  // Above the writing part, in the middle of the conversation.
  const area = document.querySelector(".conversation").getBoundingClientRect();
  const foot = document.querySelector(".foot").getBoundingClientRect();
  if (area.width) {
    box.style.insetInline = `${area.left}px ${innerWidth - area.right}px`;
    box.style.bottom = `${innerHeight - foot.top + 12}px`;
  } else box.removeAttribute("style");
  box.append(node);
  while (box.children.length > 3) box.firstChild.remove();
  // A popover rises above open dialogs.
  if (box.showPopover) {
    if (box.matches(":popover-open")) box.hidePopover();
    box.showPopover();
  }
  setTimeout(() => {
    node.classList.add("leaving");
    setTimeout(() => {
      node.remove();
      if (!box.children.length && box.matches(":popover-open")) box.hidePopover();
    }, 200);
  }, Math.min(7000, 2200 + text.length * 45));
}

async function attempt(work) {
  try {
    await work();
  } catch (error) {
    if (error.status === 0) return;
    toast({ text: t("failed", { error: error.message }) });
  }
}

/** One way to move: to a chat, to the list, to another person. */
async function navigate({ person, bot, start = null }, push = true) {
  await attempt(async () => {
    if (person !== undefined && person !== store.person) {
      const stay = bot === undefined ? store.bot : bot;
      store.start = null;
      const work = setPerson(person, stay);
      writeUrl(push);
      await work;
    }
    if (bot !== undefined && (bot !== store.bot || start !== null)) {
      const work = setBot(bot, start);
      writeUrl(push);
      await work;
      if (!bot && isPhone()) document.querySelector(".chat")?.focus({ preventScroll: true });
    }
  });
}

function paintOnline() {
  $("offline").hidden = store.online;
  document.body.classList.toggle("is-offline", !store.online);
}

async function begin() {
  for (;;) {
    try {
      await loadState();
      break;
    } catch {
      store.online = false;
      paintOnline();
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
  store.online = true;
  paintOnline();
  const place = readUrl();
  const person = personOf(place.person)?.id ?? store.people[0]?.id;
  // One bot and a wide screen: no need to ask which chat.
  const only = !isPhone() && store.bots.length === 1 ? store.bots[0].username : null;
  const bot = knownChat(place.bot) ?? (place.bot ? null : only);
  if (place.bot && !bot) toast({ text: t("noSuchBot", { name: place.bot }) });
  await attempt(async () => {
    await setPerson(person, bot);
    if (bot && place.start !== null) await setBot(bot, place.start);
    writeUrl();
    await loadCalls();
  });
}

on("toast", toast);
on("navigate", (target) => navigate(target));
on("online", () => {
  paintOnline();
  if (store.online) toast({ text: t("backOnline") });
});
on("started", () => writeUrl());
addEventListener("popstate", () => {
  const place = readUrl();
  navigate({ person: place.person ?? store.person, bot: knownChat(place.bot), start: place.start }, false);
});
document.addEventListener("visibilitychange", () => emit("chats"));
// The on-screen keyboard must not cover the field where the viewport does not shrink by itself.
visualViewport?.addEventListener("resize", () => {
  if (Math.abs(visualViewport.scale - 1) > 0.05) return;
  document.documentElement.style.setProperty("--view", `${visualViewport.height}px`);
  scrollTo(0, 0);
});

setupPanel();
setupPeople();
setupChat();
setupComposer();
begin();
