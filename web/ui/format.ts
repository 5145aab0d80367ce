// Numbers as people read them.

/** 18_500_000 -> "18.5 MB" (decimal units, three digits). */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toLocaleString('en', { maximumSignificantDigits: 3 })} ${units[unit] ?? 'B'}`;
}

/** 12.3 -> "12.3 ms", 2345 -> "2.3 s". */
export function formatMilliseconds(milliseconds: number): string {
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return `${milliseconds.toFixed(milliseconds < 100 ? 1 : 0)} ms`;
}

/** 0.1234 -> "12.3 %". */
export function formatPercent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`;
}

/** -0.04 -> "0.0 dB", -12.3 -> "−12.3 dB". */
export function formatDecibels(decibels: number): string {
  const digits = Math.abs(decibels).toFixed(1);
  return `${decibels < 0 && Number(digits) !== 0 ? '−' : ''}${digits} dB`;
}

/** 4_650_000 -> "4,650,000". */
export function formatCount(count: number): string {
  return count.toLocaleString('en');
}

/** "1 picture", "2,000 pictures". */
export function formatPictures(count: number): string {
  return `${formatCount(count)} ${count === 1 ? 'picture' : 'pictures'}`;
}
