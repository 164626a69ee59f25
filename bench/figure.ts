/** One measured number. `limit` is the most that the project allows itself. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly limit?: number
  readonly note?: string
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** `weight step   5 requests   (at most 6)` */
export function describeFigure({ name, value, unit, limit, note }: Figure): string {
  const digits = Number.isInteger(value) ? 0 : value < 10 ? 2 : 1
  const most = limit === undefined ? '' : `  (at most ${limit}${value > limit ? ': EXCEEDED' : ''})`
  return `${name.padEnd(52)} ${value.toFixed(digits).padStart(10)} ${unit}${most}${note === undefined ? '' : `  ${note}`}`
}
