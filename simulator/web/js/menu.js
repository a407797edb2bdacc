// Pop-up menus: actions on a message, things to attach.

import { calm, copyText, el, isPhone, openDialog } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { emit, isOwn, store } from "./store.js";

let open = null;

export function closePopup(refocus = true) {
  if (!open) return;
  const { node, anchor, cover } = open;
  open = null;
  node.remove();
  cover.remove();
  anchor?.setAttribute("aria-expanded", "false");
  if (refocus) anchor?.focus({ preventScroll: true });
}

addEventListener("keydown", (event) => event.key === "Escape" && closePopup());

/** entries: [{icon, text, run, danger}]; near the anchor or at a point; on phones a sheet. */
export function popup(anchor, entries, { label, point } = {}) {
  closePopup(false);
  // After a long press the finger may be lifted over an item: that is not a choice yet.
  let armed = !point?.touch;
  const items = entries.filter(Boolean).map((entry) => el("button.popup-item", {
    type: "button", role: "menuitem", tabIndex: -1, class: entry.danger ? "danger" : "",
    onclick: (event) => {
      if (!armed && event.detail > 0) return;
      closePopup();
      entry.run();
    },
  }, icon(entry.icon), el("span", {}, entry.text)));
  const node = el("div.popup", { role: "menu", "aria-label": label, class: isPhone() ? "sheet" : "" }, items);
  node.addEventListener("pointerdown", () => { armed = true; });
  const cover = el("div.popup-cover", { onmousedown: (event) => event.preventDefault(), onpointerdown: () => closePopup() });
  node.addEventListener("keydown", (event) => {
    const at = items.indexOf(document.activeElement);
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 };
    if (event.key in moves) items[(moves[event.key] + items.length) % items.length].focus();
    else if (event.key === "Escape" || event.key === "Tab") closePopup();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  document.body.append(cover, node);
  open = { node, anchor, cover };
  anchor?.setAttribute("aria-expanded", "true");
  if (!isPhone()) {
    const box = anchor?.getBoundingClientRect() ?? new DOMRect();
    const { offsetWidth: w, offsetHeight: h } = node;
    const x = point ? point.x : box.left;
    const y = point ? point.y : box.top - h - 8 > 8 ? box.top - h - 8 : box.bottom + 8;
    node.style.left = `${Math.max(8, Math.min(x, innerWidth - w - 8))}px`;
    node.style.top = `${Math.max(8, Math.min(y, innerHeight - h - 8))}px`;
  }
  if (!calm()) node.animate([{ opacity: 0, transform: "translateY(6px)" }, { opacity: 1, transform: "none" }], { duration: 120, easing: "ease-out" });
  items[0]?.focus({ preventScroll: true });
}

export function openMenu(item, anchor, point) {
  const message = item.messages.find((m) => m.text ?? m.caption) ?? item.messages[0];
  const text = message.text ?? message.caption;
  const blocked = store.chats.get(store.bot)?.blocked;
  popup(anchor, [
    !blocked && { icon: "reply", text: t("reply"), run: () => emit("reply", { message: item.messages[0] }) },
    text && { icon: "copy", text: t("copyMessage"), run: async () => emit("toast", { text: t((await copyText(text)) ? "copied" : "copyFailed") }) },
    isOwn(message) && text && !blocked && { icon: "edit", text: t("edit"), run: () => emit("editing", { message }) },
    { icon: "code", text: t("json"), run: () => showJson(item.messages.length > 1 ? item.messages : item.messages[0]) },
  ], { label: t("actions"), point });
}

function showJson(value) {
  const text = JSON.stringify(value, null, 2);
  openDialog({
    title: "JSON", className: "wide", body: [el("pre.json", { tabIndex: 0 }, text)],
    actions: [
      { text: t("close"), value: "ok", primary: true },
      { text: t("copy"), onclick: async () => emit("toast", { text: t((await copyText(text)) ? "copied" : "copyFailed") }) },
    ],
  });
}
