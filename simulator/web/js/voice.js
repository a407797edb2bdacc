// Recording a voice message: press to start, press to send.

import { el, fill, iconButton } from "./dom.js";
import { icon } from "./icons.js";
import { duration as minutes, t } from "./i18n.js";
import { emit } from "./store.js";

const $ = (id) => document.getElementById(id);
let session = null; // {recorder, chunks, stream, started, timer, keep}

export function setupVoice(send) {
  $("mic").addEventListener("click", () => (session ? stop(true) : start(send)));
}

const TYPES = ["audio/ogg;codecs=opus", "audio/mp4", "audio/webm;codecs=opus"];

async function start(send) {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch {
    emit("toast", { text: t("noMic") });
    return;
  }
  const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
  const recorder = new MediaRecorder(stream, mimeType ? { mimeType } : {});
  session = { recorder, stream, chunks: [], started: Date.now(), keep: false };
  recorder.addEventListener("dataavailable", (event) => session?.chunks.push(event.data));
  recorder.addEventListener("stop", () => {
    const { chunks, keep, timer, started } = session;
    const duration = Math.max(1, Math.round((Date.now() - started) / 1000));
    clearInterval(timer);
    stream.getTracks().forEach((track) => track.stop());
    session = null;
    paint();
    if (!keep) return;
    const type = recorder.mimeType.split(";")[0];
    const ext = type.includes("ogg") ? "ogg" : type.includes("mp4") ? "m4a" : "webm";
    send({ kind: "voice", blob: new Blob(chunks, { type }), name: `voice.${ext}`, duration });
  });
  recorder.start();
  session.timer = setInterval(paint, 500);
  paint();
}

function stop(keep) {
  if (!session) return;
  session.keep = keep;
  session.recorder.stop();
}

function paint() {
  const bar = $("recording");
  const on = Boolean(session);
  document.body.classList.toggle("recording", on);
  bar.hidden = !on;
  fill($("mic"), icon(on ? "send" : "mic"));
  $("mic").setAttribute("aria-label", t(on ? "send" : "recordVoice"));
  if (!on) return fill(bar);
  fill(bar, el("span.record-dot", { "aria-hidden": "true" }), el("span", { role: "timer" }, `${t("recording")} ${minutes((Date.now() - session.started) / 1000)}`),
    iconButton("trash", t("cancel"), () => stop(false)));
}
