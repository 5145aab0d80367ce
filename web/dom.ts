// Making elements, in fewer words than the DOM's own.

type Child = Node | string;

interface ElementOptions {
  /** Class names, separated by spaces. */
  readonly class?: string;
  readonly text?: string;
  /** Attributes; `true` sets an empty one, `false` and `undefined` set none. */
  readonly attributes?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly children?: readonly Child[];
}

/** A new HTML element. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  options: ElementOptions = {},
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), options);
}

/** A new SVG element. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  options: ElementOptions = {},
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), options);
}

function fill<E extends Element>(target: E, options: ElementOptions): E {
  if (options.class !== undefined) target.setAttribute('class', options.class);
  if (options.text !== undefined) target.textContent = options.text;
  for (const [name, value] of Object.entries(options.attributes ?? {})) {
    if (value === undefined || value === false) continue;
    target.setAttribute(name, value === true ? '' : String(value));
  }
  if (options.children !== undefined) target.append(...options.children);
  return target;
}

/** The element with this id; the page and its script are written together, so its absence is a mistake of ours. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element "${id}"`);
  return found;
}
