/** Reads what /metrics says (Prometheus text, version 0.0.4), and tells rates from two readings. It touches no DOM. */
const SAMPLE = /^([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** `text` as a list of { name, labels, value }, with what each name is about in `help`. */
export function parseMetrics(text) {
  const samples = [];
  const help = new Map();
  for (const line of text.split('\n')) {
    const about = line.match(/^# HELP (\S+) (.*)$/);
    if (about) help.set(about[1], about[2]);
    const sample = line.startsWith('#') ? null : line.match(SAMPLE);
    if (sample) samples.push({ name: sample[1], labels: parseLabels(sample[2] ?? ''), value: parseValue(sample[3]) });
  }
  return { samples, help };
}

function parseLabels(text) {
  return Object.fromEntries([...text.matchAll(LABEL)].map(([, name, value]) => [name, value.replace(/\\(.)/g, (_, it) => it === 'n' ? '\n' : it)]));
}

function parseValue(text) {
  if (text === '+Inf') return Infinity;
  return text === '-Inf' ? -Infinity : Number(text);
}

/** The sum over all labels, or null when there is no metric of that name. */
export function total({ samples }, name) {
  const values = samples.filter(sample => sample.name === name).map(({ value }) => value);
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
}

/** By how much a counter has grown a second; null when that can't be told. A server that restarted began at 0. */
export function rate(before, now, seconds, name) {
  const value = total(now, name);
  if (value === null || before === null || !(seconds > 0)) return null;
  const earlier = total(before, name) ?? 0; // counters with labels are there from their first event on
  return (value < earlier ? value : value - earlier) / seconds;
}

/** What one thing took on average between two readings, of a counter of seconds and one of things; null until there was any. */
export function meanDuration(before, now, seconds, things) {
  if (!total(now, things)) return null;
  const count = rate(before, now, 1, things);
  const sum = rate(before, now, 1, seconds);
  return count === null || sum === null ? null : count === 0 ? 0 : sum / count;
}
