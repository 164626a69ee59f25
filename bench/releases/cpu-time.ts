import { readdirSync, readFileSync } from 'node:fs'

/** `getconf CLK_TCK` of every Linux on x86 and Arm. */
const TICKS_PER_SECOND = 100

/** CPU seconds that the living processes of a process group have used, from /proc. */
export function cpuSecondsOf(group: number): number {
  let ticks = 0
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      // The second field is a name in brackets, which may hold anything.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (Number(fields[2]) === group) ticks += Number(fields[11]) + Number(fields[12])
    } catch {
      // It has ended meanwhile.
    }
  }
  return ticks / TICKS_PER_SECOND
}
