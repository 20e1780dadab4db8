// Numbers as people read them. Widths stay the same from second to second, so that nothing jumps.
const missing = '–';

export function number(value, digits) {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function rate(value) {
  if (value == null) return missing;
  if (value >= 100000) return `${number(value / 1000, 0)}k`;
  if (value >= 10000) return `${number(value / 1000, 1)}k`;
  return value >= 100 ? number(value, 0) : value >= 10 ? number(value, 1) : value === 0 ? '0' : number(value, value < 1 ? 2 : 1);
}

export function percent(share) {
  if (share == null) return missing;
  const value = share * 100;
  return `${value === 0 ? '0' : value < 0.1 ? '<0.1' : value < 10 ? number(value, 1) : number(value, 0)} %`;
}

export function millis(value) {
  if (value == null) return missing;
  if (value >= 10000) return `${number(value / 1000, 1)} s`;
  return `${number(value, value < 10 ? 1 : 0)} ms`;
}

export function bytes(value) {
  if (value == null) return missing;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${number(value, unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2)} ${units[unit]}`;
}

export function cores(value) {
  return value == null ? missing : number(value, value < 10 ? 2 : 1);
}

export function since(milliseconds, now) {
  if (milliseconds == null) return missing;
  const seconds = Math.max(0, Math.round((now - milliseconds) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor(seconds % 86400 / 3600)} h`;
}

export function clock(milliseconds) {
  return new Date(milliseconds).toLocaleTimeString('en-GB');
}

// Where there is little room.
export function size(value) {
  if (value == null) return missing;
  const units = ['B', 'K', 'M', 'G', 'T'];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${number(value, unit === 0 || value >= 10 ? 0 : 1)} ${units[unit]}`;
}
