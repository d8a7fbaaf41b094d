// Light, dark, or as the system has it.

const KEY = "sukkal.theme";
const WORDS = { auto: "Theme: system", light: "Theme: light", dark: "Theme: dark" };
const NEXT = { auto: "light", light: "dark", dark: "auto" };

export function theme() {
  return localStorage.getItem(KEY) ?? "auto";
}

export function applyTheme() {
  document.documentElement.dataset.theme = theme();
}

export function turnTheme() {
  const next = NEXT[theme()];
  localStorage.setItem(KEY, next);
  applyTheme();
  return WORDS[next];
}

export function themeWords() {
  return WORDS[theme()];
}
