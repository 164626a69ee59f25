import type { Chance } from './chance.ts'
import type { RouteRule } from './route-source.ts'

/** Which of a caller's clients hold the cookie that was given last, and which one that is (`name=value`). */
export interface CookieJar {
  readonly cookie: string
  readonly holders: number
}

/** By service and caller. They are kept in memory only, and no cookie ends by age: after a restart all clients are new. */
export type CookieJars = Map<string, CookieJar>

/**
 * The jar as clients come to a service: another cookie than the last one, as a new rollout sets it, is new to all of them.
 * What they still hold of an old one tells the new routes nothing.
 */
export function presentJar(jar: CookieJar | undefined, rules: readonly RouteRule[] | undefined): CookieJar | undefined {
  const cookie = rules?.flatMap(({ shares }) => shares.flatMap(({ setCookie }) => setCookie ?? []))[0]
  return cookie === undefined || jar?.cookie === cookie ? jar : { cookie, holders: 0 }
}

/**
 * The jar after clients without the cookie got `given` answers (a mean number) that set it, one as likely as the other:
 * of n clients each goes without with probability e^(-given/n).
 */
export function fillJar(jar: CookieJar, clients: number, given: number, chance: Chance): CookieJar {
  const without = clients - jar.holders
  if (without <= 0 || given <= 0) return jar
  return { ...jar, holders: jar.holders + chance.binomial(without, 1 - Math.exp(-given / without)) }
}
