// Attachments: photos, files, samples, a place, a contact; by button, paste and drop.

import { api } from "./api.js";
import { el, fill, iconButton } from "./dom.js";
import { askContact, askLocation } from "./forms.js";
import { icon } from "./icons.js";
import { size, t } from "./i18n.js";
import { popup } from "./menu.js";
import { askSamples } from "./samples.js";
import { emit, on, putNew, store } from "./store.js";

const MAX_FILES = 10;
const MAX_SIDE = 2560;
const $ = (id) => document.getElementById(id);
let files = []; // {file, kind: "photo" | "video" | "document", url}
let asFiles = false;
let changed = () => {};

export const hasFiles = () => files.length > 0;

export function setupAttach(onchange) {
  changed = onchange;
  for (const id of ["pick-photo", "pick-camera", "pick-file"]) {
    $(id).addEventListener("change", (event) => {
      take([...event.target.files], id === "pick-file");
      event.target.value = "";
    });
  }
  addEventListener("paste", (event) => {
    const pasted = [...(event.clipboardData?.files ?? [])];
    if (!pasted.length || $("composer").hidden || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    take(pasted);
  });
  let depth = 0;
  const cover = (shown) => document.body.classList.toggle("dropping", shown);
  const carriesFiles = (event) => !$("composer").hidden && [...(event.dataTransfer?.types ?? [])].includes("Files");
  addEventListener("dragenter", (event) => carriesFiles(event) && cover((depth += 1) > 0));
  addEventListener("dragleave", (event) => carriesFiles(event) && cover((depth = Math.max(0, depth - 1)) > 0));
  addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    cover(false);
    depth = 0;
    take([...event.dataTransfer.files]);
  });
  on("language", paint);
}

export function openAttach(anchor) {
  const phone = matchMedia("(pointer: coarse)").matches;
  popup(anchor, [
    { icon: "samples", text: t("attachSample"), run: async () => take(await askSamples()) },
    phone && { icon: "camera", text: t("attachCamera"), run: () => $("pick-camera").click() },
    { icon: "photo", text: t("attachPhoto"), run: () => $("pick-photo").click() },
    { icon: "file", text: t("attachFile"), run: () => $("pick-file").click() },
    { icon: "pin", text: t("attachLocation"), run: () => sendExtra("location", askLocation) },
    { icon: "person", text: t("attachContact"), run: () => sendExtra("contact", askContact) },
  ], { label: t("attach") });
}

async function sendExtra(name, ask) {
  const { person, bot } = store;
  const value = await ask();
  if (!value) return;
  try {
    putNew(bot, await api.send({ person, bot, [name]: value }));
  } catch (error) {
    emit("toast", { text: t("sendFailed", { error: error.message }) });
  }
}

function take(chosen, plain = false) {
  if (!chosen?.length) return;
  for (const file of chosen) {
    if (files.length >= MAX_FILES) {
      emit("toast", { text: t("tooMany") });
      break;
    }
    const kind = plain ? "document" : /^image\/(jpeg|png|webp|heic|heif|avif|bmp)/.test(file.type) ? "photo" : file.type.startsWith("video/") ? "video" : "document";
    files.push({ file, kind, url: kind === "document" ? null : URL.createObjectURL(file) });
  }
  paint();
  $("input").focus({ preventScroll: true });
}

export function clearFiles() {
  for (const { url } of files) if (url) URL.revokeObjectURL(url);
  files = [];
  asFiles = false;
  paint();
}

function paint() {
  const tray = $("tray");
  tray.hidden = !files.length;
  fill(tray, el("div.tray-items", { role: "list" }, files.map((item, i) => el("div.tray-item", { role: "listitem", class: item.url ? "" : "plain" },
    item.kind === "photo" ? el("img", { src: item.url, alt: item.file.name }) : item.kind === "video" ? el("video", { src: item.url, muted: true })
      : [icon("file"), el("span.tray-name", {}, item.file.name), el("small", {}, size(item.file.size))],
    iconButton("close", t("remove", { name: item.file.name }), () => {
      if (item.url) URL.revokeObjectURL(item.url);
      files.splice(i, 1);
      paint();
      $("input").focus();
    })))),
  files.some((f) => f.kind !== "document") && el("label.tray-option", {},
    el("input", { type: "checkbox", checked: asFiles, onchange: (event) => { asFiles = event.target.checked; } }), el("span", {}, t("asFiles"))));
  changed();
}

/** Empties the tray for sending. */
export function takeFiles() {
  const taken = { items: files, asFiles };
  files = [];
  asFiles = false;
  if (taken.items.length) paint();
  return taken;
}

/** Puts back what could not be sent. */
export function giveBack(taken) {
  if (!taken?.items.length) return;
  files = [...taken.items, ...files].slice(0, MAX_FILES);
  asFiles = taken.asFiles;
  paint();
}

/** Parts for the request. Photos are made smaller, as Telegram's own apps do. */
export async function partsOf({ items, asFiles: plain }) {
  return Promise.all(items.map(async ({ file, kind }) => {
    if (plain || kind === "document") return { kind: "document", blob: file, name: file.name };
    if (kind === "video") return { kind, blob: file, name: file.name };
    const blob = await shrink(file);
    if (blob) return { kind: "photo", blob, name: file.name.replace(/\.\w+$/, "") + ".jpg" };
    emit("toast", { text: t("badPhoto", { name: file.name }) });
    return { kind: "document", blob: file, name: file.name };
  }));
}

async function shrink(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return null;
  }
  const scale = Math.min(1, MAX_SIDE / Math.max(bitmap.width, bitmap.height));
  if (scale === 1 && file.type === "image/jpeg" && file.size < 5e6) return file;
  const canvas = el("canvas", { width: Math.round(bitmap.width * scale), height: Math.round(bitmap.height * scale) });
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.88));
}
