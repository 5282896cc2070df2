/** The number after a flag on the command line. */
export function numberOption(flag, fallback) {
  const at = process.argv.indexOf(flag);
  if (at < 0) return fallback;
  const value = Number(process.argv[at + 1]);
  if (!Number.isFinite(value) || value <= 0) {
    console.error(`${flag} wants a number`);
    process.exit(2);
  }
  return value;
}

export function summary(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] * 10) / 10;
  return { median: at(0.5), p95: at(0.95), least: at(0), most: Math.round(sorted.at(-1) * 10) / 10, count: sorted.length };
}
