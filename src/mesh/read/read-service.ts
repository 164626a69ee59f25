import { canonicalJson } from '../../model/digest.ts'
import { describeRef, type KubeRef, refOf } from '../../model/kube.ts'
import type { ServiceSpec } from '../../model/service.ts'
import type { FieldError } from '../http-route/sections.ts'
import type { Provider } from '../provider.ts'
import { type ImportFinding, importFinding } from './codes.ts'
import { type Fitted, fitDraft, valueAt, without } from './fit-draft.ts'
import type { KubeService } from './kube-service.ts'
import { type Difference, differences } from './meaning.ts'
import type { Draft, Reader, SeenObjects } from './reader.ts'

/** A service as objects of others describe it. */
export interface ServiceReading {
  readonly key: string
  /** The objects that were read for it. */
  readonly objects: readonly KubeRef[]
  readonly findings: readonly ImportFinding[]
  /** Undefined: nothing could be made of it, see `errors`. */
  readonly spec?: ServiceSpec
  readonly errors?: readonly FieldError[]
}

/** Whose a service is to be, and where. */
export type DraftBase = Pick<ServiceSpec, 'team' | 'clusters'>

/**
 * Reads a service, renders what was read, and compares the effect of both: what differs is told, whatever the reader did. Of what
 * can stand beside ours, only what is carried whole is carried. Undefined: no object is for the service.
 */
export function readService(
  provider: Pick<Provider, 'render'> & { readonly reader: Reader },
  service: KubeService,
  seen: SeenObjects,
  base: DraftBase,
): ServiceReading | undefined {
  const { reader } = provider
  const chosen = reader.choose(service, seen)
  if (!chosen) return undefined
  if (Object.keys(service.selector).length === 0) return withoutPods(service, chosen.objects.map(refOf))
  const reading = reader.read(service, chosen.objects, seen)
  const { key, objects, findings } = {
    key: `${service.namespace}/${service.name}`,
    objects: chosen.objects.map(refOf),
    findings: [...service.findings, ...chosen.findings, ...reading.findings],
  }
  const there = reader.meaning(service, chosen.objects, seen)
  const left: FieldError[] = []
  let draft: Draft = { ...base, mode: 'observe', ports: service.ports, ...reading.draft }
  for (;;) {
    const fitted = fitDraft(draft, renderer(provider, service, seen))
    if (!fitted.ok) return { key, objects, findings, errors: fitted.errors }
    left.push(...fitted.value.left)
    const found = differences(there, reader.meaning(service, written(fitted.value), seen))
    const parts = partial(found, fitted.value.spec, reader)
    if (parts.length === 0) {
      const { spec } = fitted.value
      return { key, objects, spec, findings: unlike([...findings, ...left.map(leftOut), ...found.map(tell(reader))]) }
    }
    draft = parts.reduce<unknown>(without, fitted.value.spec) as Draft
  }
}

/** Versions are told by the labels of Pods. */
function withoutPods({ namespace, name }: KubeService, objects: readonly KubeRef[]): ServiceReading {
  const object = `Service ${namespace}/${name}`
  const message = `${object} has no selector.`
  return {
    key: `${namespace}/${name}`,
    objects,
    findings: [importFinding('NoPods', message, { object, field: '/spec/selector' })],
  }
}

function renderer(provider: Pick<Provider, 'render'>, { namespace, name }: KubeService, seen: SeenObjects) {
  return (spec: ServiceSpec) =>
    provider.render({
      namespace,
      name,
      spec,
      policy: spec,
      mesh: seen.mesh,
      gateways: seen.gateways ?? {},
      renderRevision: 0,
      weights: spec.traffic?.weights ?? { [spec.initialVersion]: 100 },
    })
}

function written({ steps }: Fitted) {
  return steps.map(({ object }) => object)
}

/** Fields that stand for topics that differ: their objects stay in force, so saying a half of them would be worse than nothing. */
function partial(found: readonly Difference[], spec: ServiceSpec, { standsAlone }: Reader): readonly string[] {
  const fields = found.flatMap(({ topic }) => standsAlone[topic] ?? [])
  return [...new Set(fields)].filter((field) => valueAt(spec, field) !== undefined)
}

/** Several matches of a rule come to one finding. */
function unlike(findings: readonly ImportFinding[]): readonly ImportFinding[] {
  return [...new Map(findings.map((one) => [canonicalJson(one), one])).values()]
}

function leftOut({ pointer, reason }: FieldError): ImportFinding {
  return importFinding('LeftOut', `${pointer} of the service was left out: it ${reason}.`)
}

/** Topics of what becomes of requests: more of it is another effect. */
const REQUESTS = /^(requests|connections) on port /

/** No values: what headers hold is nobody's affair here. */
function tell({ standsAlone }: Reader): (difference: Difference) => ImportFinding {
  return ({ kind, topic, at }) => {
    const object = describeRef(at.object)
    const where = { object, field: at.pointer }
    if (kind === 'added' && REQUESTS.test(topic)) {
      const message = `For ${topic} Meshwright would do what no object does now: requests that nobody answers may get an answer.`
      return importFinding('Differs', message, { field: at.pointer })
    }
    if (kind === 'added') {
      const message = `For ${topic} Meshwright would write what no object says now.`
      return importFinding('Added', message, { field: at.pointer })
    }
    if (kind === 'changed')
      return importFinding('Differs', `${object} says something else at ${at.pointer} (${topic}).`, where)
    if (standsAlone[topic] !== undefined)
      return importFinding('StaysWithOwner', `${object} could not be carried over whole (${topic}).`, where)
    return importFinding(
      'NotCarried',
      `${object} says at ${at.pointer} what the service has no words for (${topic}).`,
      where,
    )
  }
}
