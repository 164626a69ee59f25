/**
 * A .NET TimeSpan as host.json and timer schedules write it, in milliseconds: `[d.]hh:mm[:ss[.fff]]`, or whole days as one
 * number. Returns undefined for anything else, negative spans included.
 */
export function parseTimeSpan(text: string): number | undefined {
  const days = /^\d{1,8}$/.exec(text.trim())
  if (days) return Number(days[0]) * 86_400_000
  const parts = /^(?:(\d{1,8})\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,7}))?)?$/.exec(text.trim())
  if (!parts) return undefined
  const [, day = '0', hour = '0', minute = '0', second = '0', fraction = '0'] = parts
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  const seconds = ((Number(day) * 24 + Number(hour)) * 60 + Number(minute)) * 60 + Number(second)
  return seconds * 1000 + Math.round(Number(`0.${fraction}`) * 1000)
}
