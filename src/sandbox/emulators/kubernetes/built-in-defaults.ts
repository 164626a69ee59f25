import type { Json, JsonObject, KubernetesObject } from './json.ts'
import { isObject, valueAt } from './json.ts'

/** Defaults of built-in types that depend on other fields of the object. All change the object in place. */

export function completePod(object: KubernetesObject): void {
  completeContainers(object.spec)
}

export function completeTemplate(object: KubernetesObject): void {
  completeContainers(valueAt(object, ['spec', 'template', 'spec']))
}

export function completeDeployment(object: KubernetesObject): void {
  completeTemplate(object)
  const strategy = valueAt(object, ['spec', 'strategy'])
  if (!isObject(strategy) || strategy.type !== 'RollingUpdate') return
  strategy.rollingUpdate = { maxUnavailable: '25%', maxSurge: '25%', ...asObject(strategy.rollingUpdate) }
}

export function completeService(object: KubernetesObject): void {
  const { spec } = object
  if (!isObject(spec)) return
  if (spec.sessionAffinity === 'ClientIP') spec.sessionAffinityConfig ??= { clientIP: { timeoutSeconds: 10_800 } }
  else delete spec.sessionAffinityConfig
  for (const port of objects(spec.ports)) port.targetPort ??= port.port
}

/** A budget of CPU, when nothing says what to scale by. */
export function completeAutoscaler(object: KubernetesObject): void {
  const spec = object.spec
  if (!isObject(spec) || spec.metrics !== undefined) return
  const target = { type: 'Utilization', averageUtilization: 80 }
  spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }]
}

/** The label that every namespace carries. */
export function completeNamespace(object: KubernetesObject): void {
  const { metadata } = object
  if (metadata.name) metadata.labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name }
}

/** The namespace's own finalizer, which its content holds. */
export function allocateNamespace(object: KubernetesObject, live: KubernetesObject | undefined): void {
  object.spec = live ? live.spec : { finalizers: ['kubernetes'] }
}

/** Names that a definition may leave out. */
export function completeDefinition(object: KubernetesObject): void {
  const names = valueAt(object, ['spec', 'names'])
  if (!isObject(names)) return
  names.singular ??= String(names.kind ?? '').toLowerCase()
  names.listKind ??= `${String(names.kind ?? '')}List`
}

/** What the real server's controllers write into a new definition's status within a second; here it is there at once. */
export function allocateDefinition(object: KubernetesObject, live: KubernetesObject | undefined): void {
  if (live) return
  const versions = objects(valueAt(object, ['spec', 'versions']))
  const lastTransitionTime = object.metadata.creationTimestamp
  const known = { status: 'True', lastTransitionTime }
  object.status = {
    conditions: [
      { type: 'NamesAccepted', ...known, reason: 'NoConflicts', message: 'no conflicts found' },
      {
        type: 'Established',
        ...known,
        reason: 'InitialNamesAccepted',
        message: 'the initial names have been accepted',
      },
    ],
    acceptedNames: valueAt(object, ['spec', 'names']),
    storedVersions: versions.filter((version) => version.storage === true).map((version) => String(version.name)),
  }
}

/** `stringData` is for writing only: it goes into `data` in base64. */
export function completeSecret(object: KubernetesObject): void {
  const plain = object.stringData
  if (!isObject(plain)) return
  const encoded = Object.entries(plain).map(([key, value]) => [key, Buffer.from(String(value)).toString('base64')])
  object.data = { ...asObject(object.data), ...Object.fromEntries(encoded) }
  delete object.stringData
}

/** An address of 10.0.0.0/16 for a Service that has none; an address once given stays. */
export function allocateService(
  object: KubernetesObject,
  live: KubernetesObject | undefined,
  random: () => number,
): void {
  const spec = object.spec
  if (!isObject(spec) || spec.type === 'ExternalName') return
  const before = live?.spec
  for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) {
    if (isObject(before) && isUnset(spec[field]) && before[field] !== undefined) spec[field] = before[field]
  }
  if (isUnset(spec.clusterIP)) spec.clusterIP = `10.0.${octet(random)}.${octet(random)}`
  spec.clusterIPs ??= [String(spec.clusterIP)]
  spec.ipFamilies ??= ['IPv4']
  spec.ipFamilyPolicy ??= 'SingleStack'
}

function completeContainers(podSpec: Json | undefined): void {
  if (!isObject(podSpec)) return
  for (const list of ['containers', 'initContainers']) {
    for (const container of objects(podSpec[list])) {
      const tag =
        String(container.image ?? '')
          .split('/')
          .at(-1)
          ?.split(':')[1] ?? 'latest'
      container.imagePullPolicy ??= tag === 'latest' ? 'Always' : 'IfNotPresent'
    }
  }
}

function objects(list: Json | undefined): JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : []
}

function isUnset(value: Json | undefined): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
}

function octet(random: () => number): number {
  return 1 + Math.floor(random() * 254)
}

function asObject(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {}
}
