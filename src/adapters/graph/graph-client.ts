import * as z from 'zod'
import type { Clock } from '../../ports/clock.ts'
import { isPortError, PortError, type PortErrorKind } from '../../ports/port-error.ts'
import type { Azure } from '../azure.ts'
import { withDeadline } from '../deadline.ts'
import { readBounded } from '../http-answer.ts'
import { keptToken } from '../kept-token.ts'
import { networkFailure, retryAfterMs } from '../network-failure.ts'

const GRAPH = 'Microsoft Graph'
const ORIGIN = 'https://graph.microsoft.com'
const deadlineMs = 10_000
const maxAnswerBytes = 4 * 1024 * 1024
/** Of 999 items each. */
const MOST_PAGES = 20

/** Reads of Microsoft Graph v1.0 with the app's own token, which goes to graph.microsoft.com only. */
export interface GraphClient {
  /** One object; undefined when there is none. `path` begins after `/v1.0`. Throws PortError. */
  get<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined>
  /** Every item of a collection; throws PortError `unavailable` (`TooMany`) beyond about 20,000. Undefined as with `get`. */
  list<T>(path: string, item: z.ZodType<T>): Promise<readonly T[] | undefined>
}

const KINDS: Readonly<Record<number, PortErrorKind>> = {
  400: 'invalid',
  401: 'denied',
  403: 'denied',
  429: 'throttled',
}

export function graphClient({ credential, fetch }: Azure, clock: Clock): GraphClient {
  const token = keptToken(credential, `${ORIGIN}/.default`, GRAPH, clock)
  const read = async (url: string): Promise<unknown> => {
    const bearer = await token.get()
    try {
      return await withDeadline(clock, deadlineMs, GRAPH, async (signal) => {
        const headers = { accept: 'application/json', authorization: `Bearer ${bearer}` }
        const response = await fetch(url, { headers, redirect: 'manual', signal })
        const answer = await readBounded(response, maxAnswerBytes, GRAPH)
        if (response.status === 401) token.refused(bearer)
        if (response.status === 404) return undefined
        if (response.status !== 200) throw refused(response, clock.now())
        return parseJson(answer)
      })
    } catch (error) {
      throw isPortError(error) ? error : networkFailure(GRAPH, error)
    }
  }
  return {
    async get(path, schema) {
      const answer = await read(`${ORIGIN}/v1.0${path}`)
      return answer === undefined ? undefined : checked(schema, answer)
    },
    async list(path, item) {
      const page = z.object({ value: z.array(item), '@odata.nextLink': z.string().optional() })
      const items: z.infer<typeof item>[] = []
      let url: string | undefined = `${ORIGIN}/v1.0${path}`
      for (let pages = 0; url !== undefined; pages += 1) {
        if (pages === MOST_PAGES)
          throw new PortError('unavailable', GRAPH, 'the list is too long', { reason: 'TooMany' })
        const answer = await read(url)
        if (answer === undefined) return undefined
        const { value, '@odata.nextLink': next }: z.infer<typeof page> = checked(page, answer)
        items.push(...value)
        url = next === undefined ? undefined : ownAddress(next)
      }
      return items
    },
  }
}

/** Where the next page is. The token must not follow a link to anywhere else. */
function ownAddress(link: string): string {
  if (URL.canParse(link) && new URL(link).origin === ORIGIN) return link
  throw new PortError('unavailable', GRAPH, `${GRAPH} named a page of another host`, { reason: 'Link' })
}

function refused(response: Response, now: number): PortError {
  const wait = retryAfterMs(response.headers.get('retry-after'), now)
  const kind = KINDS[response.status] ?? 'unavailable'
  const why = kind === 'denied' ? ': Meshwright needs User.Read.All and Application.Read.All there' : ''
  const more = wait === undefined ? {} : { retryAfterMs: wait }
  return new PortError(kind, GRAPH, `${GRAPH} answered ${response.status}${why}`, more)
}

function checked<T>(schema: z.ZodType<T>, answer: unknown): T {
  const parsed = schema.safeParse(answer)
  if (parsed.success) return parsed.data
  throw new PortError('unavailable', GRAPH, `${GRAPH} gave an answer of another form`, { reason: 'Form' })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new PortError('unavailable', GRAPH, `${GRAPH} gave no JSON`, { reason: 'Form' })
  }
}
