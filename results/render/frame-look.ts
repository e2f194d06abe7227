// How a flame graph's frame looks: the kind gives the hue, module and name a steady shade. Shared by the SVG and the report,
// so that a function looks the same in both and in tomorrow's result. All are light enough for dark text (contrast above 7:1).

/** What frames are drawn as: the kinds of StackFrame, and what the renderer adds itself. */
export type DrawnKind = 'user' | 'kernel' | 'jit' | 'inlined' | 'plain';

interface Palette {
  hue: [from: number, to: number];
  saturation: number;
  lightness: [from: number, to: number];
}

const palettes: Record<DrawnKind, Palette> = {
  user: { hue: [16, 44], saturation: 88, lightness: [68, 77] },
  kernel: { hue: [200, 222], saturation: 62, lightness: [72, 81] },
  jit: { hue: [92, 138], saturation: 42, lightness: [68, 77] },
  inlined: { hue: [262, 296], saturation: 52, lightness: [79, 86] },
  plain: { hue: [220, 220], saturation: 10, lightness: [84, 84] },
};

/** FNV-1a, as a fraction of 1. */
function fraction(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  // The low bits of FNV are good, the high ones of short texts are not.
  return ((hash ^ (hash >>> 15)) & 0xffff) / 0x10000;
}

function hex(hue: number, saturation: number, lightness: number): string {
  const l = lightness / 100;
  const a = (saturation / 100) * Math.min(l, 1 - l);
  const part = (n: number) => {
    const k = (n + hue / 30) % 12;
    const value = l - a * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(value * 255)
      .toString(16)
      .padStart(2, '0');
  };
  return `#${part(0)}${part(8)}${part(4)}`;
}

/** `#rrggbb`; the same for the same kind, module and name everywhere. */
export function frameColour(kind: DrawnKind, name: string, module = ''): string {
  const { hue, saturation, lightness } = palettes[kind];
  const between = ([from, to]: [number, number], at: number) => from + (to - from) * at;
  return hex(between(hue, fraction(module)), saturation, between(lightness, fraction(name)));
}

/** For legends: the middle of a kind's palette. */
export function kindColour(kind: DrawnKind): string {
  const { hue, saturation, lightness } = palettes[kind];
  return hex((hue[0] + hue[1]) / 2, saturation, (lightness[0] + lightness[1]) / 2);
}

/** The width drawn of a frame that is `wide` px: neighbours have a gap between them where there is room for one. */
export function gapped(wide: number): number {
  return wide > 3 ? wide - 0.7 : Math.max(wide, 0.1);
}
