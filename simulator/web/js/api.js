// The person's side of the simulator: HTTP calls and the event stream.

export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

async function call(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new ApiError("network", 0);
  }
  const body = await response.text();
  let json;
  try {
    json = body ? JSON.parse(body) : {};
  } catch {
    json = { error: body.slice(0, 200) };
  }
  if (!response.ok) throw new ApiError(json.error ?? `HTTP ${response.status}`, response.status);
  return json;
}

const query = (values) => new URLSearchParams(Object.entries(values).filter(([, v]) => v !== undefined && v !== null && v !== "")).toString();
const get = (path, values = {}) => call(`${path}?${query(values)}`);
const post = (path, body) => call(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

// A chat of the page is a bot's username, or `username#chat_id` for a group.
export const chatKey = (bot, chat_id) => (chat_id === undefined ? bot : `${bot}#${chat_id}`);
export const botName = (chat) => String(chat ?? "").split("#")[0];
export const isGroup = (chat) => String(chat ?? "").includes("#");
const place = (chat) => (isGroup(chat) ? { bot: botName(chat), chat_id: Number(chat.split("#")[1]) } : { bot: chat });

export const api = {
  state: (person) => get("/sim/state", { person }),
  addPerson: (person) => post("/sim/people", person),
  chats: (person) => get("/sim/chats", { person }),
  messages: (person, chat, after) => get("/sim/messages", { person, ...place(chat), after, limit: 300 }),
  tap: (person, chat, message_id, row, col) => post("/sim/tap", { person, ...place(chat), message_id, row, col }),
  press: (person, chat, text) => post("/sim/press", { person, ...place(chat), text }),
  edit: (person, chat, message_id, change) => post("/sim/edit", { person, ...place(chat), message_id, ...change }),
  open: (person, bot, start) => post("/sim/open", start ? { person, bot, start } : { person, bot }),
  block: (person, bot) => post("/sim/block", { person, bot }),
  unblock: (person, bot) => post("/sim/unblock", { person, bot }),
  calls: (limit) => get("/sim/calls", { limit }),

  /** `files`: [{kind: "photo" | "document" | "voice" | "video", blob, name}] */
  send(what, files = []) {
    const message = { ...what, ...place(what.bot) };
    if (!files.length) return post("/sim/send", message);
    const form = new FormData();
    form.append("json", new Blob([JSON.stringify(message)], { type: "application/json" }), "message.json");
    for (const { kind, blob, name } of files) form.append(kind, blob, name);
    return call("/sim/send", { method: "POST", body: form });
  },
};

export const fileUrl = (chat, file_id) => `/sim/file?${query({ bot: botName(chat), file_id })}`;
export const transcriptUrl = (person, chat) => `/sim/transcript?${query({ person, ...place(chat), format: "text" })}`;

const EVENTS = ["message", "edit", "delete", "typing", "answer", "commands", "call", "draft", "reload"];

/** Follows the events of one person; `on(name, data)`, `status(online, again)`. Returns a function that stops it. */
export function follow(person, on, status) {
  let source, timer, stopped = false, opened = 0, wait = 500;
  const connect = () => {
    source = new EventSource(`/sim/events?${query({ person })}`);
    source.onopen = () => {
      wait = 500;
      opened += 1;
      status(true, opened > 1);
    };
    source.onerror = () => {
      status(false, false);
      // The browser retries by itself with its own pace; ours is faster and survives refusals.
      source.close();
      clearTimeout(timer);
      if (!stopped) timer = setTimeout(connect, wait);
      wait = Math.min(wait * 1.6, 4000);
    };
    for (const name of EVENTS) {
      source.addEventListener(name, (event) => {
        let data;
        try {
          data = JSON.parse(event.data);
        } catch {
          return;
        }
        on(name, data);
      });
    }
  };
  connect();
  return () => {
    stopped = true;
    clearTimeout(timer);
    source.close();
  };
}
