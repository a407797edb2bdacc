// All words of the page, in Russian and English.

const WORDS = {
  ru: {
    app: "Симулятор Telegram", simulator: "Симулятор",
    simulatorHint: "Это не Telegram: учебная копия на этой машине. Ничего не уходит в сеть.",
    whoAreYou: "Вы сейчас", addPerson: "Добавить человека", chats: "Чаты", noBots: "Ботов пока нет. Запустите бота с адресом этого симулятора.",
    pickChat: "Выберите чат слева", openLink: "Открыть", openLinkLabel: "Ссылка на бота", openLinkPlaceholder: "t.me/бот?start=код",
    badLink: "Нужна ссылка вида https://t.me/бот?start=код", noSuchBot: "Такого бота здесь нет: @{name}",
    bot: "бот", noMessages: "Сообщений пока нет", you: "Вы", back: "К списку чатов", blocked: "заблокирован вами",
    offline: "Нет связи с симулятором. Переподключаемся…", loading: "Загрузка…", backOnline: "Связь восстановлена",
    theme: "Тема", themeAuto: "Тема: как в системе", themeLight: "Тема: светлая", themeDark: "Тема: тёмная", language: "Switch to English",
    showCalls: "Вызовы Bot API", hideCalls: "Скрыть вызовы Bot API", calls: "Bot API", callsEmpty: "Вызовов пока нет",
    filterCalls: "Фильтр: метод или текст", errorsOnly: "Ошибки", thisBot: "Этот бот", pause: "Пауза", resume: "Продолжить", clear: "Очистить",
    request: "Запрос", response: "Ответ", ms: "мс", fidelity: "Методы",
    message: "Сообщение", messages: "Сообщения", placeholder: "Сообщение", send: "Отправить", attach: "Прикрепить", menu: "Меню", commands: "Команды бота",
    start: "Начать", startHint: "Нажмите «Начать», чтобы написать боту", whatCan: "Что умеет этот бот?",
    keyboardShow: "Показать кнопки", keyboardHide: "Скрыть кнопки", keyboard: "Кнопки бота", unblock: "Разблокировать", block: "Заблокировать бота", blockAsk: "Заблокировать @{name}? Бот не сможет вам писать.",
    cancel: "Отмена", ok: "Понятно", close: "Закрыть", copy: "Копировать", copied: "Скопировано", copyFailed: "Не удалось скопировать",
    reply: "Ответить", edit: "Изменить", copyMessage: "Копировать текст", json: "Показать JSON", actions: "Действия с сообщением", editing: "Изменение сообщения", replyTo: "Ответ: {name}",
    edited: "изм.", newMessages: "Новые", toBottom: "Вниз, к новым сообщениям", today: "Сегодня", yesterday: "Вчера", sent: "Отправлено", answered: "Бот ответил",
    photo: "Фото", video: "Видео", voice: "Голосовое сообщение", audio: "Аудио", document: "Файл", location: "Местоположение", contact: "Контакт", sticker: "Стикер", album: "Альбом", animation: "Анимация", poll: "Опрос", venue: "Место",
    unsupported: "Этот вид сообщения симулятор не показывает", openMap: "Открыть карту", forwarded: "Переслано: {name}", pinned: "Бот закрепил сообщение", service: "Служебное сообщение",
    group: "Группа", members: "участников: {n}", founded: "{by} создаёт группу", added: "{by} добавляет: {names}", joined: "{name} вступает в группу", removed: "{by} удаляет: {names}", left: "{name} выходит из группы", upgraded: "Группа стала супергруппой",
    attachPhoto: "Фото или видео", attachSample: "Готовые фото", attachCamera: "Снять фото", attachFile: "Файл", attachLocation: "Местоположение", attachContact: "Контакт",
    samplesTitle: "Готовые фото", samplesHint: "Нарисованы на этой странице. Выберите одно или несколько.", samplePlate: "Госномер", sampleLabel: "Наклейка трекера", sampleMeter: "Мультиметр", sampleWires: "Подключение", sampleVin: "Табличка VIN", sampleOdometer: "Приборка",
    add: "Добавить", addN: "Добавить ({n})", asFiles: "Отправить как файлы", remove: "Убрать {name}", caption: "Подпись", dropHere: "Отпустите файлы, чтобы прикрепить", tooMany: "Не больше 10 вложений за раз", badPhoto: "Не удалось прочитать фото, отправим файлом: {name}",
    locationTitle: "Отправить место", here: "Где я сейчас", garage: "Мастерская, Алматы", parking: "Стоянка, Астана", road: "Трасса, Капшагай", latitude: "Широта", longitude: "Долгота", noGeo: "Браузер не дал координаты", badNumber: "Проверьте координаты",
    contactTitle: "Отправить контакт", phone: "Телефон", firstName: "Имя", lastName: "Фамилия", username: "Имя пользователя", about: "О человеке", langCode: "Язык Telegram", create: "Создать",
    shareContactAsk: "Отправить боту ваш телефон?", shareLocationAsk: "Отправить боту местоположение?",
    spoiler: "Скрытый текст, показать", showMore: "Показать всё", showLess: "Свернуть", noAnswer: "Бот не ответил на нажатие", buttonOpens: "откроет ссылку", buttonCopies: "скопирует", notSimulated: "Симулятор этого не умеет: {name}",
    sendFailed: "Не отправлено: {error}", failed: "Не получилось: {error}", noNetwork: "нет связи", thinking: "Думает…",
    typing: "печатает", upload_photo: "отправляет фото", record_voice: "записывает голос", upload_voice: "отправляет голос", upload_document: "отправляет файл", choose_sticker: "выбирает стикер", find_location: "ищет место", record_video: "записывает видео", upload_video: "отправляет видео",
    profile: "О боте", transcript: "Скачать переписку", copyLink: "Копировать ссылку", person: "Человек", switchPerson: "Сменить человека", unread: "непрочитанных: {n}", from: "{name} пишет: {text}", viewPhoto: "Открыть фото", download: "Скачать",
    recordVoice: "Записать голос", recording: "Запись", noMic: "Нет доступа к микрофону", openAsk: "Открыть ссылку?", open: "Открыть", skip: "К полю ввода",
    b: "Б", kb: "КБ", mb: "МБ", startPayload: "Ссылка с кодом: {payload}",
  },
  en: {
    app: "Telegram simulator", simulator: "Simulator",
    simulatorHint: "This is not Telegram: a stand-in on this machine. Nothing leaves it.",
    whoAreYou: "You are", addPerson: "Add a person", chats: "Chats", noBots: "No bots yet. Start a bot with this simulator's address.",
    pickChat: "Pick a chat on the left", openLink: "Open", openLinkLabel: "Link to a bot", openLinkPlaceholder: "t.me/bot?start=code",
    badLink: "A link like https://t.me/bot?start=code is needed", noSuchBot: "There is no such bot here: @{name}",
    bot: "bot", noMessages: "No messages yet", you: "You", back: "Back to chats", blocked: "blocked by you",
    offline: "No connection to the simulator. Reconnecting…", loading: "Loading…", backOnline: "Connected again",
    theme: "Theme", themeAuto: "Theme: as the system", themeLight: "Theme: light", themeDark: "Theme: dark", language: "Переключить на русский",
    showCalls: "Bot API calls", hideCalls: "Hide Bot API calls", calls: "Bot API", callsEmpty: "No calls yet",
    filterCalls: "Filter: method or text", errorsOnly: "Errors", thisBot: "This bot", pause: "Pause", resume: "Resume", clear: "Clear",
    request: "Request", response: "Response", ms: "ms", fidelity: "Methods",
    message: "Message", messages: "Messages", placeholder: "Message", send: "Send", attach: "Attach", menu: "Menu", commands: "Bot commands",
    start: "Start", startHint: "Press Start to write to the bot", whatCan: "What can this bot do?",
    keyboardShow: "Show buttons", keyboardHide: "Hide buttons", keyboard: "Bot buttons", unblock: "Unblock", block: "Block the bot", blockAsk: "Block @{name}? It will not be able to write to you.",
    cancel: "Cancel", ok: "Got it", close: "Close", copy: "Copy", copied: "Copied", copyFailed: "Could not copy",
    reply: "Reply", edit: "Edit", copyMessage: "Copy text", json: "Show JSON", actions: "Message actions", editing: "Editing a message", replyTo: "Reply to {name}",
    edited: "edited", newMessages: "New", toBottom: "Down to new messages", today: "Today", yesterday: "Yesterday", sent: "Sent", answered: "The bot answered",
    photo: "Photo", video: "Video", voice: "Voice message", audio: "Audio", document: "File", location: "Location", contact: "Contact", sticker: "Sticker", album: "Album", animation: "Animation", poll: "Poll", venue: "Venue",
    unsupported: "The simulator does not show this kind of message", openMap: "Open map", forwarded: "Forwarded from {name}", pinned: "The bot pinned a message", service: "Service message",
    group: "Group", members: "members: {n}", founded: "{by} makes the group", added: "{by} adds: {names}", joined: "{name} joins", removed: "{by} removes: {names}", left: "{name} leaves", upgraded: "The group became a supergroup",
    attachPhoto: "Photo or video", attachSample: "Sample photos", attachCamera: "Take a photo", attachFile: "File", attachLocation: "Location", attachContact: "Contact",
    samplesTitle: "Sample photos", samplesHint: "Drawn on this page. Pick one or several.", samplePlate: "Number plate", sampleLabel: "Tracker label", sampleMeter: "Multimeter", sampleWires: "Wiring", sampleVin: "VIN plate", sampleOdometer: "Dashboard",
    add: "Add", addN: "Add ({n})", asFiles: "Send as files", remove: "Remove {name}", caption: "Caption", dropHere: "Drop files to attach", tooMany: "10 attachments at most", badPhoto: "Could not read the photo, will send it as a file: {name}",
    locationTitle: "Send a location", here: "Where I am now", garage: "Garage, Almaty", parking: "Parking, Astana", road: "Highway, Kapshagay", latitude: "Latitude", longitude: "Longitude", noGeo: "The browser gave no coordinates", badNumber: "Check the coordinates",
    contactTitle: "Send a contact", phone: "Phone", firstName: "First name", lastName: "Last name", username: "Username", about: "About", langCode: "Telegram language", create: "Create",
    shareContactAsk: "Send your phone number to the bot?", shareLocationAsk: "Send a location to the bot?",
    spoiler: "Hidden text, reveal", showMore: "Show all", showLess: "Show less", noAnswer: "The bot did not answer the tap", buttonOpens: "opens a link", buttonCopies: "copies", notSimulated: "The simulator cannot do this: {name}",
    sendFailed: "Not sent: {error}", failed: "Did not work: {error}", noNetwork: "no connection", thinking: "Thinking…",
    typing: "typing", upload_photo: "sending a photo", record_voice: "recording voice", upload_voice: "sending voice", upload_document: "sending a file", choose_sticker: "choosing a sticker", find_location: "finding a place", record_video: "recording video", upload_video: "sending video",
    profile: "About the bot", transcript: "Download the conversation", copyLink: "Copy link", person: "Person", switchPerson: "Switch person", unread: "unread: {n}", from: "{name} says: {text}", viewPhoto: "Open photo", download: "Download",
    recordVoice: "Record voice", recording: "Recording", noMic: "No access to the microphone", openAsk: "Open the link?", open: "Open", skip: "To the message field",
    b: "B", kb: "KB", mb: "MB", startPayload: "Link with a code: {payload}",
  },
};

let lang = localStorage.getItem("lang") ?? (/^(ru|kk|uk|be|ky|uz)/.test(navigator.language) ? "ru" : "en");
document.documentElement.lang = lang;

export const language = () => lang;

export function setLanguage(next) {
  lang = next;
  localStorage.setItem("lang", next);
  document.documentElement.lang = next;
}

export function t(key, values = {}) {
  const word = WORDS[lang][key] ?? WORDS.en[key] ?? key;
  return word.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

export const hasWord = (key) => key in WORDS.en;

const format = (options) => new Intl.DateTimeFormat(lang, options);

export const clock = (unix) => format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(unix * 1000);
export const clockSeconds = (date) => format({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(date);

const dayStart = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();

export function dayKey(unix) {
  return dayStart(new Date(unix * 1000));
}

export function dayName(unix) {
  const days = Math.round((dayStart(new Date()) - dayKey(unix)) / 86400000);
  if (days === 0) return t("today");
  if (days === 1) return t("yesterday");
  const sameYear = new Date(unix * 1000).getFullYear() === new Date().getFullYear();
  return format({ day: "numeric", month: "long", year: sameYear ? undefined : "numeric" }).format(unix * 1000);
}

export const shortWhen = (unix) => (dayKey(unix) === dayStart(new Date()) ? clock(unix) : format({ day: "numeric", month: "short" }).format(unix * 1000));

/** A date_time entity: `r` is relative, otherwise `w?[dD]?[tT]?`. */
export function tgTime(unix, spec) {
  if (spec === "r") {
    const seconds = unix - Date.now() / 1000;
    const steps = [[60, "second", 1], [3600, "minute", 60], [86400, "hour", 3600], [2592000, "day", 86400], [31536000, "month", 2592000], [Infinity, "year", 31536000]];
    const [, unit, size] = steps.find(([limit]) => Math.abs(seconds) < limit);
    return new Intl.RelativeTimeFormat(lang, { numeric: "auto" }).format(Math.round(seconds / size), unit);
  }
  const options = {};
  if (spec.includes("w")) options.weekday = "long";
  if (spec.includes("d")) Object.assign(options, { day: "2-digit", month: "2-digit", year: "numeric" });
  if (spec.includes("D")) Object.assign(options, { day: "numeric", month: "long", year: "numeric" });
  if (/[tT]/.test(spec)) Object.assign(options, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  if (spec.includes("T")) options.second = "2-digit";
  return format(options).format(unix * 1000);
}

export function size(bytes) {
  if (!(bytes >= 0)) return "";
  if (bytes < 1000) return `${bytes} ${t("b")}`;
  const number = (n) => new Intl.NumberFormat(lang, { maximumFractionDigits: 1 }).format(n);
  return bytes < 1000000 ? `${number(bytes / 1024)} ${t("kb")}` : `${number(bytes / 1048576)} ${t("mb")}`;
}

export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds || 0));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}
