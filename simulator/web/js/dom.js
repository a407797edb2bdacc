// Small helpers over the DOM. Data always becomes text nodes and properties, never markup.

import { icon } from "./icons.js";

/** el("button.primary", {type: "button", onclick}, child, ...) */
export function el(spec, props, ...children) {
  const [tag, ...classes] = spec.split(".");
  const node = document.createElement(tag || "div");
  if (classes.length) node.className = classes.join(" ");
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "dataset") Object.assign(node.dataset, value);
    else if (key === "class") node.classList.add(...String(value).split(" ").filter(Boolean));
    else if (key in node && typeof value !== "string") node[key] = value;
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  return add(node, children);
}

export function add(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false || child === "") continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

export function fill(node, ...children) {
  node.replaceChildren();
  return add(node, children);
}

/** A square button with an icon and an accessible name. */
export function iconButton(name, label, onclick, props) {
  return el("button.icon-button", { type: "button", "aria-label": label, title: label, onclick, ...props }, icon(name));
}

export function avatar(name, seed, size = "") {
  const words = String(name || "?").split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const initials = words.length > 1 ? [...words[0]][0] + [...words[1]][0] : [...(words[0] ?? "?")][0];
  const hue = (typeof seed === "number" ? seed : [...String(seed)].reduce((h, c) => h + c.codePointAt(0), 0)) % 6;
  return el("span.avatar", { class: `tone-${hue} ${size}`, "aria-hidden": "true" }, initials.toUpperCase());
}

export const isPhone = () => matchMedia("(max-width: 759px)").matches;
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No clipboard outside a secure context (a phone over http): the old way.
    const area = el("textarea.offscreen", { readonly: true });
    area.value = text;
    const focused = document.activeElement;
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    focused?.focus?.();
    return done;
  }
}

/** Opens a modal dialog; `result` resolves with the value of the pressed button ("" when dismissed). */
export function openDialog({ title, className = "", body = [], actions = [], label, onopen }) {
  const dialog = el("dialog.dialog", { class: className, "aria-label": label ?? title });
  const form = el("form", { method: "dialog" });
  if (title) form.append(el("h2.dialog-title", {}, title));
  add(form, [body]);
  if (actions.length) {
    form.append(el("div.dialog-actions", {}, actions.map((action) => el("button.button", {
      // Only the confirming button submits, so that Enter in a field confirms.
      type: action.value ? "submit" : "button",
      value: action.value,
      class: `${action.primary ? "primary" : ""} ${action.danger ? "danger" : ""}`,
      onclick: action.onclick ?? (action.value === "" ? () => dialog.close("") : null),
    }, action.text))));
  }
  dialog.append(form);
  document.body.append(dialog);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close(""));
  const result = new Promise((resolve) => dialog.addEventListener("close", () => {
    resolve(dialog.returnValue);
    dialog.remove();
  }));
  dialog.showModal();
  onopen?.(dialog);
  return { dialog, result };
}
