// What the page knows, and the one place that changes it.

import { api, botName, chatKey, follow, isGroup } from "./api.js";

const bus = new EventTarget();

/** on("messages", handler): handler gets the detail of the change. */
export function on(names, handler) {
  for (const name of names.split(" ")) bus.addEventListener(name, (event) => handler(event.detail, name));
}

export function emit(name, detail) {
  bus.dispatchEvent(new CustomEvent(name, { detail }));
}

export const store = {
  bots: [], people: [],
  person: null, // id
  bot: null, // the open chat: a bot's username, or that of a group, see chatKey
  start: null, // payload of a deep link waiting for Start
  chats: new Map(), // chat -> {bot, chat_id, title, kind, last, unread, blocked}
  messages: new Map(), // bot -> Message[], oldest first
  loaded: new Set(),
  typing: new Map(), // bot -> {action, timer}
  drafts: new Map(), // bot -> Map(draft_id -> {text, entities})
  versions: new WeakMap(), // message -> number of the change that brought it
  calls: [],
  online: true,
};

let unfollow = () => {};
let changes = 0;

export const personOf = (id = store.person) => store.people.find((p) => p.id === id);
export const botOf = (chat = store.bot) => store.bots.find((b) => same(b.username, botName(chat)));
/** The name of a chat in its list and above it. */
export const titleOf = (chat = store.bot) => (isGroup(chat) ? store.chats.get(chat)?.title : botOf(chat)?.first_name) ?? botName(chat);
/** The chat of an address, if there is one. */
export const knownChat = (chat) => (isGroup(chat) ? botOf(chat) && chat : botOf(chat)?.username) || null;
export const chatOf = (bot = store.bot) => store.chats.get(bot);
export const messagesOf = (bot = store.bot) => store.messages.get(bot) ?? [];
export const same = (a, b) => String(a ?? "").toLowerCase() === String(b ?? "").toLowerCase();
export const fullName = (user) => [user?.first_name, user?.last_name].filter(Boolean).join(" ") || user?.username || "?";
export const isOwn = (message) => message.from?.id === store.person;

export async function loadState() {
  const { bots, people } = await api.state(store.person);
  store.bots = bots ?? [];
  store.people = people ?? [];
  emit("state");
}

export async function loadChats() {
  if (!store.person) return;
  const person = store.person;
  const chats = await api.chats(person);
  if (person !== store.person) return;
  for (const chat of chats) if (chat.kind !== "private") chat.bot = chatKey(chat.bot, chat.chat_id);
  store.chats = new Map(chats.map((chat) => [chat.bot, chat]));
  if (store.bot && chatOf()) chatOf().unread = 0;
  emit("chats");
}

export async function loadMessages(bot = store.bot) {
  if (!bot || !store.person) return;
  const person = store.person;
  const list = await api.messages(person, bot);
  if (person !== store.person) return;
  for (const message of list) stamp(message, find(bot, message.message_id));
  store.messages.set(bot, list);
  store.loaded.add(bot);
  emit("messages", { bot, loaded: true });
}

// A message that came back unchanged keeps its version, so its bubble is kept too.
function stamp(message, before) {
  const unchanged = before && JSON.stringify(before) === JSON.stringify(message);
  store.versions.set(message, unchanged ? store.versions.get(before) : ++changes);
}

export const find = (bot, id) => messagesOf(bot).find((m) => m.message_id === id);

export function put(bot, message, edited = false) {
  const list = store.messages.get(bot) ?? [];
  const at = list.findIndex((m) => m.message_id === message.message_id);
  stamp(message, list[at]);
  if (at >= 0) list[at] = message;
  else {
    let i = list.length;
    while (i > 0 && list[i - 1].message_id > message.message_id) i -= 1;
    list.splice(i, 0, message);
  }
  store.messages.set(bot, list);
  if (!isOwn(message) && !edited) {
    stopTyping(bot);
    if (store.drafts.delete(bot)) emit("drafts", { bot });
  }
  const chat = store.chats.get(bot);
  if (chat) {
    chat.last = list[list.length - 1];
    const seen = bot === store.bot && document.visibilityState === "visible";
    if (at < 0 && !edited && !isOwn(message) && !seen) chat.unread = (chat.unread ?? 0) + 1;
    if (seen && !isOwn(message)) read(bot, message);
    emit("chats");
  } else if (store.person) loadChats().catch(() => {});
  emit("messages", { bot, message, added: at < 0, edited: at >= 0 });
}

/** Messages out of the reply to a request. The event stream may have been faster and know later changes. */
export function putNew(bot, messages) {
  for (const message of [messages].flat()) if (message && !find(bot, message.message_id)) put(bot, message);
}

function stopTyping(bot) {
  const typing = store.typing.get(bot);
  if (!typing) return;
  clearTimeout(typing.timer);
  store.typing.delete(bot);
  emit("typing", { bot });
}

const handlers = {
  message: ({ bot, chat_id, message }) => put(chatKey(bot, chat_id), message),
  edit: ({ bot, chat_id, message }) => put(chatKey(bot, chat_id), message, true),
  delete({ bot: name, chat_id, message_ids }) {
    const bot = chatKey(name, chat_id);
    store.messages.set(bot, messagesOf(bot).filter((m) => !message_ids.includes(m.message_id)));
    emit("messages", { bot });
    loadChats().catch(() => {});
  },
  typing({ bot: name, chat_id, action }) {
    const bot = chatKey(name, chat_id);
    stopTyping(bot);
    if (!action || action === "cancel") return;
    store.typing.set(bot, { action, timer: setTimeout(() => stopTyping(bot), 5500) });
    emit("typing", { bot });
  },
  draft({ bot, draft }) {
    const { draft_id } = draft;
    const drafts = store.drafts.get(bot) ?? new Map();
    clearTimeout(drafts.get(draft_id)?.timer);
    draft.timer = setTimeout(() => drafts.delete(draft_id) && emit("drafts", { bot }), 30000);
    store.drafts.set(bot, drafts.set(draft_id, draft));
    emit("drafts", { bot });
  },
  answer: (answer) => emit("answer", answer),
  commands: () => loadState().catch(() => {}),
  reload: () => refresh().catch(() => {}),
  call(call) {
    if (store.calls.some((c) => c.seq === call.seq)) return;
    store.calls.push(call);
    if (store.calls.length > 500) store.calls.splice(0, store.calls.length - 400);
    if (!store.bots.some((b) => same(b.username, call.bot))) loadState().then(loadChats).catch(() => {});
    emit("calls", { call });
  },
};

function connection(online, again) {
  const changed = store.online !== online;
  store.online = online;
  if (changed) emit("online", { online });
  if (online && (again || changed)) refresh().catch(() => {});
  // The stream is refused, too, when a restarted simulator does not know the person any more.
  if (!online) loadState().then(() => personOf() || setPerson(store.people[0]?.id)).catch(() => {});
}

let reading;

// Looking at messages is reading them.
function read(bot, message) {
  const { person } = store;
  clearTimeout(reading);
  reading = setTimeout(() => api.messages(person, bot, message.message_id - 1).catch(() => {}), 700);
}

export async function refresh() {
  await loadState();
  if (!personOf()) {
    await setPerson(store.people[0]?.id);
    return;
  }
  await Promise.all([loadChats(), loadMessages(), loadCalls()]);
}

export async function loadCalls() {
  const calls = await api.calls(200);
  store.calls = calls;
  emit("calls", {});
}

export async function setPerson(id, bot = store.bot) {
  unfollow();
  store.person = id ?? null;
  store.chats = new Map();
  store.messages = new Map();
  store.loaded = new Set();
  store.drafts = new Map();
  store.typing.forEach(({ timer }) => clearTimeout(timer));
  store.typing = new Map();
  store.bot = bot ?? null;
  emit("person");
  if (!store.person) return;
  unfollow = follow(store.person, (name, data) => handlers[name]?.(data), connection);
  await Promise.all([loadState(), loadChats(), loadMessages()]);
}

export async function setBot(name, start = null) {
  store.bot = name;
  store.start = start;
  const chat = chatOf();
  if (chat) chat.unread = 0;
  emit("bot");
  emit("chats");
  if (name) await loadMessages(name);
}

/** Commands of a bot in the person's language: the state is asked for on behalf of the person. */
export const commandsOf = (bot = botOf()) => bot?.commands ?? [];
