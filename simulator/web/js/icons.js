// Line icons of the page, drawn on a 24 x 24 grid.

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  attach: "M20 11.5 12.3 19a5 5 0 0 1-7-7l8-8a3.4 3.4 0 0 1 4.8 4.8l-8 7.9a1.7 1.7 0 0 1-2.4-2.4l7.2-7.2",
  send: "M4.5 12h14M12.5 5.5 19 12l-6.5 6.5",
  back: "M19 12H5.5M11.5 5.5 5 12l6.5 6.5",
  close: "M6 6l12 12M18 6 6 18",
  menu: "M4.5 7h15M4.5 12h15M4.5 17h9",
  more: "M12 5.5v.01M12 12v.01M12 18.5v.01",
  down: "M12 5v13M6 12.5l6 6 6-6",
  chevron: "M7 10l5 5 5-5",
  right: "M10 7l5 5-5 5",
  copy: "M9 9h10v11H9zM15 9V4.5H5V15h4",
  check: "M5 12.5l4.5 4.5L19 7.5",
  checks: "M2.5 12.5 7 17l9-9.5M11.5 16.2l.9.8L21.5 7.5",
  external: "M9 6h9v9M18 6 7 17",
  photo: "M4 5.5h16v13H4zM4 16l4.5-4 3.5 3 3.5-4 4.5 4.5M8.6 9.3v.01",
  camera: "M4 8h4l1.5-2.5h5L16 8h4v11H4zM12 16.5a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4z",
  samples: "M8.5 4H20v11H8.5zM15.5 15v5H4V9h4.5M8.5 13l3.5-3.5 2.5 2.3 2-1.8 3.5 3",
  file: "M6 3.5h8L18.5 8v12.5H6zM14 3.5V8h4.5",
  pin: "M12 21c4.5-5 6.5-8.2 6.5-11a6.5 6.5 0 0 0-13 0c0 2.8 2 6 6.5 11zM12 12.3a2.4 2.4 0 1 0 0-4.8 2.4 2.4 0 0 0 0 4.8z",
  person: "M12 12a3.8 3.8 0 1 0 0-7.6 3.8 3.8 0 0 0 0 7.6zM4.5 20c.6-3.7 3.6-5.5 7.5-5.5s6.9 1.8 7.5 5.5",
  keyboard: "M3.5 6.5h17v11h-17zM7 10v.01M10.3 10v.01M13.7 10v.01M17 10v.01M8 14h8",
  reply: "M10 6 4.5 11.5 10 17M4.5 11.5H14a5.5 5.5 0 0 1 5.5 5.5v1.5",
  edit: "M5 19l.8-4L16 4.8l3.2 3.2L9 18.2zM14 6.8 17.2 10",
  code: "M8.5 7 3.5 12l5 5M15.5 7l5 5-5 5",
  mic: "M12 14.5a3 3 0 0 0 3-3v-5a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3zM6 11.5a6 6 0 0 0 12 0M12 17.5V21",
  stop: "M7 7h10v10H7z",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M18.4 5.6 17 7M7 17l-1.4 1.4",
  moon: "M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z",
  auto: "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 4v16M12 8h5.5M12 12h8M12 16h5.5",
  block: "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM6.4 6.4l11.2 11.2",
  info: "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 11v5M12 8v.01",
  link: "M10 14a4 4 0 0 0 6 .4l2.6-2.6a4 4 0 0 0-5.7-5.7L11.7 7.3M14 10a4 4 0 0 0-6-.4l-2.6 2.6a4 4 0 0 0 5.7 5.7l1.2-1.2",
  plus: "M12 5v14M5 12h14",
  trash: "M5 7h14M9.5 7V4.5h5V7M7 7l.8 12.5h8.4L17 7",
  pause: "M9 6v12M15 6v12",
  play: "M8 5.5v13l10.5-6.5z",
  download: "M12 4.5v11M7 11l5 5 5-5M5 19.5h14",
  window: "M4 5.5h16v13H4zM4 9.5h16",
};

export function icon(name, label) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name] ?? PATHS.info);
  svg.append(path);
  return svg;
}
