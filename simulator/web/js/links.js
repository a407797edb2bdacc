// Links: those to bots open here, all others in a new tab.

import { el, openDialog } from "./dom.js";
import { t } from "./i18n.js";
import { botOf, emit, on, store } from "./store.js";

/** {bot, start} of a t.me or tg://resolve link, or null. */
export function parseBotLink(text) {
  const input = String(text ?? "").trim();
  if (/^@\w{3,}$/.test(input)) return { bot: input.slice(1), start: null };
  let url;
  try {
    url = new URL(/^[a-z][a-z0-9+.-]*:/i.test(input) ? input : `https://${input}`);
  } catch {
    return null;
  }
  if (url.protocol === "tg:") {
    const bot = url.searchParams.get("domain");
    return /resolve/.test(url.href) && bot ? { bot, start: url.searchParams.get("start") } : null;
  }
  if (!/^(www\.)?(t|telegram)\.(me|dog)$/i.test(url.hostname)) return null;
  const bot = url.pathname.split("/")[1];
  return /^\w{3,}$/.test(bot) ? { bot, start: url.searchParams.get("start") } : null;
}

export async function openLink(url) {
  const target = parseBotLink(url);
  if (target) return openBot(target.bot, target.start);
  if (!/^(https?|mailto|tel):/i.test(url)) return emit("toast", { text: t("notSimulated", { name: url }) });
  const { result } = openDialog({
    title: t("openAsk"), body: [el("p.link-text", {}, url)],
    actions: [{ text: t("open"), value: "open", primary: true }, { text: t("cancel"), value: "" }],
  });
  if ((await result) === "open") window.open(url, "_blank", "noopener,noreferrer");
}

export function openBot(name, start = null) {
  const bot = botOf(name);
  if (!bot) return emit("toast", { text: t("noSuchBot", { name }) });
  emit("navigate", { bot: bot.username, start });
}

on("link", ({ url, event }) => {
  if (/^(mailto|tel):/i.test(url)) return;
  event.preventDefault();
  openLink(url);
});

/** Keeps the address in step with the state, so that a reload keeps the place. */
export function writeUrl(push = false) {
  const values = new URLSearchParams();
  if (store.person) values.set("person", store.person);
  if (store.bot) values.set("bot", store.bot);
  if (store.start !== null && store.start !== undefined) values.set("start", store.start);
  const url = `/?${values}`;
  if (url === location.pathname + location.search) return;
  history[push ? "pushState" : "replaceState"](null, "", url);
}

export function readUrl() {
  const values = new URLSearchParams(location.search);
  return { person: Number(values.get("person")) || null, bot: values.get("bot"), start: values.get("start") };
}

