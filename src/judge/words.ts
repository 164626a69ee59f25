/** A share of 0..1 as per cent for people: `5.0 %`, `0.12 %`, `0 %`. */
export function formatShare(share: number): string {
  const percent = share * 100
  if (percent === 0 || percent === 100) return `${percent} %`
  if (percent < 0.001) return 'under 0.001 %'
  if (percent < 1) return `${Number(percent.toPrecision(2))} %`
  if (percent > 99.95) return 'over 99.9 %'
  return `${percent.toFixed(1)} %`
}

/** The confidence 1 − alpha as per cent, with as many digits as tell it from 100 %: `99 %`, `99.83 %`. */
export function formatConfidence(alpha: number): string {
  const digits = Math.max(0, Math.ceil(-Math.log10(alpha * 100))) + 1
  return `${Number((100 - alpha * 100).toFixed(digits))} %`
}

/** How many times as much: `0.25`, `3.0`, `12`, `1,200`. */
export function formatTimes(times: number): string {
  if (times === 0) return '0'
  return times < 10 ? times.toPrecision(2) : formatCount(times)
}

/** A count with its thousands apart: `12,345`. Parts of events are rounded. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US')
}
