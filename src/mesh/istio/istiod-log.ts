/**
 * What lines of istiod's log say of its CA (`pilot/pkg/bootstrap/istio_ca.go` handleEvent, `certcontroller.go`; the same texts in
 * every version from 1.26 to 1.30). `root`: it does not take the roots, and nothing else with them. `bundle`: the four files do not
 * fit together; a driver that mounted them in mid-write gives that too, and mends it. `begun`: it looks at them, which tells nothing
 * of the end.
 */
export type Saying = 'taken' | 'root' | 'bundle' | 'begun'

const SAYINGS: readonly (readonly [words: RegExp, saying: Saying])[] = [
  [/Istiod has detected the newly added intermediate CA and updated its key and certs accordingly/, 'taken'],
  // Also as "Multi root is disabled, updating new ROOT-CA not supported".
  [/[Uu]pdating new ROOT-CA not supported/, 'root'],
  [/Failed to update new Plug-in CA certs/, 'bundle'],
  [/Failed generating plugged-in istiod key cert/, 'bundle'],
  [/failed reading root-cert\.pem/, 'bundle'],
  [/unable to determine signing file format/, 'bundle'],
  // It says this of its own certificate's renewal too.
  [/Istiod certificates are reloaded/, 'begun'],
  [/Update Istiod cacerts|Updating new ROOT-CA|update root cert and generate new dns certs/, 'begun'],
  [/Update trust anchor with new root cert/, 'begun'],
]

/** What a line says of the CA; undefined: nothing. */
export function sayingOf(line: string): Saying | undefined {
  return SAYINGS.find(([words]) => words.test(line))?.[1]
}

/** What a Pod of istiod says of a write. Times in epoch milliseconds. */
export type PodSays =
  | { readonly state: 'taken'; readonly at: number; readonly line: string }
  | { readonly state: 'refused'; readonly at: number; readonly line: string }
  | { readonly state: 'silent' }

/** What is refused so shortly before it is known that the vault was written is of that write: a driver may be quicker. */
export const EARLY_MS = 30_000

/**
 * Reads a log whose lines begin with their times, the oldest first. The newest line that tells counts; of those that refuse in a
 * row `at` is that of the first. What was taken before the write was known to be whole may have been a part of it, and counts as
 * nothing. `writtenAt` is epoch milliseconds.
 */
export function podSays(log: string, writtenAt: number): PodSays {
  let says: PodSays = { state: 'silent' }
  for (const text of log.split('\n')) {
    const [, time = '', line = ''] = /^(\S+) (.*)$/.exec(text) ?? []
    const [at, saying] = [Date.parse(time), sayingOf(line)]
    if (saying === undefined || saying === 'begun' || !(at >= writtenAt - EARLY_MS)) continue
    if (saying === 'taken') says = at >= writtenAt ? { state: 'taken', at, line: shown(line) } : { state: 'silent' }
    else says = { state: 'refused', at: says.state === 'refused' ? says.at : at, line: shown(line) }
  }
  return says
}

const MOST_CHARACTERS = 300

/** A line as it may be kept: istiod writes no PEM there, and if it did it would not be kept. */
export function shown(line: string): string {
  return line
    .replace(/-----BEGIN [^-]*-----.*?(?:-----END [^-]*-----|$)/g, '[PEM]')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, MOST_CHARACTERS)
}
