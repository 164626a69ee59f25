/** One number over time, kept as its changes: between two points it holds the value of the first. */
export interface Track {
  readonly times: number[]
  readonly values: number[]
}

export function newTrack(): Track {
  return { times: [], values: [] }
}

/** The value after the last change; 0 before the first. */
export function latest(track: Track): number {
  return track.values.at(-1) ?? 0
}

/** Times must not go back; a second value for one time takes the place of the first. */
export function setValue(track: Track, timeMs: number, value: number): void {
  if (track.times.at(-1) === timeMs) track.values.pop()
  else track.times.push(timeMs)
  track.values.push(value)
}

/** The value at a time; 0 before the first change. */
export function valueAt(track: Track, timeMs: number): number {
  return track.values[countUntil(track.times, timeMs) - 1] ?? 0
}

/** Forgets what was before a time, but for the value that held then. */
export function forgetBefore(track: Track, timeMs: number): void {
  const keep = countUntil(track.times, timeMs) - 1
  if (keep <= 0) return
  track.times.splice(0, keep)
  track.values.splice(0, keep)
}

/** How many of the ascending times are at or before a time. */
function countUntil(times: readonly number[], timeMs: number): number {
  let [low, high] = [0, times.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((times[middle] ?? 0) <= timeMs) low = middle + 1
    else high = middle
  }
  return low
}
