import { type Answer, type Client, type Load, startLoad } from './traffic.ts'

/** An answer, and which of the clients got it. */
export interface ClientAnswer extends Answer {
  readonly client: number
}

/** A load of `count` clients that take turns, each with the cookie that it was given last, as browsers do. */
export function startStickyClients(
  mesh: Client,
  { count, perSecond, seconds }: { count: number; perSecond: number; seconds: number },
): Load<ClientAnswer> {
  const cookies = new Map<number, string>()
  let sent = 0
  const send = async () => {
    const client = sent++ % count
    const cookie = cookies.get(client)
    const answer = await mesh.send(cookie === undefined ? {} : { cookie })
    if (answer.cookie !== undefined) cookies.set(client, answer.cookie)
    return { ...answer, client }
  }
  return startLoad(send, { perSecond, seconds })
}

/** How many of the clients have got an answer of a version. */
export function metBy(answers: readonly ClientAnswer[], version: string): number {
  return new Set(answers.filter((one) => one.version === version).map(({ client }) => client)).size
}

/** Answers of another version that a client got after one of this version. */
export function wentAway(answers: readonly ClientAnswer[], version: string): readonly ClientAnswer[] {
  const met = new Map<number, number>()
  for (const { client, at, version: by } of answers) if (by === version && !met.has(client)) met.set(client, at)
  return answers.filter(
    ({ client, at, version: by }) => by !== version && at > (met.get(client) ?? Number.POSITIVE_INFINITY),
  )
}
