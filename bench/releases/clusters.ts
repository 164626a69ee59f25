import { closeSync, mkdirSync, openSync, readSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CLUSTER_ADMIN_TOKEN, CLUSTER_TOKEN, emulatedKubernetes } from '../../src/sandbox/emulated-cluster.ts'
import type { EmulatorRequest } from '../../src/sandbox/emulators/emulator.ts'
import type { SeedObject } from '../../src/sandbox/emulators/kubernetes/seed.ts'
import { serve } from '../../src/sandbox/emulators/serve.ts'
import { memoryStorage } from '../../src/sandbox/storage.ts'
import { startApiServer } from '../../test/real/parts/api-server.ts'
import type { KubeconfigEntry } from '../../test/real/parts/kubeconfig.ts'
import type { KubernetesObject } from '../../test/real/parts/kubernetes.ts'
import { findParts } from '../../test/real/parts/parts.ts'
import { type KubeRequest, weightsIn } from './kube-request.ts'
import { Traffic } from './traffic.ts'

/** A cluster without nodes: an API server with Istio's CRDs, whose Pods are what we say. */
export interface BenchCluster {
  /** For the product's kubeconfig. */
  readonly entry: KubeconfigEntry
  put(objects: readonly KubernetesObject[]): Promise<void>
  /** What Meshwright has asked so far, in the order of the answers. */
  requests(): readonly KubeRequest[]
  /** Where the routes send requests, up to now. */
  traffic(): Traffic
  stop(): Promise<void>
}

/** What Meshwright asks is told by the server's own audit log. */
const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    { level: 'None', users: ['system:apiserver', 'system:anonymous'] },
    { level: 'Request', resources: [{ group: 'networking.istio.io', resources: ['virtualservices'] }] },
    { level: 'Metadata' },
  ],
}

interface AuditLine {
  readonly verb: string
  readonly userAgent?: string
  readonly requestURI: string
  readonly stageTimestamp: string
  readonly responseStatus?: { readonly code?: number }
  readonly requestObject?: unknown
}

/** A real kube-apiserver. Throws where its parts were not built (`npm run test:real` builds them). */
export async function realCluster(dir: string): Promise<BenchCluster> {
  const found = findParts()
  if (!found.ok) throw new Error(found.missing)
  mkdirSync(dir, { recursive: true })
  const [policy, log] = [join(dir, 'audit-policy.json'), join(dir, 'audit.log')]
  writeFileSync(policy, JSON.stringify(AUDIT_POLICY))
  const args = [`--audit-policy-file=${policy}`, `--audit-log-path=${log}`, '--audit-log-mode=blocking']
  const api = await startApiServer({ parts: found.parts, dir, crds: [found.parts.istioCrds], args })
  const audited = followAudit(log)
  return {
    entry: api,
    async put(objects) {
      for (const object of objects) await api.admin.apply([object])
      audited.forget()
    },
    ...audited,
    stop: () => api.stop(),
  }
}

/** Reads what is new in an audit log at each call. */
function followAudit(log: string) {
  const [requests, traffic] = [[] as KubeRequest[], new Traffic()]
  let readTo = 0
  const follow = () => {
    const fresh = Buffer.alloc(Math.max(0, statSync(log).size - readTo))
    const file = openSync(log, 'r')
    readSync(file, fresh, 0, fresh.length, readTo)
    closeSync(file)
    const end = fresh.lastIndexOf('\n') + 1
    readTo += end
    const lines = fresh.subarray(0, end).toString('utf8').split('\n')
    for (const line of lines.filter((text) => text !== '')) {
      const request = auditedRequest(JSON.parse(line) as AuditLine)
      requests.push(request)
      traffic.note(request)
    }
  }
  return {
    requests(): readonly KubeRequest[] {
      follow()
      return requests
    },
    traffic() {
      follow()
      return traffic
    },
    /** What was asked until now was not by Meshwright. */
    forget() {
      follow()
      requests.splice(0)
    },
  }
}

function auditedRequest({ verb, requestURI, stageTimestamp, responseStatus, requestObject }: AuditLine): KubeRequest {
  const weights = weightsIn(requestObject)
  return {
    atMs: Date.parse(stageTimestamp),
    method: METHODS[verb] ?? verb.toUpperCase(),
    path: requestURI,
    status: responseStatus?.code ?? 0,
    ...(weights ? { weights } : {}),
  }
}

const METHODS: Readonly<Record<string, string>> = { list: 'GET', get: 'GET', create: 'POST', update: 'PUT' }

/** The emulated Kubernetes API of the sandbox, served by this process: for where the real one is not built. */
export async function sandboxCluster(): Promise<BenchCluster> {
  const kubernetes = emulatedKubernetes({ now: Date.now, random: Math.random, storage: memoryStorage() }, 'east')
  const [seen, traffic] = [[] as KubeRequest[], new Traffic()]
  const served = await serve(
    async (request) => {
      const answer = await kubernetes.handle(request)
      if (isAdmin(request)) return answer
      const told = servedRequest(request, answer.status)
      seen.push(told)
      traffic.note(told)
      return answer
    },
    { port: 0 },
  )
  return {
    entry: { context: 'sandbox', url: served.url, token: CLUSTER_TOKEN },
    async put(objects) {
      kubernetes.seed(objects as unknown as readonly SeedObject[])
    },
    requests: () => seen,
    traffic: () => traffic,
    stop: () => served.close(),
  }
}

function isAdmin({ headers }: EmulatorRequest): boolean {
  return headers.authorization === `Bearer ${CLUSTER_ADMIN_TOKEN}`
}

/** A request that an emulator has answered. */
export function servedRequest({ method, url, body }: EmulatorRequest, status: number): KubeRequest {
  const isWrite = method === 'PATCH' && url.pathname.includes('/virtualservices/')
  const weights = isWrite ? weightsIn(JSON.parse(Buffer.from(body).toString('utf8'))) : undefined
  return { atMs: Date.now(), method, path: url.pathname + url.search, status, ...(weights ? { weights } : {}) }
}
