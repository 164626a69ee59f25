import type { EmulatorResponse } from '../emulator.ts'
import type { Cluster } from './cluster.ts'
import { type JsonObject, type KubernetesObject, valueAt } from './json.ts'
import type { ResourcePath } from './routes.ts'
import * as status from './status.ts'

/** A line that a container wrote; `at` in epoch milliseconds. */
export interface LogLine {
  readonly at: number
  readonly text: string
}

/** What the node of a Pod has of its log, the newest line last; undefined: nothing is known of such a Pod. */
export type LogSource = (pod: KubernetesObject) => readonly LogLine[] | undefined

/** Is it a question for the log of a Pod? */
export function isPodLog({ group, plural, subresource }: ResourcePath): boolean {
  return group === '' && plural === 'pods' && subresource === 'log'
}

/**
 * The log of a Pod, as its kubelet gives it: the tail first, then by time, then so many bytes from the oldest on. Of a Pod that
 * runs on no node there is none. Throws KubernetesError.
 */
export function answerPodLog(
  cluster: Cluster,
  { namespace, name }: ResourcePath,
  query: URLSearchParams,
  logOf: LogSource,
): EmulatorResponse {
  const type = cluster.registry.find('', 'v1', 'pods')
  const pod = type && cluster.store.get(type, namespace, name)
  if (!type || !pod) throw status.notFound({ group: '', plural: 'pods', kind: 'Pod' }, name)
  checkContainer(pod, query.get('container'))
  const since = readSince(query)
  if (!valueAt(pod, ['spec', 'nodeName'])) return { status: 204, headers: {}, body: '' }
  const lines = logOf(pod) ?? []
  const tail = readCount(query, 'tailLines')
  const kept = tail === undefined ? lines : lines.slice(Math.max(0, lines.length - tail))
  const text = kept
    .filter(({ at }) => at >= since)
    .map(({ at, text }) =>
      query.get('timestamps') === 'true' ? `${new Date(at).toISOString()} ${text}\n` : `${text}\n`,
    )
    .join('')
  const limit = readCount(query, 'limitBytes')
  const body = limit === undefined ? text : Buffer.from(text).subarray(0, limit).toString()
  return { status: 200, headers: { 'content-type': 'text/plain' }, body }
}

function checkContainer(pod: KubernetesObject, asked: string | null): void {
  const containers = (valueAt(pod, ['spec', 'containers']) ?? []) as readonly JsonObject[]
  const names = containers.map((one) => String(one.name))
  const pods = pod.metadata.name ?? ''
  if (asked !== null) {
    if (names.includes(asked)) return
    throw status.badRequest(`container ${asked} is not valid for pod ${pods}`)
  }
  if (names.length < 2) return
  const message = `a container name must be specified for pod ${pods}, choose one of: [${names.join(' ')}]`
  throw status.badRequest(message)
}

/** In whole seconds, as the kubelet has it. */
function readSince(query: URLSearchParams): number {
  const text = query.get('sinceTime')
  if (text === null) return Number.NEGATIVE_INFINITY
  const at = Date.parse(text)
  if (Number.isNaN(at)) throw status.badRequest(`parsing time ${status.quoted(text)} as "2006-01-02T15:04:05Z07:00"`)
  return Math.floor(at / 1000) * 1000
}

function readCount(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  if (/^\d+$/.test(text)) return Number(text)
  throw status.badRequest(`strconv.ParseInt: parsing ${status.quoted(text)}: invalid syntax`)
}
