// Elements from code. Text goes in as text nodes only; nothing in this folder parses markup, so data cannot become any.

import { escapeTerminal } from '../../escape.ts';

export type Child = Node | string | number | undefined | null | false;

type Properties = Record<string, string | number | boolean | undefined | ((event: Event) => void)>;

function fill(element: Element, properties: Properties, children: Child[]): void {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name, value);
    // Tooltips are text too: marks for what does not show.
    else element.setAttribute(name, value === true ? '' : escapeTerminal(String(value)));
  }
  append(element, ...children);
}

/** Appends nodes and texts; texts have their invisible characters made visible. */
export function append(element: Element, ...children: Child[]): void {
  for (const child of children) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child instanceof Node ? child : escapeTerminal(String(child)));
  }
}

/** An HTML element; properties are attributes, functions are listeners under the event's name. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  fill(element, properties, children);
  return element;
}

/** An SVG element. */
export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  fill(element, properties, children);
  return element;
}

/** Replaces what is in an element. */
export function show(element: Element, ...children: Child[]): void {
  element.replaceChildren();
  append(element, ...children);
}

/** A button with a word on it. */
export function button(text: string, press: () => void, properties: Properties = {}): HTMLButtonElement {
  return h('button', { type: 'button', click: press, ...properties }, text);
}

/** A labelled checkbox. */
export function checkbox(text: string, checked: boolean, change: (on: boolean) => void): HTMLLabelElement {
  const input = h('input', { type: 'checkbox', checked, change: () => change(input.checked) });
  return h('label', { class: 'check' }, input, text);
}

/** A labelled drop-down of texts; `change` gets the index. */
export function select(
  text: string,
  options: string[],
  change: (index: number) => void,
  chosen = 0,
): HTMLLabelElement {
  const input = h(
    'select',
    // Of its own, since the label around it holds the options' texts too.
    { 'aria-label': text, change: () => change(input.selectedIndex) },
    ...options.map((option, i) => h('option', { selected: i === chosen }, option)),
  );
  return h('label', { class: 'field' }, h('span', {}, text), input);
}

/** Runs `work` once the reader pauses, so that typing stays quick over large data. */
export function whenQuiet(work: () => void, ms = 120): () => void {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, ms);
  };
}

/** The value of a custom property of the theme, for canvases. */
export function themeColour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

const themeListeners: (() => void)[] = [];

/** Called when light turns dark or back. */
export function onTheme(listener: () => void): void {
  themeListeners.push(listener);
}

export function themeChanged(): void {
  for (const listener of themeListeners) listener();
}
