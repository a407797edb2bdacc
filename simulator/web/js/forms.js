// Small questions: a contact, a place, a new person.

import { el, openDialog } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { emit, personOf } from "./store.js";

export function field(label, name, props = {}) {
  return el("label.field", {}, el("span.field-label", {}, label), el("input", { name, autocomplete: "off", ...props }));
}

const read = (dialog) => Object.fromEntries(new FormData(dialog.querySelector("form")));

export async function askContact(title = t("contactTitle")) {
  const person = personOf();
  const number = `+7700${String(Number(person?.id ?? 0) % 10000000).padStart(7, "0")}`;
  const { dialog, result } = openDialog({
    title,
    body: [
      field(t("phone"), "phone_number", { type: "tel", value: number, required: true, inputmode: "tel" }),
      field(t("firstName"), "first_name", { value: person?.first_name ?? "", required: true }),
    ],
    actions: [{ text: t("send"), value: "ok", primary: true }, { text: t("cancel"), value: "" }],
  });
  let values;
  dialog.addEventListener("submit", () => { values = read(dialog); });
  if ((await result) !== "ok" || !values) return null;
  const own = values.phone_number === number;
  return { phone_number: values.phone_number, first_name: values.first_name, ...(own && person ? { user_id: person.id } : {}) };
}

const PLACES = [["garage", 43.23842, 76.94511], ["parking", 51.12887, 71.43064], ["road", 43.86751, 77.06235]];

export async function askLocation(title = t("locationTitle")) {
  let chosen = null;
  const pick = (latitude, longitude) => {
    chosen = { latitude, longitude };
    dialog.close("ok");
  };
  const here = () => {
    const refused = () => emit("toast", { text: t("noGeo") });
    if (!navigator.geolocation) return refused();
    navigator.geolocation.getCurrentPosition(({ coords }) => pick(coords.latitude, coords.longitude), refused, { timeout: 8000 });
  };
  const row = (label, hint, onclick) => el("button.choice", { type: "button", onclick },
    icon("pin"), el("span.choice-text", {}, el("span", {}, label), hint && el("small", {}, hint)));
  const { dialog, result } = openDialog({
    title,
    body: [
      el("div.choices", {}, PLACES.map(([name, a, b]) => row(t(name), `${a.toFixed(5)}, ${b.toFixed(5)}`, () => pick(a, b))), row(t("here"), "", here)),
      el("div.field-row", {},
        field(t("latitude"), "latitude", { inputmode: "decimal", value: String(PLACES[0][1]) }),
        field(t("longitude"), "longitude", { inputmode: "decimal", value: String(PLACES[0][2]) })),
    ],
    actions: [{ text: t("send"), value: "typed", primary: true }, { text: t("cancel"), value: "" }],
  });
  dialog.addEventListener("submit", (event) => {
    const { latitude, longitude } = read(dialog);
    const [a, b] = [latitude, longitude].map((v) => Number(String(v).replace(",", ".")));
    if (Math.abs(a) <= 90 && Math.abs(b) <= 180 && latitude && longitude) chosen = { latitude: a, longitude: b };
    else {
      event.preventDefault();
      emit("toast", { text: t("badNumber") });
    }
  });
  return (await result) ? chosen : null;
}

export async function askPerson() {
  const { dialog, result } = openDialog({
    title: t("addPerson"),
    body: [
      field(t("firstName"), "first_name", { required: true, maxlength: "64" }),
      field(t("lastName"), "last_name", { maxlength: "64" }),
      field(t("username"), "username", { pattern: "[A-Za-z0-9_]{3,32}" }),
      el("label.field", {}, el("span.field-label", {}, t("langCode")),
        el("select", { name: "language_code" }, ["ru", "kk", "en"].map((code) => el("option", { value: code }, code)))),
      field(t("about"), "about", { maxlength: "120" }),
    ],
    actions: [{ text: t("create"), value: "ok", primary: true }, { text: t("cancel"), value: "" }],
  });
  let values;
  dialog.addEventListener("submit", () => { values = read(dialog); });
  if ((await result) !== "ok" || !values) return null;
  return Object.fromEntries(Object.entries(values).filter(([, v]) => v));
}
