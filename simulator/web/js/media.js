// Pictures, files, places and people inside bubbles.

import { fileUrl } from "./api.js";
import { avatar, el, iconButton, openDialog } from "./dom.js";
import { icon } from "./icons.js";
import { duration, size, t } from "./i18n.js";
import { fullName, store } from "./store.js";

const url = (file_id) => fileUrl(store.bot, file_id);

const biggest = (photo) => [...photo].sort((a, b) => (b.width ?? 0) * (b.height ?? 0) - (a.width ?? 0) * (a.height ?? 0))[0];

/** The word for what a message carries, for previews and screen readers. */
export function kindOf(message) {
  const kinds = ["photo", "animation", "video", "video_note", "voice", "audio", "document", "sticker", "venue", "location", "contact", "poll"];
  const kind = kinds.find((k) => message[k]);
  return kind === "video_note" ? "video" : kind;
}

export function summary(message) {
  if (!message) return "";
  const text = message.text ?? message.caption;
  const kind = kindOf(message);
  if (text) return kind && kind !== "text" ? `${t(kind)}: ${text}` : text;
  if (kind === "document") return message.document.file_name || t("document");
  if (kind === "contact") return `${t("contact")}: ${fullName(message.contact)}`;
  return kind ? t(kind) : t("service");
}

export function mediaOf(message, inAlbum = false) {
  if (message.photo?.length) return picture(message, inAlbum);
  if (message.animation) return film(message.animation, { loop: true, muted: true, autoplay: true });
  if (message.video) return film(message.video, { controls: true });
  if (message.video_note) return el("div.round-video", {}, film(message.video_note, { controls: true }));
  if (message.voice) return sound(message.voice, "voice");
  if (message.audio) return sound(message.audio, "audio");
  if (message.document) return file(message.document);
  if (message.sticker) return sticker(message.sticker);
  if (message.venue) return place(message.venue.location, message.venue.title, message.venue.address);
  if (message.location) return place(message.location);
  if (message.contact) return person(message.contact);
  if (message.poll) return poll(message.poll);
  return null;
}

/** A frame that keeps its proportions before the picture arrives, so that nothing jumps. */
function frame(spec, width, height, node, props) {
  const box = el(spec, props, node);
  if (width && height) box.style.aspectRatio = `${Math.min(Math.max(width / height, 0.62), 2.2)}`;
  return box;
}

function picture(message, inAlbum) {
  const photo = biggest(message.photo);
  const src = url(photo.file_id);
  const image = el("img", { src, alt: message.caption || t("photo"), decoding: "async", draggable: false });
  image.addEventListener("error", () => box.classList.add("broken"));
  const box = frame("button.picture", inAlbum ? 0 : photo.width, photo.height, image, {
    type: "button", "aria-label": `${t("viewPhoto")}${message.caption ? `: ${message.caption}` : ""}`,
    class: message.has_media_spoiler ? "veiled" : "",
    onclick: () => {
      if (box.classList.contains("veiled")) box.classList.remove("veiled");
      else view(src, message.caption);
    },
  });
  if (!inAlbum && photo.width) box.style.setProperty("--natural", `${Math.min(420, Math.max(photo.width, 160))}px`);
  return box;
}

function view(src, caption) {
  const { dialog } = openDialog({
    className: "viewer", label: t("photo"),
    body: [
      el("div.viewer-bar", {},
        el("a.icon-button", { href: src, download: "photo.jpg", "aria-label": t("download"), title: t("download") }, icon("download")),
        iconButton("close", t("close"), () => dialog.close(""))),
      el("img", { src, alt: caption || t("photo"), onclick: () => dialog.close("") }),
      caption && el("p.viewer-caption", {}, caption),
    ],
  });
}

function film(video, props) {
  return frame("div.film", video.width ?? video.length, video.height ?? video.length,
    el("video", { src: url(video.file_id), preload: "metadata", playsinline: "", "aria-label": t("video"), ...props }));
}

let playing = null;

function sound(audio, kind) {
  const track = new Audio();
  const play = iconButton("play", t(kind), () => (track.paused ? start() : track.pause()), { class: "round" });
  const fillBar = el("span.sound-fill");
  const seek = el("button.sound-bar", { type: "button", "aria-label": t(kind), onclick: (event) => {
    const box = seek.getBoundingClientRect();
    const length = Number.isFinite(track.duration) ? track.duration : audio.duration;
    if (length) track.currentTime = ((event.clientX - box.left) / box.width) * length;
  } }, fillBar);
  const label = el("span.sound-time", {}, duration(audio.duration));
  const show = (name) => play.replaceChildren(icon(name));
  const start = () => {
    if (!track.src) track.src = url(audio.file_id);
    if (playing && playing !== track) playing.pause();
    playing = track;
    track.play().catch(() => label.replaceChildren("—"));
  };
  track.addEventListener("play", () => show("pause"));
  track.addEventListener("pause", () => show("play"));
  track.addEventListener("timeupdate", () => {
    const length = Number.isFinite(track.duration) ? track.duration : audio.duration || 1;
    fillBar.style.inlineSize = `${Math.min(100, (track.currentTime / length) * 100)}%`;
    label.textContent = duration(track.currentTime);
  });
  const title = [audio.performer, audio.title].filter(Boolean).join(" — ") || audio.file_name;
  return el("div.sound", {}, play, el("div.sound-main", {}, title && el("span.sound-title", {}, title), el("div.sound-line", {}, seek, label)));
}

function file(document) {
  const name = document.file_name || t("document");
  const ext = (name.match(/\.(\w{1,4})$/)?.[1] ?? "").toUpperCase();
  return el("a.file", { href: url(document.file_id), download: name },
    el("span.file-sign", { "aria-hidden": "true" }, ext || icon("file")),
    el("span.file-text", {}, el("span.file-name", {}, name), el("small", {}, size(document.file_size))));
}

function sticker(item) {
  if (item.is_animated || item.is_video) return el("span.sticker-emoji", {}, item.emoji ?? t("sticker"));
  return el("img.sticker", { src: url(item.file_id), alt: item.emoji ?? t("sticker") });
}

function place(location, title, address) {
  const { latitude, longitude } = location;
  const text = `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`;
  const href = `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=16/${latitude}/${longitude}`;
  return el("a.place", { href, target: "_blank", rel: "noopener noreferrer", title: t("openMap") },
    el("span.place-map", { "aria-hidden": "true" }, icon("pin")),
    el("span.place-text", {}, el("span", {}, title || t("location")), address && el("small", {}, address), el("small", {}, text)));
}

function person(contact) {
  return el("div.contact", {}, avatar(fullName(contact), contact.phone_number, "person-face"),
    el("span.contact-text", {}, el("span", {}, fullName(contact)), el("a.link", { href: `tel:${contact.phone_number}` }, contact.phone_number)));
}

function poll(item) {
  return el("div.poll", {}, el("strong", {}, item.question),
    el("ul", {}, item.options.map((o) => el("li", {}, `${o.text} · ${o.voter_count ?? 0}`))));
}
